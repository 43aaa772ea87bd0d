"""Time-stamp units, inside and outside the installation, and files that carry their tokens."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfTimeStamper
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from authority.certificate_parts import Places
from authority.issue import new_serial
from authority.service_certificates import ServiceDraft, make_service_certificate
from authority.timestamp import make_request, make_token, read_request
from keystore.interface import Keystore, SigningKey

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


class TimeUnit:
    """One key with its certificate, which stamps at whatever time it is told."""

    def __init__(self, key: SigningKey, certificate: x509.Certificate, above: Iterable[x509.Certificate]) -> None:
        self.key, self.certificate, self.above = key, certificate, tuple(above)
        self.root = self.above[-1]
        self._serial = 0

    def over(self, imprint: bytes, when: datetime) -> bytes:
        """A token over ``imprint`` (SHA-256)."""
        self._serial += 1
        chain = [each.public_bytes(Encoding.DER) for each in (self.certificate, *self.above[:-1])]
        return make_token(
            read_request(make_request(imprint, nonce=None)),
            self.key,
            self.certificate,
            chain,
            serial=self._serial,
            now=when,
            accuracy=timedelta(seconds=1),
            policy="2.25.1",
        )


class Outside:
    """An authority that has nothing to do with the installation: its own root, one unit, its own lists."""

    def __init__(self, keystore: Keystore, *, ends: datetime = END) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate("Outside root", self.key.public_key(), END, authority=True)
        key = keystore.generate("timestamp", "ecdsa-p256-sha256")
        leaf = self._certificate("Outside unit", load_der_public_key(key.public_key), ends, authority=False)
        self.unit = TimeUnit(key, leaf, (self.root,))

    def _certificate(self, name: str, public_key: object, ends: datetime, *, authority: bool) -> x509.Certificate:
        usage = ["key_cert_sign", "crl_sign"] if authority else ["digital_signature"]
        names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        names += " key_cert_sign crl_sign encipher_only decipher_only"
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Outside root")]))
            .public_key(public_key)  # type: ignore[arg-type]  # a public key of any kind
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .add_extension(x509.KeyUsage(**{each: each in usage for each in names.split()}), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(self.key, SHA256())

    def crl(self, *revoked: tuple[x509.Certificate, datetime, x509.ReasonFlags], now: datetime) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.root.subject)
        builder = builder.last_update(now).next_update(now + timedelta(days=1))
        for certificate, when, reason in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(when)
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.DER)


def own_unit(archive: object, *, years: int = 5) -> TimeUnit:
    """The installation's own time-stamp unit, issued by its embedded authority."""
    key = archive.keystore.generate("timestamp", "ecdsa-p256-sha256")  # type: ignore[attr-defined]
    begins = archive.issuer.not_valid_before_utc  # type: ignore[attr-defined]
    draft = ServiceDraft(
        service="timestamp",
        public_key=key.public_key,
        serial=new_serial(),
        not_before=begins,
        not_after=begins + timedelta(days=365 * years),
    )
    certificate = make_service_certificate(
        archive.issuer,  # type: ignore[attr-defined]
        archive.keystore.open(archive.issuer_key),  # type: ignore[attr-defined]
        draft,
        places=Places(crl="http://a.example/crl", ocsp="http://a.example/ocsp", issuer="http://a.example/cer"),
    )
    return TimeUnit(key, certificate, (archive.issuer, archive.trust.roots[0]))  # type: ignore[attr-defined]


def contents_of(data: bytes) -> tuple[int, int, cms.ContentInfo]:
    """Where the last ``/Contents`` stands (its digits), and the CMS in it."""
    from verify_updates import places

    _, length, second, _ = places(data)
    return length + 1, second - 1, cms.ContentInfo.load(bytes.fromhex(data[length + 1 : second - 1].decode()))


def signature_value(data: bytes) -> bytes:
    """The value that the last signature's time-stamp is over."""
    value: bytes = contents_of(data)[2]["content"]["signer_infos"][0]["signature"].native
    return value


def with_tokens(data: bytes, *tokens: bytes) -> bytes:
    """The file with these tokens in the unsigned attributes of its last signature, and nothing else changed."""
    start, end, content = contents_of(data)
    info = content["content"]["signer_infos"][0]
    values = [cms.ContentInfo.load(each) for each in tokens]
    info["unsigned_attrs"] = cms.CMSAttributes([{"type": "signature_time_stamp_token", "values": values}])
    der = content.dump()  # with force=True the library takes seconds
    filled = der.hex().encode().ljust(end - start, b"0")
    assert len(filled) == end - start
    return data[:start] + filled + data[end:]


def with_store(data: bytes, *, crls: Iterable[bytes] = (), certificates: Iterable[x509.Certificate] = ()) -> bytes:
    """The file with one more revision that holds validation data."""
    from asn1crypto import crl as asn1_crl
    from asn1crypto import x509 as asn1_x509

    out = BytesIO(data)
    DocumentSecurityStore.add_dss(
        out,
        sig_contents=None,
        certs=[asn1_x509.Certificate.load(each.public_bytes(Encoding.DER)) for each in certificates],
        crls=[asn1_crl.CertificateList.load(each) for each in crls],
    )
    return out.getvalue()


class _Stamper(TimeStamper):
    """PyHanko's view of a unit."""

    def __init__(self, unit: TimeUnit, when: datetime) -> None:
        super().__init__(include_nonce=False)
        self.unit, self.when = unit, when

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        token = self.unit.over(req["message_imprint"]["hashed_message"].native, self.when)
        status = tsp.PKIStatusInfo({"status": tsp.PKIStatus("granted")})
        return tsp.TimeStampResp({"status": status, "time_stamp_token": cms.ContentInfo.load(token)})


def archived(data: bytes, unit: TimeUnit, when: datetime, *, field: str = "Archive") -> bytes:
    """The file with one more revision that holds a document time-stamp."""
    stamper = PdfTimeStamper(_Stamper(unit, when), field_name=field)
    return stamper.timestamp_pdf(IncrementalPdfFileWriter(BytesIO(data)), "sha256").getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()


def forged_time(token: bytes) -> bytes:
    """The token with another second in its content, and nothing else changed."""
    content = cms.ContentInfo.load(token)
    info = content["content"]["encap_content_info"]["content"].parsed
    info["gen_time"] = core.GeneralizedTime(info["gen_time"].native + timedelta(days=-1))
    content["content"]["encap_content_info"]["content"] = core.ParsableOctetString(info.dump(force=True))
    return content.dump()
