"""Previews of pages: the shown place of the seal is the real one, on turned and cropped pages too."""

import ctypes
import io
from base64 import b64decode
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import typst
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image, ImageChops
from pypdfium2 import raw

from signer.desk import prepare_document, preview_document
from signer.errors import DocumentRejectedError, PlacementError
from signer.glyphs import FOLDER
from signer.page_preview import MOST_PAGES, pack

FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FOLDER)])
SPECIMEN = {"name": "赣州市行政审批局行政审批专用章（12）", "number": 12, "diameter_mm": "42", "sample": True}
KEYWORD = {"kind": "keyword", "text": "（盖章）"}
MIDDLE = {"kind": "position", "page": 1, "x_mm": "60", "y_mm": "121.5"}
NEAR = 0.002  # of the page: less than a pixel of a picture at 110 dpi
PAGE = """
#set page(paper: "a4", margin: 28mm)
#set text(font: "Noto Serif SC", size: 16pt, lang: "zh")
#align(center, text(size: 22pt, weight: "bold")[准予行政许可决定书])
兴国县某某燃气有限公司：经审查，你单位提交的燃气经营许可证变更申请符合法定条件，现决定准予变更。
#v(60mm)
#align(right)[兴国县行政审批局（盖章）#h(2em) \\ 2026年11月23日#h(2em)]
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document.pdf"
    path.write_bytes(typst.compile((PAGE + "#pagebreak()\n附件" * 2).encode(), font_paths=FONTS))
    return path


def turned(path: Path, *, rotate: int, crop: tuple[float, ...] | None = None) -> Path:
    """The document with its first page turned and cropped."""
    with Pdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Rotate = rotate
        if crop:
            pdf.pages[0].obj.CropBox = Array(crop)
        pdf.save(path)
    return path


def sealed(path: Path, placement: dict, **more: object) -> tuple[Path, dict]:
    """The document with an empty seal, as the sealing code prepares it."""
    target = path.with_name("prepared.pdf")
    answer = prepare_document(
        source=str(path),
        target=str(target),
        tolerated_fonts=[],
        allowed_attachments=[],
        placement=placement,
        specimen=SPECIMEN,
        final=True,
        signature={"name": SPECIMEN["name"], "reason": "", "location": ""},
        now="2026-11-23T09:00:00Z",
        **more,
    )
    assert answer["objections"] == []
    return target, answer


def widget_parts(path: Path, page: int) -> tuple[float, float, float, float]:
    """Where PDFium shows the seal's widget: its own reading of boxes and rotation."""
    with Pdf.open(path) as pdf:
        found = [each for each in pdf.pages[page - 1].Annots if each.get("/FT") == Name.Sig]
        (rect,) = [[float(value) for value in each.Rect] for each in found]
    document = pypdfium2.PdfDocument(path)
    shown, ends = document[page - 1], []
    for x, y in (rect[:2], rect[2:]):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(shown.raw, 0, 0, 1_000_000, 1_000_000, 0, x, y, across, down)
        ends.append((across.value / 1e6, down.value / 1e6))
    document.close()
    (x1, y1), (x2, y2) = ends
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def parts(seal: dict) -> tuple[float, float, float, float]:
    return seal["x"], seal["y"], seal["x"] + seal["width"], seal["y"] + seal["height"]


def picture(page: dict) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(page["picture"]))).convert("RGB")


def red_parts(page: dict) -> tuple[float, float, float, float]:
    """The box around everything red in a picture, in parts of it."""
    shown = picture(page)
    red, green, _ = shown.split()
    box = ImageChops.subtract(red, green).point(lambda value: 255 if value > 100 else 0).getbbox()
    assert box is not None
    width, height = shown.size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


@pytest.mark.parametrize("crop", [None, (40, 60, 560, 800)])
@pytest.mark.parametrize(
    ("placement", "rotate"),
    [(KEYWORD, 0), *((MIDDLE, rotate) for rotate in (0, 90, 180, 270))],  # the keyword's line is read upright only
)
def test_the_seal_stands_where_it_was_shown(document, rotate, crop, placement) -> None:
    path = turned(document, rotate=rotate, crop=crop)
    before = preview_document(source=str(path), dpi=110, placement=placement, specimen=SPECIMEN)
    (seal,) = before["seals"]
    target, _ = sealed(path, placement)
    assert seal["page"] == 1
    assert parts(seal) == pytest.approx(widget_parts(target, 1), abs=1e-5)
    after = preview_document(source=str(target), pages=[1], dpi=110)["pages"][0]
    assert red_parts(after) == pytest.approx(parts(seal), abs=NEAR)
    first = before["pages"][0]
    assert first["pixels"] == list(picture(first).size)
    assert first["pixels"][0] / first["pixels"][1] == pytest.approx(first["width_mm"] / first["height_mm"], rel=2e-3)
    assert (first["width_mm"] > first["height_mm"]) == (rotate in {90, 270})
    assert seal["left_mm"] / first["width_mm"] == pytest.approx(seal["x"], abs=1e-4)
    assert seal["width_mm"] == pytest.approx(42, abs=0.02)


def test_seam_and_check_mark_are_shown_where_they_stand(document) -> None:
    placement = KEYWORD | {"seam": True}
    mark = {"form": "qr", "code": "ABCD-EFGH", "url": "https://seal.example/c/ABCD-EFGH", "number": "2026-1"}
    shown = preview_document(source=str(document), placement=placement, specimen=SPECIMEN, check_mark=mark)
    assert [(each["kind"], each["page"]) for each in shown["seals"]] == [
        ("seal", 1), ("seam", 1), ("seam", 2), ("seam", 3), ("check_mark", 1),
    ]  # fmt: skip
    assert [each["clip"] for each in shown["seals"] if each["kind"] == "seam"][1] == [1 / 3, 2 / 3]
    target, answer = sealed(document, placement, check_mark=mark)
    told, stands = shown["seals"][-1], answer["check_mark"]
    assert (f"{told['left_mm']:.1f}", f"{told['top_mm']:.1f}") == (stands["x_mm"], stands["y_mm"])
    after = preview_document(source=str(target), pages=[2], dpi=110)["pages"][0]
    assert red_parts(after)[2] == pytest.approx(1, abs=NEAR)
    middle = next(each for each in shown["seals"] if each["kind"] == "seam" and each["page"] == 2)
    assert red_parts(after)[1] == pytest.approx(parts(middle)[1], abs=0.02)


def with_field(path: Path, rect: list[float], rotate: int = 0) -> Path:
    with Pdf.open(path, allow_overwriting_input=True) as pdf:
        field = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T="Seal", Rect=Array(rect), F=4)
        )
        pdf.pages[0].obj.Annots = Array([field])
        pdf.pages[0].obj.Rotate = rotate
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array([field]), SigFlags=3))
        pdf.save(path)
    return path


@pytest.mark.parametrize("rotate", [0, 90])
def test_a_seal_in_a_field_is_shown_in_its_middle(document, rotate) -> None:
    path = with_field(document, [200, 300, 420, 440], rotate)
    placement = {"kind": "field", "name": "Seal"}
    (seal,) = preview_document(source=str(path), placement=placement, specimen=SPECIMEN)["seals"]
    target, _ = sealed(path, placement)
    after = preview_document(source=str(target), pages=[1], dpi=110)["pages"][0]
    assert red_parts(after) == pytest.approx(parts(seal), abs=NEAR)


@pytest.mark.parametrize(
    ("placement", "code"),
    [
        ({"kind": "keyword", "text": "（签章）"}, "keyword-not-found"),
        ({"kind": "position", "page": 9, "x_mm": "60", "y_mm": "60"}, "page-out-of-range"),
        ({"kind": "position", "page": 1, "x_mm": "5", "y_mm": "60"}, "box-off-page"),
        ({"kind": "corner"}, "placement-malformed"),
        ({"kind": "field", "name": "Seal"}, "field-too-small"),
        ({"kind": "field", "name": "Other"}, "field-not-found"),
    ],
)
def test_a_place_that_cannot_be_is_refused_as_when_sealing(document, placement, code) -> None:
    path = with_field(document, [300, 300, 400, 340])
    with pytest.raises(PlacementError) as told:
        preview_document(source=str(path), placement=placement, specimen=SPECIMEN)
    assert told.value.code == code
    with pytest.raises(PlacementError) as refused:
        sealed(path, placement)
    assert refused.value.code == code


def test_a_seam_on_a_signed_file_is_refused(document) -> None:
    target, _ = sealed(document, KEYWORD)
    with pytest.raises(PlacementError, match="已有签名"):
        preview_document(source=str(target), placement=KEYWORD | {"seam": True}, specimen=SPECIMEN)


def test_what_is_no_pdf_is_refused(tmp_path) -> None:
    path = tmp_path / "no.pdf"
    path.write_bytes(b"%PDF-1.7\nnothing else")
    with pytest.raises(DocumentRejectedError) as told:
        preview_document(source=str(path))
    assert told.value.code == "text-unreadable"


def many(tmp_path: Path, count: int, size: tuple[float, float] = (595, 842)) -> Path:
    pdf = Pdf.new()
    for _ in range(count):
        pdf.add_blank_page(page_size=size)
    path = tmp_path / "many.pdf"
    pdf.save(path)
    return path


def test_at_most_twelve_pages_and_the_one_with_the_seal_among_them(tmp_path) -> None:
    path = many(tmp_path, 30)
    place = {"kind": "position", "page": 30, "x_mm": "100", "y_mm": "100"}
    shown = preview_document(source=str(path), dpi=36, placement=place, specimen=SPECIMEN)
    assert shown["page_count"] == 30
    assert [each["number"] for each in shown["pages"]] == [*range(1, MOST_PAGES), 30]
    asked = preview_document(source=str(path), dpi=36, pages=[29, 3, 3])
    assert [each["number"] for each in asked["pages"]] == [3, 29]
    assert asked["seals"] == []
    assert asked["face"] is None
    with pytest.raises(PlacementError, match="共30页"):
        preview_document(source=str(path), pages=[31])


def test_resolution_and_size_are_bounded(tmp_path) -> None:
    coarse, fine = (preview_document(source=str(many(tmp_path, 1)), dpi=dpi)["pages"][0] for dpi in (1, 4000))
    assert coarse["pixels"] == [298, 421]
    assert fine["pixels"] == [1240, 1755]
    vast = preview_document(source=str(many(tmp_path, 1, (14_400, 14_400))), dpi=110)["pages"][0]
    assert vast["width_mm"] == 5080
    assert 3_900_000 < vast["pixels"][0] * vast["pixels"][1] < 4_020_000


def test_a_page_in_larger_units_has_its_real_size(tmp_path) -> None:
    path = many(tmp_path, 1, (297.5, 421))
    with Pdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.UserUnit = 2
        pdf.save(path)
    place = {"kind": "position", "page": 1, "x_mm": "100", "y_mm": "100"}
    shown = preview_document(source=str(path), dpi=72, placement=place, specimen=SPECIMEN)
    page, (seal,) = shown["pages"][0], shown["seals"]
    assert page["width_mm"] == pytest.approx(209.9, abs=0.1)
    assert page["pixels"] == [595, 842]
    assert seal["width"] * page["width_mm"] == pytest.approx(42, abs=0.02)


def test_the_face_is_the_one_that_is_sealed(document) -> None:
    shown = preview_document(source=str(document), pages=[1], placement=KEYWORD, specimen=SPECIMEN)
    assert shown["face"]["svg"].startswith("<svg ")
    assert shown["face"]["diameter_mm"] == "42"


def test_the_pictures_are_of_exactly_these_bytes(document) -> None:
    kept = document.read_bytes()
    first = preview_document(source=str(document), dpi=110)
    document.write_bytes(typst.compile(PAGE.replace("准予变更", "不予变更").encode(), font_paths=FONTS))
    other = preview_document(source=str(document), dpi=110)
    assert first["pages"][0]["picture"] != other["pages"][0]["picture"]
    document.write_bytes(kept)
    assert preview_document(source=str(document), dpi=110) == first


def test_grey_pages_lose_nothing_and_photographs_become_jpeg() -> None:
    grey = Image.effect_noise((200, 300), 90).convert("RGB")
    packed = pack(grey)
    assert packed.media_type == "image/png"
    assert ImageChops.difference(Image.open(io.BytesIO(packed.data)).convert("RGB"), grey).getbbox() is None
    channels = [Image.effect_noise((200, 300), 90) for _ in range(3)]
    assert pack(Image.merge("RGB", channels)).media_type == "image/jpeg"


def test_a_red_heading_stays_sharp() -> None:
    drawn = Image.new("RGB", (256, 256), "white")
    for column in range(256):  # every shade between red and white, as at the edges of red letters
        drawn.paste((255, column, column), (column, 0, column + 1, 128))
        drawn.paste((column, column, column), (column, 128, column + 1, 256))
    packed = pack(drawn)
    assert packed.media_type == "image/png"
    again = Image.open(io.BytesIO(packed.data)).convert("RGB")
    worst = max(high for _, high in ImageChops.difference(again, drawn).getextrema())
    assert 0 < worst <= 24


def test_fields_are_drawn(tmp_path) -> None:
    path = many(tmp_path, 1)
    empty = preview_document(source=str(path))["pages"][0]["picture"]
    with Pdf.open(path, allow_overwriting_input=True) as pdf:
        form = pdf.make_stream(
            b"0 0 0 rg 0 0 100 100 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 100, 100]
        )
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T="S", Rect=[100, 100, 200, 200], F=4,
                AP=Dictionary(N=form),
            )
        )  # fmt: skip
        pdf.pages[0].obj.Annots = Array([field])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[field])
        pdf.save(path)
    shown = preview_document(source=str(path))["pages"][0]
    assert shown["picture"] != empty
    width, height = shown["pixels"]
    assert picture(shown).getpixel((int(width * 150 / 595), int(height * 692 / 842))) == (0, 0, 0)
