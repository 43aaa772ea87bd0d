"""What is certified or locked, what earlier signatures forbid, and that a later overlay is noticed."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from asn1crypto import keys as oracle_keys
from asn1crypto import x509 as oracle_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pikepdf import Array, Dictionary, Name, Pdf, String
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signer.errors import DocumentRejectedError, PlacementError

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory


PADES = SigSeedSubFilter.PADES


def signed_by_pyhanko(source: Path, target: Path, signatory: "Signatory", **meta: object) -> Path:
    """An earlier signature by other software, visible on page 1."""
    pkcs8 = signatory.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    own, root = (oracle_x509.Certificate.load(each) for each in signatory.chain)
    store = SimpleCertificateStore()
    store.register(root)
    signer = SimpleSigner(own, oracle_keys.PrivateKeyInfo.load(pkcs8), store)
    spec = SigFieldSpec("Earlier", box=(20, 20, 120, 60), field_mdp_spec=meta.pop("lock", None))
    stated = PdfSignatureMetadata(field_name="Earlier", subfilter=PADES, md_algorithm="sha256", **meta)
    writer = IncrementalPdfFileWriter(io.BytesIO(source.read_bytes()))
    with target.open("wb") as out:
        PdfSigner(stated, signer, new_field_spec=spec).sign_pdf(writer, output=out)
    return target


def with_overlay(sealed: Path, target: Path) -> Path:
    """An attacker's update: an opaque square annotation over the middle of page 1."""
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed.read_bytes()))
    page = writer.root["/Pages"]["/Kids"][0]
    square = generic.DictionaryObject(
        {
            generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
            generic.pdf_name("/Subtype"): generic.pdf_name("/Square"),
            generic.pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (100, 500, 400, 700))),
            generic.pdf_name("/IC"): generic.ArrayObject(map(generic.NumberObject, (1, 1, 1))),
            generic.pdf_name("/F"): generic.NumberObject(4),
        }
    )
    if "/Annots" not in page:
        page["/Annots"] = generic.ArrayObject()
    page["/Annots"].append(writer.add_object(square))
    writer.update_container(page["/Annots"])
    with target.open("wb") as out:
        writer.write(out)
    return target


def test_final_alone_certifies_without_changes(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256)
    with pikepdf.open(sealed.path) as pdf:
        signature = pdf.Root.Perms.DocMDP
        (reference,) = signature.Reference
        assert str(reference.TransformMethod) == "/DocMDP"
        assert reference.TransformParams.P == 1
        assert str(reference.TransformParams.V) == "/1.2"
        assert signature.objgen == pdf.Root.AcroForm.Fields[0].V.objgen
        assert "/Lock" not in pdf.Root.AcroForm.Fields[0]
    (status,) = judges.pyhanko(sealed.path, p256.root)
    assert status.docmdp_ok


def test_not_final_certifies_and_locks_nothing(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256, final=False)
    with pikepdf.open(sealed.path) as pdf:
        (field,) = pdf.Root.AcroForm.Fields
        assert "/Perms" not in pdf.Root
        assert "/Reference" not in field.V
        assert "/Lock" not in field


@pytest.mark.tool("pdfsig")
@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_final_on_a_file_signed_by_others_locks(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", rsa3072: "Signatory", tmp_path: Path, kind: str
) -> None:
    earlier = signed_by_pyhanko(getattr(papers, kind)(), tmp_path / "earlier.pdf", rsa3072)
    sealed = desk.seal(earlier, tmp_path / "sealed.pdf", p256)
    assert sealed.path.read_bytes().startswith(earlier.read_bytes())
    assert judges.pdfsig(sealed.path, signatures=2) == []
    assert all(status.bottom_line for status in judges.pyhanko(sealed.path, p256.root, rsa3072.root))
    with pikepdf.open(sealed.path) as pdf:
        field = pdf.Root.AcroForm.Fields[1]
        (reference,) = field.V.Reference
        assert "/Perms" not in pdf.Root
        assert reference.TransformMethod == Name.FieldMDP
        assert reference.Data.objgen == pdf.Root.objgen
        for lock in (field.Lock, reference.TransformParams):
            assert (lock.Action, lock.P) == (Name.All, 1)


@pytest.mark.parametrize("signed_before", [False, True])
def test_an_overlay_added_after_the_final_seal_is_noticed(
    desk: "Desk",
    papers: "Papers",
    judges: "Judges",
    p256: "Signatory",
    rsa3072: "Signatory",
    tmp_path: Path,
    signed_before: bool,
) -> None:
    source = papers.classic(1)
    if signed_before:
        source = signed_by_pyhanko(source, tmp_path / "earlier.pdf", rsa3072)
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256)
    changed = with_overlay(sealed.path, tmp_path / "changed.pdf")
    status = judges.pyhanko(changed, p256.root, rsa3072.root)[-1]
    assert status.intact
    assert not status.bottom_line
    assert status.modification_level == ModificationLevel.OTHER


@pytest.mark.parametrize(
    ("meta", "field"),
    [
        pytest.param({"certify": True, "docmdp_permissions": MDPPerm.NO_CHANGES}, None, id="certified-1"),
        pytest.param({"certify": True, "docmdp_permissions": MDPPerm.FILL_FORMS}, None, id="certified-2-new-field"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.ALL)}, None, id="all-fields-locked"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.INCLUDE, ["YinxinSeal1"])}, None, id="ours-locked"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.INCLUDE, ["Box"])}, "Box", id="existing-locked"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.EXCLUDE, ["Other"])}, "Box", id="not-left-out"),
    ],
)
def test_an_earlier_signature_that_forbids_more_is_respected(
    desk: "Desk",
    papers: "Papers",
    p256: "Signatory",
    rsa3072: "Signatory",
    tmp_path: Path,
    meta: dict[str, object],
    field: str | None,
) -> None:
    source = papers.with_field() if field else papers.classic()
    earlier = signed_by_pyhanko(source, tmp_path / "earlier.pdf", rsa3072, **meta)
    with pytest.raises(DocumentRejectedError) as refused:
        desk.prepare(earlier, tmp_path / "sealed.pdf", field=field)
    assert refused.value.code == "forbids-signature"
    assert not (tmp_path / "sealed.pdf").exists()


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param({"certify": True, "docmdp_permissions": MDPPerm.FILL_FORMS}, id="certified-for-forms"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.INCLUDE, ["Other"])}, id="another-field-locked"),
        pytest.param({"lock": FieldMDPSpec(FieldMDPAction.EXCLUDE, ["Box"])}, id="ours-left-out"),
    ],
)
@pytest.mark.tool("pdfsig")
def test_an_earlier_signature_that_permits_a_field_is_kept_valid(
    desk: "Desk",
    papers: "Papers",
    judges: "Judges",
    p256: "Signatory",
    rsa3072: "Signatory",
    tmp_path: Path,
    meta: dict[str, object],
) -> None:
    earlier = signed_by_pyhanko(papers.with_field(), tmp_path / "earlier.pdf", rsa3072, **meta)
    sealed = desk.seal(earlier, tmp_path / "sealed.pdf", p256, field="Box", final=False)
    assert judges.pdfsig(sealed.path, signatures=2) == []
    assert all(status.bottom_line for status in judges.pyhanko(sealed.path, p256.root, rsa3072.root))


def test_final_is_refused_while_other_fields_wait(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    source = papers.with_field()
    with pytest.raises(DocumentRejectedError) as refused:
        desk.prepare(source, tmp_path / "sealed.pdf")
    assert refused.value.code == "empty-signature-fields"
    assert "Box" in refused.value.zh
    assert "Box" in refused.value.en
    desk.seal(source, tmp_path / "open.pdf", p256, final=False)


def _lock(action: str, **more: object) -> Dictionary:
    return Dictionary(Type=Name.SigFieldLock, Action=Name(f"/{action}"), **more)


@pytest.mark.parametrize(
    ("lock", "signed_before", "final"),
    [
        (_lock("All", P=1), False, False),
        (_lock("All"), True, True),
        (_lock("Include", Fields=Array([String("Other")]), P=1), True, True),
    ],
)
def test_a_field_whose_lock_contradicts_is_refused(
    desk: "Desk",
    papers: "Papers",
    rsa3072: "Signatory",
    tmp_path: Path,
    lock: Dictionary,
    signed_before: bool,
    final: bool,
) -> None:
    source = papers.with_field(Lock=lock)
    if signed_before:
        source = signed_by_pyhanko(source, tmp_path / "earlier.pdf", rsa3072)
    with pytest.raises(DocumentRejectedError) as refused:
        desk.prepare(source, tmp_path / "sealed.pdf", field="Box", final=final)
    assert refused.value.code == "field-lock-contradicts"


@pytest.mark.parametrize(
    ("lock", "signed_before", "final"),
    [
        (_lock("All", P=1), False, True),
        (_lock("All"), False, True),
        (_lock("Include", Fields=Array([String("Other")])), False, False),
        (_lock("All", P=1), True, True),
    ],
)
def test_the_lock_of_a_field_is_repeated_in_its_signature(
    desk: "Desk",
    papers: "Papers",
    judges: "Judges",
    p256: "Signatory",
    tmp_path: Path,
    lock: Dictionary,
    signed_before: bool,
    final: bool,
) -> None:
    source = papers.with_field(Lock=lock)
    if signed_before:
        source = signed_by_pyhanko(source, tmp_path / "earlier.pdf", p256)
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256, field="Box", final=final)
    assert all(status.bottom_line for status in judges.pyhanko(sealed.path, p256.root))
    with pikepdf.open(sealed.path) as pdf:
        field = next(each for each in pdf.Root.AcroForm.Fields if str(each.T) == "Box")
        assert field.Lock.Action == lock.Action
        reference = next(each for each in field.V.Reference if each.TransformMethod == Name.FieldMDP)
        assert reference.TransformParams.Action == lock.Action
        assert reference.TransformParams.get("/P") == lock.get("/P")


def test_stamps_are_refused_on_a_signed_file(
    desk: "Desk", papers: "Papers", rsa3072: "Signatory", tmp_path: Path
) -> None:
    earlier = signed_by_pyhanko(papers.classic(), tmp_path / "earlier.pdf", rsa3072)
    for more in ({"seam": desk.slices(2)}, {"spots": (desk.at(1), desk.at(2))}):
        with pytest.raises(PlacementError) as refused:
            desk.prepare(earlier, tmp_path / "sealed.pdf", **more)
        assert refused.value.code == "stamps-on-signed-file"


def test_other_entries_of_permissions_and_form_stay(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    pdf: Pdf = desk.blank()
    pdf.Root.Perms = pdf.make_indirect(Dictionary(UR3=pdf.make_indirect(Dictionary(Type=Name.Sig))))
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), DR=Dictionary(), NeedAppearances=False)
    sealed = desk.seal(papers.write(pdf, "rights.pdf"), tmp_path / "sealed.pdf", p256)
    with pikepdf.open(sealed.path) as again:
        assert set(again.Root.Perms.keys()) == {"/UR3", "/DocMDP"}
        assert set(again.Root.AcroForm.keys()) == {"/Fields", "/DR", "/NeedAppearances", "/SigFlags"}


def test_a_loop_of_fields_is_refused(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    pdf: Pdf = desk.blank()
    field = pdf.make_indirect(Dictionary(T=String("a")))
    field.Kids = Array([field])
    pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
    with pytest.raises(DocumentRejectedError) as refused:
        desk.prepare(papers.write(pdf, "loop.pdf"), tmp_path / "sealed.pdf")
    assert refused.value.code == "tree-too-deep"


def test_the_stated_time_is_the_given_one(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.classic(), tmp_path / "sealed.pdf", p256)
    (status,) = judges.pyhanko(sealed.path, p256.root)
    assert status.signer_reported_dt == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
