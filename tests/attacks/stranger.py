"""Somebody with a certificate of their own, who signs and time-stamps whatever they like."""

from datetime import UTC, datetime
from io import BytesIO
from unittest.mock import patch

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

Box = tuple[int, int, int, int]


class Stranger:
    """A signer and time-stamper under a root of its own."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.certificate = certificate_for(self.key.public_key(), self.key, "Stranger")
        der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._key = keys.PrivateKeyInfo.load(der)
        self._certificate = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        self._signer = SimpleSigner(self._certificate, self._key, SimpleCertificateStore())

    def sign(
        self,
        data: bytes,
        *,
        name: str = "Stranger",
        box: Box | None = None,
        certify: MDPPerm | None = None,
        sub_filter: SigSeedSubFilter | None = SigSeedSubFilter.PADES,
        digest: str = "sha256",
        cover: bool = False,
    ) -> bytes:
        """A signature over everything so far, whatever earlier signatures forbid; visible where it gets a ``box``."""
        given = {} if certify is None else {"certify": True, "docmdp_permissions": certify}
        meta = PdfSignatureMetadata(field_name=name, subfilter=sub_filter, md_algorithm=digest, **given)
        writer = IncrementalPdfFileWriter(BytesIO(data))
        if box is not None:
            append_signature_field(writer, SigFieldSpec(name, box=box))
        white = RawContent(b"1 g 0 0 400 80 re f", box=BoxConstraints(width=400, height=80))
        style = TextStampStyle(stamp_text="Approved", background=white if cover else None, background_opacity=1)
        with patch("pyhanko.sign.validation.read_certification_data", lambda reader: None):
            return PdfSigner(meta, self._signer, stamp_style=style).sign_pdf(writer).getvalue()

    def timestamp(self, data: bytes, *, box: Box | None = None, name: str = "Stamp") -> bytes:
        """A document time-stamp; visible when it gets a ``box``."""
        writer = IncrementalPdfFileWriter(BytesIO(data))
        if box is not None:
            append_signature_field(writer, SigFieldSpec(name, box=box))
        stamper = PdfTimeStamper(DummyTimeStamper(self._certificate, self._key), field_name=name)
        return stamper.timestamp_pdf(writer, "sha256").getvalue()

    def validation_data(self, data: bytes) -> bytes:
        """A document security store with one certificate."""
        out = BytesIO(data)
        DocumentSecurityStore.add_dss(out, sig_contents=None, certs=[self._certificate])
        return out.getvalue()


def with_field(data: bytes, name: str, box: Box) -> bytes:
    """An empty, visible signature field in a revision of its own."""
    writer, out = IncrementalPdfFileWriter(BytesIO(data)), BytesIO()
    append_signature_field(writer, SigFieldSpec(name, box=box))
    writer.write(out)
    return out.getvalue()


def certificate_for(public_key: object, issuer: rsa.RSAPrivateKey, name: str) -> x509.Certificate:
    """A certificate for any public key, as one is made by somebody who has no right to."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)  # type: ignore[arg-type]  any public key
        .serial_number(7)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC))
        .add_extension(usage, critical=True)
        .sign(issuer, SHA256())
    )
