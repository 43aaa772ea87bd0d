"""Files that are signed already, by an independent signer: intact, changed, locked, updated afterwards."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from builders import Sheet, Stream, compressed, plain, update
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer.examine import Examination

Examined = Callable[..., Examination]
GOOD = plain(Sheet().objects()).replace(b"/Size 100", b"/Size 8")
SHADOW = Stream(b"", b"BT /F1 24 Tf 100 700 Td (BA) Tj ET")


@pytest.fixture(scope="module")
def signer() -> signers.SimpleSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.KeyUsage(True, True, *[False] * 7), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=keys.PrivateKeyInfo.load(der),
        cert_registry=SimpleCertificateStore(),
    )


def sign(data: bytes, signer: signers.SimpleSigner, name: str = "First", **options: object) -> bytes:
    meta = signers.PdfSignatureMetadata(field_name=name, md_algorithm="sha256", **options)  # type: ignore[arg-type]  # pyHanko's own
    out = signers.PdfSigner(meta, signer).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)))
    return bytes(out.getvalue())


def codes(examination: Examination) -> set[str]:
    return {objection.code for objection in examination.objections}


@pytest.mark.parametrize("base", [GOOD, compressed(Sheet().objects())], ids=["table", "stream"])
def test_an_intact_signature_permits_its_own_update(
    examined: Examined, signer: signers.SimpleSigner, base: bytes
) -> None:
    data = sign(base, signer)
    found = examined(data)
    assert found.objections == ()
    (signature,) = found.signatures
    assert (signature.field, signature.intact, signature.permits) == ("First", True, None)
    assert signature.end == len(data)
    assert signature.byte_range[0] == 0


def test_two_signatures_in_turn_pass(examined: Examined, signer: signers.SimpleSigner) -> None:
    found = examined(sign(sign(GOOD, signer), signer, "Second"))
    assert found.objections == ()
    assert [one.field for one in found.signatures] == ["First", "Second"]


def test_a_changed_byte_is_seen(examined: Examined, signer: signers.SimpleSigner) -> None:
    data = sign(GOOD, signer).replace(b"(AB) Tj", b"(BB) Tj")
    found = examined(data)
    assert {"signature-not-intact", "multiple-definitions"} <= codes(found)
    assert not found.signatures[0].intact


def test_a_byte_range_that_leaves_something_out_is_not_intact(examined: Examined, signer: signers.SimpleSigner) -> None:
    data = sign(GOOD, signer)
    at = data.rindex(b"/ByteRange [") + len(b"/ByteRange [")
    changed = data[:at] + b"1" + data[at + 1 :]
    assert "signature-not-intact" in codes(examined(changed))


def test_an_update_after_the_signature_is_refused(examined: Examined, signer: signers.SimpleSigner) -> None:
    assert "multiple-definitions" in codes(examined(update(sign(GOOD, signer), {4: SHADOW})))


def test_an_unsigned_update_before_the_signature_is_refused(examined: Examined, signer: signers.SimpleSigner) -> None:
    data = sign(update(GOOD, {4: SHADOW}), signer)
    found = examined(data)
    assert codes(found) == {"multiple-definitions"}
    assert found.objections[0].object == "4 0"


def test_what_a_signed_update_replaced_is_judged_too(examined: Examined, signer: signers.SimpleSigner) -> None:
    """The page's script is gone in the signed revision, and one byte range away in the first."""
    sheet = Sheet(catalog=b"/AcroForm 10 0 R", extra={10: b"<</Fields[]/XFA(<a/>)>>"})
    writer = IncrementalPdfFileWriter(io.BytesIO(plain(sheet.objects()).replace(b"/Size 100", b"/Size 11")))
    del writer.root["/AcroForm"]["/XFA"]
    writer.update_container(writer.root["/AcroForm"])
    meta = signers.PdfSignatureMetadata(field_name="First", md_algorithm="sha256")
    data = signers.PdfSigner(meta, signer).sign_pdf(writer).getvalue()
    assert codes(examined(data)) == {"xfa"}


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (fields.MDPPerm.NO_CHANGES, {"no-further-signature"}),
        (fields.MDPPerm.FILL_FORMS, set()),
        (fields.MDPPerm.ANNOTATE, set()),
    ],
)
def test_a_certification_may_forbid_a_further_signature(
    examined: Examined, signer: signers.SimpleSigner, permissions: fields.MDPPerm, expected: set[str]
) -> None:
    found = examined(sign(GOOD, signer, certify=True, docmdp_permissions=permissions))
    assert codes(found) == expected
    assert found.signatures[0].permits == permissions.value


def test_empty_fields_are_told_apart(examined: Examined, signer: signers.SimpleSigner) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(GOOD))
    fields.append_signature_field(writer, fields.SigFieldSpec("Waiting"))
    meta = signers.PdfSignatureMetadata(field_name="First", md_algorithm="sha256")
    data = signers.PdfSigner(meta, signer).sign_pdf(writer).getvalue()
    assert examined(data).empty_signature_fields == ("Waiting",)
