"""The check mark: what it shows once rendered, where it finds room, and what it refuses."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pypdfium2
import pytest
import segno
from pikepdf import Array, Dictionary, Name, Pdf
from PIL import Image

from signer.byte_layout import Layout
from signer.check_mark import QUIET_ZONE, CheckMark, drawings
from signer.desk import prepare_document
from signer.errors import MissingGlyphError, PlacementError, SignerError
from signer.seal_file import embed

if TYPE_CHECKING:
    from tests.signer.core.conftest import Desk, Judges, Papers, Signatory

URL = "https://yinxin.example.gov.cn/c/7K3M-9QXD-2F4T-8WZA"
MARK = {"form": "qr", "code": "7K3M-9QXD-2F4T-8WZA", "url": URL, "number": "赣审批准〔2026〕5号"}
EXPECTED = [list(row) for row in segno.make(URL, error="m", boost_error=False, micro=False).matrix]
CENTRE = {"kind": "position", "page": 1, "x_mm": 105, "y_mm": 150}


def prepare(source: Path, target: Path, **changes: object) -> dict[str, Any]:
    target.unlink(missing_ok=True)
    arguments: dict[str, Any] = {
        "source": str(source),
        "target": str(target),
        "tolerated_fonts": ["Helvetica"],
        "allowed_attachments": [],
        "placement": CENTRE,
        "specimen": {
            "name": "赣州市行政审批局行政审批专用章（12）", "number": 12, "diameter_mm": "42", "sample": True,
        },
        "final": True,
        "signature": {"name": "测试", "reason": "测试", "location": "测试"},
        "now": "2026-11-23T09:00:00+00:00",
        "check_mark": MARK,
    }  # fmt: skip
    return prepare_document(**arguments | changes)


def rendered(path: Path, number: int) -> tuple[Image.Image, float, float]:
    """The page at 110 dpi, and the pixels of a millimetre across and down: PDFium rounds the page up to whole ones."""
    with pypdfium2.PdfDocument(path) as document:
        page = document[number - 1]
        picture, size = page.render(scale=110 / 72).to_pil().convert("RGB"), page.get_size()
    return picture, picture.width / size[0] * 72 / 25.4, picture.height / size[1] * 72 / 25.4


def shown(path: Path, mark: dict[str, Any]) -> Image.Image:
    """The rendered mark, cut out at the place that was answered."""
    picture, across, down = rendered(path, mark["page"])
    left, top, width, height = (float(mark[key]) for key in ("x_mm", "y_mm", "width_mm", "height_mm"))
    box = left * across, top * down, (left + width) * across, (top + height) * down
    return picture.crop(tuple(round(edge) for edge in box))


def modules(path: Path, mark: dict[str, Any]) -> list[list[int]]:
    """The QR code's modules, each told from the pixel in its middle; the code stands at the left of the mark."""
    picture, across, down = rendered(path, mark["page"])
    left, top, middles = float(mark["x_mm"]), float(mark["y_mm"]), [(QUIET_ZONE + n + 0.5) / 2 for n in range(33)]
    grid = [[(int((left + x) * across), int((top + y) * down)) for x in middles] for y in middles]
    return [[int(picture.getpixel(at)[0] < 128) for at in row] for row in grid]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_qr_code_can_be_read_from_the_page_at_110_dpi(
    desk: "Desk", papers: "Papers", tmp_path: Path, rotation: int
) -> None:
    pdf = desk.blank()
    pdf.pages[0].obj.Rotate = rotation
    pdf.pages[0].obj.CropBox = Array([10, 10, 590, 840])
    answer = prepare(papers.write(pdf, "turned.pdf"), tmp_path / "out.pdf")
    mark = answer["check_mark"]
    assert (mark["form"], mark["page"], mark["height_mm"]) == ("qr", 1, "20.5")
    assert modules(tmp_path / "out.pdf", mark) == EXPECTED


def test_it_stands_in_the_seals_revision_as_a_stamp_in_black_that_nobody_can_move(
    papers: "Papers", judges: "Judges", desk: "Desk", p256: "Signatory", tmp_path: Path
) -> None:
    source, target = papers.typst("a-2b"), tmp_path / "out.pdf"
    answer = prepare(source, target, placement=CENTRE | {"page": 3})
    prepared = desk.measure(source, target, Layout.from_json(answer["layout"]), p256)
    embed(prepared, p256.sign(prepared.to_be_signed))
    assert judges.pdfsig(target) == []
    (status,) = judges.pyhanko(target, p256.root)
    assert status.bottom_line
    with pikepdf.open(target) as pdf:
        widget, stamp = pdf.pages[2].obj.Annots
        assert (widget.Subtype, stamp.Subtype) == (Name.Widget, Name.Stamp)
        assert int(stamp.F) == 4 | 64 | 128 | 512
        assert str(stamp.Contents).startswith("查验码 7K3M-9QXD-2F4T-8WZA\n网址 yinxin.example.gov.cn\n")
        form = stamp.AP.N
        assert form.read_bytes().startswith(b"0 0 0 rg q ")
        assert "/Font" not in form.Resources
    colours = {pixel for _, pixel in shown(target, answer["check_mark"]).getcolors(1 << 16)}
    assert (0, 0, 0) in colours
    assert all(max(pixel) - min(pixel) <= 2 for pixel in colours)


def test_without_an_rgb_output_intent_face_and_mark_share_one_profile(papers: "Papers", tmp_path: Path) -> None:
    prepare(papers.typst(None), tmp_path / "out.pdf", placement=CENTRE | {"page": 3})
    appended = (tmp_path / "out.pdf").read_bytes()[(tmp_path / "typst.pdf").stat().st_size :]
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        widget, stamp = pdf.pages[2].obj.Annots
        profiles = [each.AP.N.Resources.ColorSpace.Srgb[1].objgen for each in (widget, stamp)]
    assert profiles[0] == profiles[1]
    assert appended.count(b"/N 3") == 1


def test_a_code_alone_is_three_lines_of_words(papers: "Papers", tmp_path: Path) -> None:
    answer = prepare(papers.classic(), tmp_path / "out.pdf", check_mark=MARK | {"form": "code"})
    assert answer["check_mark"] == {
        "form": "code", "page": 1, "x_mm": "128.0", "y_mm": "145.5", "width_mm": "34.7", "height_mm": "9.0",
    }  # fmt: skip
    picture = shown(tmp_path / "out.pdf", answer["check_mark"]).convert("L")
    third = picture.height / 3
    for line in range(3):
        low, high = picture.crop((0, round(line * third), picture.width, round((line + 1) * third))).getextrema()
        assert low < 60
        assert high > 250


def page_with(desk: "Desk", papers: "Papers", content: bytes, **annotation: object) -> Path:
    pdf: Pdf = desk.blank(1)
    pdf.pages[0].contents_add(pdf.make_stream(content), prepend=True)
    if annotation:
        stated = Dictionary(Type=Name.Annot, Subtype=Name.Link, F=4, Border=Array([0, 0, 0]), **annotation)
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(stated)])
    return papers.write(pdf, "page.pdf")


# In millimetres from the top left, for a seal from 84 to 126 across and 129 to 171 down.
RIGHT, BELOW, LEFT, ABOVE = (127, 100, 205, 200), (60, 172, 205, 292), (5, 100, 83, 200), (60, 5, 205, 128)
BESIDE = (RIGHT, BELOW, LEFT, ABOVE)


def painted(*areas: tuple[float, float, float, float], grey: float = 0.5) -> bytes:
    unit = 72 / 25.4
    boxes = [
        b"%.1f %.1f %.1f %.1f re" % (left * unit, 842 - bottom * unit, (right - left) * unit, (bottom - top) * unit)
        for left, top, right, bottom in areas
    ]
    return b"%.2f g %s f" % (grey, b" ".join(boxes))


@pytest.mark.parametrize(
    ("covered", "inside"),
    [((), RIGHT), (BESIDE[:1], BELOW), (BESIDE[:2], LEFT), (BESIDE[:3], ABOVE)],
    ids=["right", "below", "left", "above"],
)
def test_the_first_blank_side_of_the_seal_is_taken(
    desk: "Desk",
    papers: "Papers",
    tmp_path: Path,
    covered: tuple[tuple[float, ...], ...],
    inside: tuple[float, ...],
) -> None:
    mark = prepare(page_with(desk, papers, painted(*covered)), tmp_path / "out.pdf")["check_mark"]
    left, top = float(mark["x_mm"]), float(mark["y_mm"])
    right, bottom = left + float(mark["width_mm"]), top + float(mark["height_mm"])
    assert mark["form"] == "qr"
    assert inside[0] <= left < right <= inside[2]
    assert inside[1] <= top < bottom <= inside[3]


def test_when_all_sides_are_taken_a_corner_is(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    page = page_with(desk, papers, painted((62, 12, 205, 292), (5, 40, 205, 292)))
    mark = prepare(page, tmp_path / "out.pdf")["check_mark"]
    assert (mark["form"], mark["x_mm"], mark["y_mm"]) == ("qr", "10.0", "10.0")


def test_where_no_qr_code_fits_the_words_do_and_where_nothing_fits_nothing_is_written(
    desk: "Desk", papers: "Papers", tmp_path: Path
) -> None:
    strip = page_with(desk, papers, painted((0, 24, 210, 297), (60, 0, 210, 297)))
    assert prepare(strip, tmp_path / "out.pdf")["check_mark"]["form"] == "code"
    full = page_with(desk, papers, painted((0, 0, 210, 297)))
    with pytest.raises(PlacementError) as caught:
        prepare(full, tmp_path / "other.pdf")
    assert caught.value.code == "no-room-for-check-mark"
    assert not (tmp_path / "other.pdf").exists()


def test_a_light_paper_colour_is_blank_and_a_thin_line_is_not(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    tinted = page_with(desk, papers, painted((0, 0, 210, 297), grey=0.93))
    straight = prepare(tinted, tmp_path / "out.pdf")["check_mark"]
    assert (straight["form"], straight["y_mm"]) == ("qr", "139.8")
    lined = page_with(desk, papers, b"0.3 w 350 417 m 595 417 l S")
    shifted = prepare(lined, tmp_path / "out.pdf")["check_mark"]
    assert shifted["y_mm"] != straight["y_mm"]


def test_an_annotation_without_ink_is_no_blank_place(desk: "Desk", papers: "Papers", tmp_path: Path) -> None:
    beside = Array([360, 300, 590, 550])
    mark = prepare(page_with(desk, papers, b"", Rect=beside), tmp_path / "out.pdf")["check_mark"]
    assert float(mark["y_mm"]) > 171


def test_it_keeps_clear_of_the_seam_seal(papers: "Papers", tmp_path: Path) -> None:
    place = {"kind": "position", "page": 1, "x_mm": 130, "y_mm": 150, "seam": True, "seam_y_mm": 150}
    mark = prepare(papers.classic(), tmp_path / "out.pdf", placement=place)["check_mark"]
    right, top = float(mark["x_mm"]) + float(mark["width_mm"]), float(mark["y_mm"])
    assert right <= 209.9 - 21
    assert top >= 171


def test_in_an_existing_field_it_stands_beside_the_field(papers: "Papers", tmp_path: Path) -> None:
    answer = prepare(papers.with_field(), tmp_path / "out.pdf", placement={"kind": "field", "name": "Box"})
    # The field's rectangle is from 70.6 to 141.1 mm across, from 173.6 to 226.5 down.
    assert float(answer["check_mark"]["y_mm"]) >= 226.5 or float(answer["check_mark"]["x_mm"]) >= 141.1


def test_a_file_that_is_signed_gets_no_mark(
    desk: "Desk", papers: "Papers", judges: "Judges", p256: "Signatory", tmp_path: Path
) -> None:
    first = desk.seal(papers.classic(), tmp_path / "first.pdf", p256, final=False)
    answer = prepare(first.path, tmp_path / "second.pdf", placement=CENTRE | {"page": 2})
    assert answer["check_mark"] is None
    prepared = desk.measure(first.path, tmp_path / "second.pdf", Layout.from_json(answer["layout"]), p256)
    embed(prepared, p256.sign(prepared.to_be_signed))
    assert judges.pdfsig(tmp_path / "second.pdf", signatures=2) == []


def test_a_marked_file_can_be_sealed_once_more(
    desk: "Desk", papers: "Papers", p256: "Signatory", tmp_path: Path
) -> None:
    source, target = papers.classic(), tmp_path / "first.pdf"
    answer = prepare(source, target, final=False)
    prepared = desk.measure(source, target, Layout.from_json(answer["layout"]), p256)
    embed(prepared, p256.sign(prepared.to_be_signed))
    again = prepare(target, tmp_path / "second.pdf", placement=CENTRE | {"page": 2})
    assert again["objections"] == []
    assert again["layout"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": "barcode"},
        {"code": ""},
        {"number": "1\n2"},
        {"url": "no address"},
        {"url": "https://[x"},
        {"more": "x"},
    ],
    ids=["form", "empty", "line-break", "no-host", "bad-host", "unknown"],
)
def test_a_malformed_mark_is_refused(papers: "Papers", tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(SignerError) as caught:
        prepare(papers.classic(), tmp_path / "out.pdf", check_mark=MARK | wrong)
    assert caught.value.code == "check-mark-malformed"


def test_what_cannot_be_drawn_is_refused(papers: "Papers", tmp_path: Path) -> None:
    with pytest.raises(MissingGlyphError):
        prepare(papers.classic(), tmp_path / "out.pdf", check_mark=MARK | {"number": "编号\U0001f600"})
    with pytest.raises(SignerError) as caught:
        prepare(papers.classic(), tmp_path / "out.pdf", check_mark=MARK | {"url": URL + "x" * 100})
    assert caught.value.code == "check-address-too-long"


def test_long_words_are_broken_and_the_code_stays_small() -> None:
    mark = CheckMark(
        form="qr", code=MARK["code"], url=URL, number="赣州市行政审批局准予行政许可决定书〔2026〕第100000005号"
    )
    wide, tall, words = drawings(mark)
    assert (wide.form, tall.form, words.form) == ("qr", "qr", "code")
    assert wide.width_mm < 50
    assert tall.width_mm < 28
    assert words.width_mm < 35
    assert words.height_mm == pytest.approx(12)
