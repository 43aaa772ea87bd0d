"""The signatures that the form of a PDF reaches, read with pyHanko and found again in the bytes by our own scan."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as member
from hashlib import new as new_hash
from typing import Any, BinaryIO

from asn1crypto.cms import ContentInfo, SignedData, SignerInfo
from asn1crypto.parser import peek
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko.pdf_utils.generic import DictionaryObject, Reference
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, SuspiciousModification
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.general import CMSExtractionError, SignedDataCerts, extract_signer_info
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from authority.errors import UNREADABLE
from verify.file_scan import SignatureObject, read_signature_object
from verify.pdf_syntax import FileBytes, SyntaxFaultError, fault
from verify.verdict import Finding, failure

PARSER_ERRORS = (
    PdfError,
    CMSExtractionError,
    SignatureValidationError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    AssertionError,
    IndexError,
    NotImplementedError,
    SyntaxFaultError,
    UnsupportedAlgorithm,
    zlib.error,
    struct.error,
    *UNREADABLE,
)
"""What pyHanko, asn1crypto, cryptography and our own scan raise for input that is not in the form they read."""
_CHUNK = 1 << 20
_SET_OF = b"\x31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One signature that was found in the form, in the bytes, and whose CMS could be parsed."""

    field: str
    dictionary: DictionaryObject
    reader: PdfFileReader
    revision: int
    written: SignatureObject
    cms: SignedData
    signer_info: SignerInfo
    certificates: SignedDataCerts
    signer: x509.Certificate
    others: tuple[x509.Certificate, ...]

    @property
    def sub_filter(self) -> str:
        """``/SubFilter`` as written."""
        return self.written.name(b"SubFilter")

    @property
    def is_timestamp(self) -> bool:
        """Whether it is a document time-stamp (ISO 32000-2 12.8.5)."""
        return self.written.name(b"Type") == "/DocTimeStamp" or self.sub_filter == "/ETSI.RFC3161"

    @property
    def cms_bytes(self) -> bytes:
        """The CMS alone, without the zeros behind it."""
        length: int = peek(self.written.contents)
        return self.written.contents[:length]

    @property
    def signed_attributes(self) -> bytes:
        """The DER SET OF that the key signed (RFC 5652 5.4); empty where there are none."""
        encoded: bytes = self.signer_info["signed_attrs"].dump()
        return _SET_OF + encoded[1:] if encoded else b""

    @property
    def claimed_time(self) -> str | None:
        """``/M`` as written: the signer's claim."""
        value = self.written.members.get(b"M")
        return value.text.decode("latin-1") if value is not None and value.kind == "string" else None

    @property
    def last_revision(self) -> bool:
        """Whether the signature stands in the newest revision of the file."""
        return bool(self.revision == self.reader.xrefs.total_revisions - 1)

    @property
    def reference(self) -> Reference:
        """The object of the signature dictionary."""
        found: Reference = self.dictionary.raw_get("/V").reference
        return found

    def embedded(self) -> EmbeddedPdfSignature:
        """PyHanko's own reading, which is slow: it decodes ``/Contents`` digit by digit."""
        return EmbeddedPdfSignature(self.reader, self.dictionary, self.field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """All signature fields of a file."""

    reader: PdfFileReader
    readings: tuple[Reading, ...]
    broken: tuple[Finding, ...]
    empty_fields: tuple[str, ...]
    reviews: dict[tuple[int, MDPPerm | None], DiffResult | SuspiciousModification] = member(default_factory=dict)
    """What pyHanko said of each revision against the one before it, once asked."""


def open_reader(stream: BinaryIO) -> tuple[PdfFileReader, bool]:
    """A reader, and whether it had to be a lenient one. Raises ``PdfError`` or another of PARSER_ERRORS."""
    try:
        reader = PdfFileReader(stream, strict=True)
        list(enumerate_sig_fields(reader))
    except PARSER_ERRORS:
        stream.seek(0)
        return PdfFileReader(stream, strict=False), True
    return reader, False


def read_signatures(data: FileBytes, reader: PdfFileReader) -> Signatures:
    """Read every signature field. A field whose signature cannot be read is a finding, never left out."""
    readings: list[Reading] = []
    broken: list[Finding] = []
    empty: list[str] = []
    for name, value, field in enumerate_sig_fields(reader):
        if value is None:
            empty.append(str(name))
            continue
        try:
            readings.append(_read(data, reader, str(name), field))
        except SyntaxFaultError as error:
            broken.append(_broken(str(name), f"偏移 {error.at} 处应为 {error.expected}", str(error)))
        except PARSER_ERRORS as error:
            broken.append(_broken(str(name), f"无法解析（{type(error).__name__}）", type(error).__name__))
    broken += _shared(readings)
    readings.sort(key=lambda one: one.written.covered_end)
    return Signatures(reader=reader, readings=tuple(readings), broken=tuple(broken), empty_fields=tuple(empty))


def _read(data: FileBytes, reader: PdfFileReader, name: str, field: Any) -> Reading:  # noqa: ANN401  pyHanko's own object
    dictionary = field.get_object()
    reference = dictionary.raw_get("/V").reference
    offset = reader.xrefs[reference]
    if not isinstance(offset, int):
        fault(0, "a signature that is not inside an object stream")
    written = read_signature_object(data, offset)
    _check_padding(written)
    cms = _signed_data(written)
    certificates = extract_certs_for_validation(cms)
    _ = extract_signer_info(cms)["signature"].native  # read now: the library reads it late
    return Reading(
        field=name,
        dictionary=dictionary,
        reader=reader,
        revision=reader.xrefs.get_last_change(reference),
        written=written,
        cms=cms,
        signer_info=extract_signer_info(cms),
        certificates=certificates,
        signer=_certificate(certificates.signer_cert.dump()),
        others=tuple(_certificate(each.dump()) for each in certificates.other_certs),
    )


def _certificate(der: bytes) -> x509.Certificate:
    """A certificate whose names can be read: the library reads them late. Raises ``ValueError``."""
    certificate = x509.load_der_x509_certificate(der)
    _ = certificate.subject, certificate.issuer, certificate.not_valid_after_utc, certificate.not_valid_before_utc
    return certificate


def _signed_data(written: SignatureObject) -> SignedData:
    content = ContentInfo.load(written.contents)
    if content["content_type"].native != "signed_data":
        fault(written.start, "CMS SignedData in /Contents")
    return content["content"]


def _check_padding(written: SignatureObject) -> None:
    """Behind the CMS only zeros may stand: nobody signs those bytes, so they must say nothing."""
    length: int = peek(written.contents)
    if written.contents[length:].strip(b"\0"):
        fault(written.start, "zeros alone behind the signature in /Contents")


def _shared(readings: list[Reading]) -> Iterator[Finding]:
    seen: set[int] = set()
    for reading in readings:
        if reading.written.start in seen:
            yield _broken(reading.field, "与另一签名域共用一个签名", "another field holds the same signature")
        seen.add(reading.written.start)


def _broken(field: str, zh: str, en: str) -> Finding:
    return failure(
        "signature_malformed",
        f"签名域 {field} 的签名不合格式：{zh}",
        f"the signature in field {field} is malformed: {en}",
        "FORMAT_FAILURE",
    )


def digest_of(data: FileBytes, algorithm: str, *ranges: tuple[int, int]) -> bytes:
    """The digest of these byte ranges (offset, length) one after another, read piece by piece."""
    digest = new_hash(algorithm)
    for start, length in ranges:
        for at in range(start, start + length, _CHUNK):
            digest.update(data[at : min(at + _CHUNK, start + length)])
    return digest.digest()
