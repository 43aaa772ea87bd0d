"""Time-stamps and validation data in the file, judged by poppler, openssl and pyHanko's AdES validation."""

import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate as OracleCertificate
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer.archive_file import ArchivedFile, embed_archive, measure_archive
from signer.byte_layout import Layout
from signer.desk import extend_document
from signer.seal_file import SealedFile, check_signature, embed, measure
from signer.validation_data import ValidationData
from tests.signer.core.long_term import Authority

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers

pytestmark = [pytest.mark.tool("openssl"), pytest.mark.tool("pdfsig")]
RESERVE = 8192


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(folder=tmp_path_factory.mktemp("authority"))


def seal_lt(desk: "Desk", source: Path, target: Path, authority: Authority, **options: object) -> SealedFile:
    """B-LT: validation data under the seal, a time-stamp beside it."""
    data = ValidationData.from_json(authority.validation_data())
    layout = desk.prepare(source, target, validation_data=data, now=authority.now, **options)
    prepared = measure(
        target, layout, source_digest=sha256(source.read_bytes()).digest(), chain=authority.chain,
        algorithm="ecdsa-p256-sha256", token_reserve=RESERVE,
    )  # fmt: skip
    signature = authority.sign(prepared.to_be_signed)
    check_signature(prepared, signature)
    return embed(prepared, signature, authority.token(sha256(signature).digest()))


def archive(source: Path, target: Path, authority: Authority) -> ArchivedFile:
    """One more archive revision."""
    answer = extend_document(
        source=str(source), target=str(target), validation_data=authority.validation_data(),
        now=authority.now.isoformat(),
    )  # fmt: skip
    layout = Layout.from_json(answer["layout"])
    prepared = measure_archive(target, layout, source_digest=sha256(source.read_bytes()).digest())
    return embed_archive(prepared, authority.token(prepared.digest))


def said_by_pdfsig(path: Path) -> list[tuple[str, str]]:
    """Type and judgement of each signature; poppler reads document time-stamps without judging them."""
    said = subprocess.run(["pdfsig", "-nocert", path], capture_output=True, text=True, check=False).stdout
    kinds = re.findall(r"Signature Type: (.*)", said)
    return list(zip(kinds, re.findall(r"Signature Validation: (.*)", said), strict=True))


@pytest.mark.parametrize("kind", ["classic", "streams", "typst"])
def test_a_seal_with_validation_data_and_time_stamp_then_two_archive_revisions(
    desk: "Desk", papers: "Papers", judges: "Judges", authority: Authority, tmp_path: Path, kind: str
) -> None:
    sealed = seal_lt(desk, getattr(papers, kind)(), tmp_path / "lt.pdf", authority)
    assert judges.pdfsig(sealed.path) == []
    assert judges.openssl(sealed.path, authority.root) == ""
    assert sealed.digest == sha256(sealed.path.read_bytes()).digest()
    path = sealed.path
    for count in (1, 2):
        archived = archive(path, tmp_path / f"lta-{count}.pdf", authority)
        data = archived.path.read_bytes()
        assert data.startswith(path.read_bytes())
        assert (archived.digest, archived.length) == (sha256(data).digest(), len(data))
        path = archived.path
        (seal, *stamps) = said_by_pdfsig(path)
        assert seal == ("ETSI.CAdES.detached", "Signature is Valid.")
        assert len(stamps) == count
        assert authority.ades(path) == "AdESPassed.OK"
    with pikepdf.open(path, attempt_recovery=False) as pdf:
        assert pdf.get_warnings() == []


@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_time_stamps_and_validation_data_change_nothing_that_the_locking_seal_forbids(
    desk: "Desk", papers: "Papers", judges: "Judges", authority: Authority, tmp_path: Path, kind: str
) -> None:
    sealed = seal_lt(desk, getattr(papers, kind)(), tmp_path / "lt.pdf", authority)
    archived = archive(archive(sealed.path, tmp_path / "1.pdf", authority).path, tmp_path / "2.pdf", authority)
    with archived.path.open("rb") as file:
        reader = PdfFileReader(file, strict=True)
        anchor = OracleCertificate.load(authority.root.public_bytes(Encoding.DER))
        context = ValidationContext(trust_roots=[anchor], allow_fetching=False)
        status = validate_pdf_signature(reader.embedded_regular_signatures[0], context)
        assert status.bottom_line
        assert status.docmdp_ok
        assert status.modification_level == ModificationLevel.LTA_UPDATES
        assert status.timestamp_validity.intact
        assert status.timestamp_validity.valid
        for stamp in reader.embedded_timestamp_signatures:
            timed = validate_pdf_timestamp(stamp, context)
            assert timed.intact
            assert timed.valid
            assert timed.trusted


def test_pyhanko_reads_the_security_store_and_nothing_is_stored_twice(
    desk: "Desk", papers: "Papers", authority: Authority, tmp_path: Path
) -> None:
    sealed = seal_lt(desk, papers.streams(), tmp_path / "lt.pdf", authority)
    archived = archive(sealed.path, tmp_path / "lta.pdf", authority)
    with archived.path.open("rb") as file:
        reader = PdfFileReader(file, strict=True)
        store = DocumentSecurityStore.read_dss(reader)
        stored = {each.dump() for each in store.load_certs()}
        assert stored == {each.public_bytes(Encoding.DER) for each in (authority.seal, authority.tsa, authority.root)}
        assert [ref.get_object().data for ref in store.crls] == [authority.crl]
        assert [ref.get_object().data for ref in store.ocsps] == [authority.ocsp]
        assert len(store.certs) == 3


def foreign(source: Path, target: Path, authority: Authority) -> Path:
    """Certified at P=1 by pyHanko's own signer."""
    own = OracleCertificate.load(authority.chain[0])
    pkcs8 = authority.seal_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(own, PrivateKeyInfo.load(pkcs8), SimpleCertificateStore())
    stated = PdfSignatureMetadata(
        field_name="Theirs", certify=True, docmdp_permissions=MDPPerm.NO_CHANGES, md_algorithm="sha256"
    )
    with source.open("rb") as read, target.open("wb+") as write:
        PdfSigner(stated, signer).sign_pdf(IncrementalPdfFileWriter(read), output=write)
    return target


@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_a_foreign_certified_file_can_be_extended(
    papers: "Papers", judges: "Judges", authority: Authority, tmp_path: Path, kind: str
) -> None:
    signed = foreign(getattr(papers, kind)(), tmp_path / "foreign.pdf", authority)
    archived = archive(signed, tmp_path / "extended.pdf", authority)
    assert said_by_pdfsig(archived.path)[0] == ("adbe.pkcs7.detached", "Signature is Valid.")
    with archived.path.open("rb") as file:
        reader = PdfFileReader(file, strict=True)
        anchor = OracleCertificate.load(authority.root.public_bytes(Encoding.DER))
        context = ValidationContext(trust_roots=[anchor], allow_fetching=False)
        status = validate_pdf_signature(reader.embedded_regular_signatures[0], context)
    assert status.bottom_line
    assert status.modification_level == ModificationLevel.LTA_UPDATES


def test_behind_a_second_seal_that_locks_all_fields(
    desk: "Desk", papers: "Papers", judges: "Judges", authority: Authority, tmp_path: Path
) -> None:
    first = seal_lt(desk, papers.streams(), tmp_path / "1.pdf", authority, final=False)
    second = seal_lt(desk, first.path, tmp_path / "2.pdf", authority, spots=(desk.at(2),))
    archived = archive(second.path, tmp_path / "3.pdf", authority)
    with archived.path.open("rb") as file:
        anchor = OracleCertificate.load(authority.root.public_bytes(Encoding.DER))
        context = ValidationContext(trust_roots=[anchor], allow_fetching=False)
        seals = PdfFileReader(file, strict=True).embedded_regular_signatures
        earlier, later = [validate_pdf_signature(each, context) for each in seals]
    assert earlier.bottom_line
    assert later.bottom_line
    assert later.modification_level == ModificationLevel.LTA_UPDATES
