"""What somebody may append to a sealed file: honest revisions by pyHanko, and dishonest bytes by hand."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from unittest.mock import patch

from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    StreamObject,
    pdf_string,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, append_signature_field
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, PdfTimeStamper, SimpleSigner
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

BYTE_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]")


class Stranger:
    """A made-up signer and time-stamper under a root of its own."""

    def __init__(self, extra: x509.ExtensionType | None = None) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stranger")])
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
            .not_valid_after(datetime(2040, 1, 1, tzinfo=UTC) + timedelta(days=1))
            .add_extension(usage, critical=True)
        )
        builder = builder if extra is None else builder.add_extension(extra, critical=False)
        self.certificate = builder.sign(self.key, SHA256())
        der = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self.asn1_key = keys.PrivateKeyInfo.load(der)
        self.asn1_certificate = asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))
        self.signer = SimpleSigner(self.asn1_certificate, self.asn1_key, SimpleCertificateStore())

    def sign(
        self,
        data: bytes,
        *,
        field: str = "Stranger",
        sub_filter: SigSeedSubFilter | None = None,
        digest: str = "sha256",
        reserve: int | None = None,
    ) -> bytes:
        """An invisible signature over everything so far, whatever earlier signatures forbid."""
        meta = PdfSignatureMetadata(field_name=field, subfilter=sub_filter, md_algorithm=digest)
        writer = IncrementalPdfFileWriter(BytesIO(data))
        with patch("pyhanko.sign.validation.read_certification_data", lambda reader: None):
            return PdfSigner(meta, self.signer).sign_pdf(writer, bytes_reserved=reserve).getvalue()

    def timestamp(self, data: bytes, *, box: tuple[int, int, int, int] | None = None) -> bytes:
        """A document time-stamp; visible when it gets a ``box``."""
        writer = IncrementalPdfFileWriter(BytesIO(data))
        if box is not None:
            append_signature_field(writer, SigFieldSpec("Stamp", box=box))
        stamper = PdfTimeStamper(DummyTimeStamper(self.asn1_certificate, self.asn1_key), field_name="Stamp")
        return stamper.timestamp_pdf(writer, "sha256").getvalue()

    def validation_data(self, data: bytes) -> bytes:
        """A document security store with one certificate."""
        out = BytesIO(data)
        DocumentSecurityStore.add_dss(out, sig_contents=None, certs=[self.asn1_certificate])
        return out.getvalue()


def annotate(data: bytes) -> bytes:
    """An opaque white rectangle over the middle of the first page, in a well-formed revision."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    look = StreamObject(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(map(NumberObject, (0, 0, 300, 100))),
        },
        stream_data=b"1 g 0 0 300 100 re f",
    )
    note = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Stamp"),
            NameObject("/Rect"): ArrayObject(map(FloatObject, ("100", "400", "400", "500"))),
            NameObject("/F"): NumberObject(4),
            NameObject("/AP"): DictionaryObject({NameObject("/N"): writer.add_object(look)}),
        }
    )
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Annots"] = ArrayObject([*page.get("/Annots", ()), writer.add_object(note)])
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def rename_field(data: bytes, *, drop: str = "") -> bytes:
    """The last field of the form gets another name, or loses an entry."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    field = writer.root["/AcroForm"]["/Fields"][-1]
    if drop:
        del field[drop]
    else:
        field["/T"] = pdf_string("Renamed")
    writer.update_container(field)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def startxref(data: bytes) -> int:
    """The newest one."""
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])


def plain_update(data: bytes, body: bytes = b"", *, number: int = 900, end: bytes = b"%%EOF\n") -> bytes:
    """A revision written by hand: one object that nothing refers to."""
    text = b"%d 0 obj\n<< /Note (later) >>\nendobj\n" % number
    first = len(data) + len(body)
    section = first + len(text)
    root = re.findall(rb"/Root (\d+ \d+ R)", data)[-1]
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %s /Prev %d >>\n" % (
        number, first, number + 1, root, startxref(data),
    )  # fmt: skip
    return data + body + text + table + b"startxref\n%d\n" % section + end


def places(data: bytes) -> tuple[int, int, int, int]:
    """The four numbers of the last ByteRange."""
    found = BYTE_RANGE.findall(data)[-1]
    first, length, second, rest = (int(each) for each in found)
    return first, length, second, rest
