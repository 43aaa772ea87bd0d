"""What a reader sees, in pixels: upright, transparent, in the asked colour, sliced at the edge."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, String
from PIL import Image

from signer import appearance
from signer.placement import Spot

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Papers, Signatory

ROOT = Path(__file__).resolve().parents[3]
RED = (255, 0, 0)


def shown(path: Path, page: int = 1) -> Image.Image:
    """The page at one pixel a point, widgets and stamps included."""
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    picture = document[page - 1].render(scale=1).to_pil().convert("RGB")
    document.close()
    return picture


def is_red(pixel: tuple[int, ...]) -> bool:
    return pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60


def black_page(desk: "Desk", papers: "Papers", rotation: int = 0) -> Path:
    """A page whose lower half is black, turned by ``rotation``."""
    pdf: Pdf = desk.blank()
    pdf.pages[0].obj.Contents = pdf.make_stream(b"0 g 0 0 595 300 re f")
    pdf.pages[0].obj.Rotate = rotation
    return papers.write(pdf, "black.pdf")


def test_text_shows_through_the_seal(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    sealed = desk.seal(black_page(desk, papers), tmp_path / "sealed.pdf", p256)
    picture = shown(sealed.path)
    edge = desk.face.diameter / 2 - 1.5
    assert is_red(picture.getpixel((300, round(842 - 300 - edge))))
    assert max(picture.getpixel((300, round(842 - 300 + edge)))) < 60
    # Beside the figures the seal is empty, and white stays white.
    assert min(picture.getpixel((round(300 - edge + 6), (842 - 350)))) > 240


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_seal_stands_upright_on_a_turned_page(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path, rotation: int
) -> None:
    pdf: Pdf = desk.blank()
    pdf.pages[0].obj.Contents = pdf.make_stream(b"")
    pdf.pages[0].obj.Rotate = rotation
    source = papers.write(pdf, "turned.pdf")
    spot = desk.at(centre=(300, 400), rotation=rotation)
    sealed = desk.seal(source, tmp_path / "sealed.pdf", p256, spots=(spot,))
    picture = shown(sealed.path)
    x, y = {0: (300, 442), 90: (400, 300), 180: (295, 400), 270: (442, 295)}[rotation]
    half = desk.face.diameter / 2
    left, top = round(x - half), round(y - half)
    # The wedge of the hand-drawn face has its base below and its point above; the bar is at the left.
    assert is_red(picture.getpixel((left + 92, top + 94)))
    assert not is_red(picture.getpixel((left + 92, top + 25)))
    assert is_red(picture.getpixel((left + 13, top + 59)))
    assert not is_red(picture.getpixel((left + 106, top + 59)))


def test_slices_of_a_seam_add_up_to_the_face(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    sealed = desk.seal(papers.classic(3), tmp_path / "sealed.pdf", p256, seam=desk.slices(3))
    width, top = 40, 842 - 360 - 119
    whole = Image.new("RGB", (3 * width, 119), "white")
    for page in (1, 2, 3):
        part = shown(sealed.path, page).crop((595 - width, top, 595, top + 119))
        whole.paste(part, ((page - 1) * width, 0))
    assert is_red(whole.getpixel((1, 60)))
    assert is_red(whole.getpixel((118, 60)))
    assert is_red(whole.getpixel((60, 80)))
    assert not is_red(whole.getpixel((25, 20)))


def test_half_a_seal_shows_nothing_outside_its_half(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    size = desk.face.diameter
    half = Spot(page_index=0, x=400, y=400, width=size / 2, height=size, rotation=0, clip=(0.5, 1.0))
    sealed = desk.seal(papers.classic(1), tmp_path / "sealed.pdf", p256, spots=(desk.at(), half))
    picture = shown(sealed.path)
    row = [is_red(picture.getpixel((x, 842 - 460))) for x in range(390, 475)]
    assert not any(row[:10])
    assert any(row[10:70])
    assert not any(row[72:])


def test_a_field_on_a_turned_page_shows_the_seal_in_its_middle(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    pdf: Pdf = desk.blank()
    page = pdf.pages[0].obj
    page.Rotate, page.Contents = 90, pdf.make_stream(b"")
    entries = {"Type": Name.Annot, "Subtype": Name.Widget, "FT": Name.Sig, "T": String("Box"), "P": page}
    field = pdf.make_indirect(Dictionary(**entries, Rect=Array([200, 300, 340, 500])))
    page.Annots, pdf.Root.AcroForm = Array([field]), Dictionary(Fields=Array([field]))
    sealed = desk.seal(papers.write(pdf, "field.pdf"), tmp_path / "sealed.pdf", p256, field="Box")
    picture = shown(sealed.path)
    left, top = round(400 - desk.face.diameter / 2), round(270 - desk.face.diameter / 2)
    assert is_red(picture.getpixel((left + 13, top + 59)))
    assert is_red(picture.getpixel((left + 92, top + 94)))
    assert not is_red(picture.getpixel((left + 92, top + 25)))


def test_red_is_pure_with_and_without_an_output_intent(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    for standard in ("a-2b", None):
        target = tmp_path / f"{standard}.pdf"
        desk.seal(papers.typst(standard), target, p256, spots=(desk.at(2, (300, 200)),))
        pixel = shown(target, 2).getpixel((300, (842 - 200 - 58)))
        assert all(abs(found - wanted) <= 2 for found, wanted in zip(pixel, RED, strict=True))


def test_a_grey_output_intent_gets_a_profile(desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path) -> None:
    pdf: Pdf = desk.blank()
    grey = pdf.make_stream(b"profile", N=1)
    intent = Dictionary(Type=Name.OutputIntent, S=Name.GTS_PDFA1, DestOutputProfile=grey)
    pdf.Root.OutputIntents = Array([intent])
    desk.seal(papers.write(pdf, "grey.pdf"), tmp_path / "sealed.pdf", p256)
    with pikepdf.open(tmp_path / "sealed.pdf") as sealed:
        resources = sealed.pages[0].obj.Annots[0].AP.N.Resources
        kind, profile = resources.ColorSpace.Srgb
        assert kind == Name.ICCBased
        assert profile.N == 3
        assert profile.read_bytes() == (ROOT / "signer" / "data" / "srgb.icc").read_bytes()


def test_pdfa_2_without_an_output_intent_is_not_blended(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    with pikepdf.open(papers.typst("a-2b")) as pdf:
        del pdf.Root.OutputIntents
        desk.prepare(papers.write(pdf, "plain.pdf"), tmp_path / "sealed.pdf")
    assert b"/Multiply" not in (tmp_path / "sealed.pdf").read_bytes()


def test_the_profile_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("build_icc", ROOT / "scripts" / "build_icc.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (ROOT / "signer" / "data" / "srgb.icc").read_bytes() == script.profile()


def test_the_face_is_compressed_once_for_many_seals(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    desk.seal(papers.classic(), tmp_path / "first.pdf", p256)
    before = appearance._deflated.cache_info().misses
    desk.seal(papers.classic(), tmp_path / "second.pdf", p256)
    assert appearance._deflated.cache_info().misses == before
