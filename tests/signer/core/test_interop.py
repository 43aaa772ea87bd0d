"""Each kind of file, sealed, judged by poppler, openssl and pyHanko."""

from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from cryptography import x509
from pikepdf import Array, Name
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory


pytestmark = [pytest.mark.tool("pdfsig"), pytest.mark.tool("openssl")]


def assert_accepted(judges: "Judges", path: Path, root: x509.Certificate) -> None:
    """All three agree, and pyHanko finds the whole file covered, certified and unchanged."""
    assert judges.pdfsig(path) == []
    assert judges.openssl(path, root) == ""
    (status,) = judges.pyhanko(path, root)
    assert status.bottom_line
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level == ModificationLevel.NONE
    assert status.docmdp_ok


@pytest.mark.parametrize("kind", ["classic", "streams", "typst"])
def test_every_kind_of_cross_reference(
    desk: "Desk", papers: "Papers", judges: "Judges", signatory: "Signatory", tmp_path: Path, kind: str
) -> None:
    source = getattr(papers, kind)()
    sealed = desk.seal(source, tmp_path / "sealed.pdf", signatory)
    assert_accepted(judges, sealed.path, signatory.root)
    data = sealed.path.read_bytes()
    assert data.startswith(source.read_bytes())
    with pikepdf.open(sealed.path, attempt_recovery=False) as pdf:
        assert pdf.get_warnings() == []


def test_hybrid_file_as_word_processors_write_it(
    desk: "Desk", papers: "Papers", judges: "Judges", signatory: "Signatory", tmp_path: Path
) -> None:
    sealed = desk.seal(papers.hybrid(), tmp_path / "sealed.pdf", signatory)
    # PyHanko validates no hybrid file.
    assert judges.pdfsig(sealed.path) == []
    assert judges.openssl(sealed.path, signatory.root) == ""
    with pikepdf.open(sealed.path, attempt_recovery=False) as pdf:
        assert str(pdf.Root.Lang) == "en-GB"


@pytest.mark.parametrize(("standard", "blended"), [("a-1b", False), ("a-2b", True), ("a-3b", True), (None, True)])
def test_pdfa_keeps_to_the_colours_and_blending_of_its_part(
    desk: "Desk",
    papers: "Papers",
    judges: "Judges",
    p256: "Signatory",
    tmp_path: Path,
    standard: str | None,
    blended: bool,
) -> None:
    sealed = desk.seal(papers.typst(standard), tmp_path / "sealed.pdf", p256)
    assert_accepted(judges, sealed.path, p256.root)
    source = (tmp_path / "typst.pdf").read_bytes()
    assert not source.endswith(b"\n")
    appended = sealed.path.read_bytes()[len(source) :]
    assert appended.startswith(b"\n")
    assert (b"/Multiply" in appended) is blended
    # PDF/A of typst carries an RGB output intent; without one, red must go by a profile of its own.
    assert (b"/ICCBased" in appended) is (standard is None)
    assert b"/Group" not in appended


def test_seam_over_three_pages_with_a_second_seal(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    places = {"spots": (desk.at(3), desk.at(1)), "seam": desk.slices(3)}
    sealed = desk.seal(papers.typst(), tmp_path / "sealed.pdf", p256, **places)
    assert_accepted(judges, sealed.path, p256.root)
    with pikepdf.open(sealed.path) as pdf:
        kinds = [[str(each.Subtype) for each in page.obj.Annots] for page in pdf.pages]
        assert kinds == [["/Stamp", "/Stamp"], ["/Stamp"], ["/Widget", "/Stamp"]]
        forms = {each.AP.N.objgen for page in pdf.pages for each in page.obj.Annots if each.AP.N.BBox[2] > 119}
        parts = [each.AP.N for page in pdf.pages for each in page.obj.Annots if "/XObject" in each.AP.N.Resources]
        # One drawing only: the two whole seals are that form, the three slices draw it.
        drawing = pdf.pages[2].obj.Annots[0].AP.N.objgen
        assert drawing in forms
        assert {part.Resources.XObject.Face.objgen for part in parts} == {drawing}
        assert [float(part.BBox[0]) for part in parts] == pytest.approx([0, 39.685, 79.37], abs=0.001)
        for page in pdf.pages:
            assert all(each.F == 4 | 64 | 128 | 512 for each in page.obj.Annots if each.Subtype == Name.Stamp)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_turned_page_with_a_crop_box(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path, rotation: int
) -> None:
    pdf = desk.blank()
    pdf.pages[0].obj.Rotate = rotation
    pdf.pages[0].obj.CropBox = Array([50, 60, 500, 700])
    source = papers.write(pdf, "turned.pdf")
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256, spots=(desk.at(rotation=rotation),))
    assert_accepted(judges, sealed.path, p256.root)


@pytest.mark.parametrize("streams", [False, True])
def test_existing_empty_field_is_filled(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path, streams: bool
) -> None:
    source = papers.with_field(streams=streams)
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256, field="Box")
    assert_accepted(judges, sealed.path, p256.root)
    with pikepdf.open(sealed.path) as pdf:
        form = pdf.Root.AcroForm
        assert [str(each.T) for each in form.Fields] == ["Box"]
        assert form.SigFlags == 3
        assert str(form.DA) == "/Helv 0 Tf 0 g"
        (widget,) = pdf.pages[0].obj.Annots
        assert [float(each) for each in widget.Rect] == [200, 200, 400, 350]
        assert [float(each) for each in widget.AP.N.BBox] == [0, 0, 200, 150]
        assert widget.AP.N.read_bytes() == b"q 1 0 0 1 40.4725 15.4725 cm /Face Do Q"


def test_not_final_leaves_the_file_open_for_more(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", rsa3072: "Signatory", tmp_path: Path
) -> None:
    first = desk.seal(papers.streams(), tmp_path / "first.pdf", p256, final=False)
    assert judges.pdfsig(first.path) == []
    second = desk.seal(first.path, tmp_path / "second.pdf", rsa3072, spots=(desk.at(2),))
    assert judges.pdfsig(second.path, signatures=2) == []
    earlier, later = judges.pyhanko(second.path, p256.root, rsa3072.root)
    assert earlier.bottom_line
    assert earlier.modification_level == ModificationLevel.FORM_FILLING
    assert later.bottom_line
    assert later.coverage == SignatureCoverageLevel.ENTIRE_FILE


@pytest.mark.parametrize("kind", ["classic", "streams"])
def test_three_seals_one_after_the_other(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path, kind: str
) -> None:
    path = getattr(papers, kind)(3)
    for count in (1, 2, 3):
        target = tmp_path / f"seal-{count}.pdf"
        desk.seal(path, target, p256, final=count == 3, spots=(desk.at(count),))
        path = target
    assert judges.pdfsig(path, signatures=3) == []
    assert all(status.bottom_line for status in judges.pyhanko(path, p256.root))
    with pikepdf.open(path) as pdf:
        assert [str(each.T) for each in pdf.Root.AcroForm.Fields] == ["YinxinSeal1", "YinxinSeal2", "YinxinSeal3"]


def test_objects_of_a_later_generation_keep_it(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    source = papers.classic(1)
    data = source.read_bytes()
    with pikepdf.open(source) as pdf:
        page = pdf.pages[0].obj.objgen[0]
    data = data.replace(b"%d 0 obj" % page, b"%d 7 obj" % page).replace(b"%d 0 R" % page, b"%d 7 R" % page)
    table = data.index(b"xref\n")
    entry = data.index(b"\n", table + 5) + 1 + 20 * page
    data = data[: entry + 11] + b"00007" + data[entry + 16 :]
    source.write_bytes(data)
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256)
    # PyHanko wants to see the history of each generation, which this file has lost.
    assert judges.pdfsig(sealed.path) == []
    assert judges.openssl(sealed.path, p256.root) == ""
    assert b"\n%d 7 obj\n" % page in sealed.path.read_bytes()[len(data) :]
