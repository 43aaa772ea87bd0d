"""A small authority with revocation list, OCSP answers and openssl's time-stamps, and pyHanko's AdES judgement."""

import asyncio
import subprocess
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto.x509 import Certificate as OracleCertificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

_TSA_SETTINGS = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(slots=True, kw_only=True)
class Authority:
    """One root that issues everything; real time, because openssl stamps with the clock."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    seal_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    root: x509.Certificate = field(init=False)
    seal: x509.Certificate = field(init=False)
    tsa: x509.Certificate = field(init=False)
    crl: bytes = field(init=False)
    ocsp: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.root = self._issue("Test Root", self.key, usage=None)
        self.seal = self._issue("Test Seal", self.seal_key, usage=[])
        tsa_key = ec.generate_private_key(ec.SECP256R1())
        self.tsa = self._issue("Test TSA", tsa_key, usage=[ExtendedKeyUsageOID.TIME_STAMPING])
        self.crl, self.ocsp = self._crl(), self.answer()
        pem = tsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for name, content in {
            "tsa.key": pem,
            "tsa.pem": self.tsa.public_bytes(Encoding.PEM),
            "root.pem": self.root.public_bytes(Encoding.PEM),
            "serial": b"01\n",
            "tsa.cnf": _TSA_SETTINGS.format(folder=self.folder).encode(),
        }.items():
            (self.folder / name).write_bytes(content)

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (self.seal.public_bytes(Encoding.DER),)

    def sign(self, message: bytes) -> bytes:
        return self.seal_key.sign(message, ec.ECDSA(SHA256()))

    def _issue(
        self, name: str, key: ec.EllipticCurvePrivateKey, usage: list[x509.ObjectIdentifier] | None
    ) -> x509.Certificate:
        ca = usage is None
        flags = x509.KeyUsage(
            digital_signature=not ca, content_commitment=not ca, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder(issuer_name=_name("Test Root"), subject_name=_name(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - timedelta(days=30))
            .not_valid_after(self.now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(flags, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
        return builder.sign(self.key, SHA256())

    def _crl(self) -> bytes:
        made = (
            x509.CertificateRevocationListBuilder(issuer_name=_name("Test Root"))
            .last_update(self.now - timedelta(minutes=1))
            .next_update(self.now + timedelta(days=7))
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, SHA256())
        )
        return made.public_bytes(Encoding.DER)

    def answer(self) -> bytes:
        """An OCSP answer for the seal's certificate; each is another one."""
        this, following = self.now - timedelta(minutes=1), self.now + timedelta(days=1)
        good = ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response(
            self.seal, self.root, SHA256(), good, this, following, None, None
        )
        made = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.root).sign(self.key, SHA256())
        return made.public_bytes(Encoding.DER)

    def validation_data(self) -> dict[str, list[str]]:
        """As the workers get it."""
        lists = {
            "certificates": [each.public_bytes(Encoding.DER) for each in (self.seal, self.tsa, self.root)],
            "crls": [self.crl],
            "ocsps": [self.ocsp],
        }
        return {name: [b64encode(each).decode() for each in values] for name, values in lists.items()}

    def token(self, digest: bytes) -> bytes:
        """A time-stamp token for a SHA-256 digest, by openssl."""
        ask = ["openssl", "ts", "-query", "-digest", digest.hex(), "-sha256", "-cert", "-out", self.folder / "query"]
        subprocess.run(ask, check=True, capture_output=True)
        answer = ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile", self.folder / "query"]
        done = subprocess.run([*answer, "-token_out"], check=True, capture_output=True)
        return done.stdout

    def ades(self, path: Path) -> str:
        """PyHanko's indication for the file's seal as an AdES LTA signature, at the test root's trust."""
        anchor = OracleCertificate.load(self.root.public_bytes(Encoding.DER))
        policy = CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build([anchor]),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        )
        spec = PdfSignatureValidationSpec(SignatureValidationSpec(cert_validation_policy=policy))
        with path.open("rb") as file:
            seal = PdfFileReader(file, strict=True).embedded_regular_signatures[0]
            result = asyncio.run(ades_lta_validation(seal, spec))
        return str(result.ades_subindic)
