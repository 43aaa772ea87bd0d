"""From a placement to spots on real pages, checked by rendering the stamped page."""

import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from signer.errors import DocumentRejectedError, PlacementError
from signer.face import Face, draw
from signer.page import page_geometries
from signer.placement import At, AtDateLine, AtField, AtKeyword, Placement, Spot, seam_slices
from signer.specimen import Specimen
from signer.text import locate, page_texts

Compile = Callable[[str], Path]
Attributes = dict[str, Any]

FACE = draw(Specimen(name="赣州市行政审批局行政审批专用章（12）", number=12))
LETTER = r"""
= 决定书
经审查，准予登记。

#v(4cm)
#closing[#text(fill: rgb("#00f"))[赣 州 市 行 政 审 批 局]（盖章）\
#text(fill: rgb("#0c0"))[２０２６年１１月２３日]]
"""
# Ways in which a page can be turned, cut and scaled.
ATTRIBUTES: list[Attributes] = [
    {},
    {"/Rotate": 90},
    {"/Rotate": 180},
    {"/Rotate": 270},
    {"/Rotate": -90},
    {"/CropBox": [30, 40, 560, 800]},
    {"/CropBox": [40, 30, 800, 560], "/Rotate": 90},
    {"/CropBox": [40, 30, 800, 560], "/Rotate": 270},
    {"/CropBox": [-100, -100, 900, 900], "/Rotate": 180},
    {"/UserUnit": 1.5, "/Rotate": 90},
]


# What must be put before content for an upright A4 page, so that it is upright after /Rotate.
COUNTER_TURNS = {
    0: b"1 0 0 1 0 0 cm",
    90: b"0 1 -1 0 841.89 0 cm",
    180: b"-1 0 0 -1 595.276 841.89 cm",
    270: b"0 -1 1 0 0 595.276 cm",
}


def turn(path: Path, attributes: Attributes) -> Path:
    """The document with other page attributes, its content as upright as before; /Rotate is inherited."""
    target, rotate = path.with_name("turned.pdf"), attributes.get("/Rotate", 0) % 360
    with pikepdf.open(path) as pdf:
        for page in pdf.pages:
            page.contents_add(b"q " + COUNTER_TURNS[rotate], prepend=True)
            page.contents_add(b"Q", prepend=False)
            page.mediabox = [0, 0, 841.89, 595.276] if rotate % 180 else [0, 0, 595.276, 841.89]
            for key in attributes.keys() & {"/CropBox", "/UserUnit"}:
                page.obj[key] = pikepdf.Array(attributes[key]) if key == "/CropBox" else attributes[key]
        pdf.Root.Pages.Rotate = attributes.get("/Rotate", 0)
        pdf.save(target)
    return target


def stamp(path: Path, face: Face, spots: list[Spot]) -> Path:
    """The document with ``face`` at ``spots`` as stamp annotations, written without the code under test."""
    target = path.with_name("stamped.pdf")
    turns = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    with pikepdf.open(path) as pdf:
        for spot in spots:
            form = pdf.make_stream(
                b"1 0 0 rg " + face.operators,
                Type=pikepdf.Name.XObject,
                Subtype=pikepdf.Name.Form,
                BBox=[spot.clip[0] * face.diameter, 0, spot.clip[1] * face.diameter, face.diameter],
                Matrix=[*turns[spot.rotation], 0, 0],
            )
            annotation = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Stamp,
                Rect=[spot.x, spot.y, spot.x + spot.width, spot.y + spot.height],
                F=4,
                AP=pikepdf.Dictionary(N=form),
            )
            page = pdf.pages[spot.page_index].obj
            page.Annots = pikepdf.Array([*page.get("/Annots", ()), pdf.make_indirect(annotation)])
        pdf.save(target)
    return target


def look(path: Path, page: int = 0) -> Image.Image:
    """The page as a reader sees it, turned and cropped."""
    with pypdfium2.PdfDocument(path) as document:
        return document[page].render(scale=2).to_pil().convert("RGB")


def coloured(picture: Image.Image, channel: int) -> tuple[float, float, float, float]:
    """The box around everything that is strongly red (0), green (1) or blue (2), as shares of the picture."""
    mask = Image.new("1", picture.size, 1)
    for index, band in enumerate(picture.split()):
        wanted = band.point(lambda value, strong=index == channel: 255 if (value > 150) == strong else 0)
        mask = ImageChops.logical_and(mask, wanted.convert("1"))
    box = mask.getbbox()
    assert box is not None, "nothing of that colour"
    width, height = picture.size
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def shown(path: Path, spots: list[Spot], page: int = 0) -> tuple[float, float, float, float]:
    """The box of the red seal on the displayed page, in millimetres from its top left."""
    geometry = page_geometries(path)[page]
    left, top, right, bottom = coloured(look(stamp(path, FACE, spots), page), 0)
    return (
        left * geometry.width_mm,
        top * geometry.height_mm,
        right * geometry.width_mm,
        bottom * geometry.height_mm,
    )


def refusal(path: Path, placement: Placement) -> PlacementError:
    with pytest.raises(PlacementError) as caught:
        locate(path, placement, FACE.diameter)
    return caught.value


CENTRE = At(page=1, x_mm=Decimal(60), y_mm=Decimal(120))


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_a_seal_at_millimetres_is_seen_there(compiled: Compile, attributes: Attributes) -> None:
    path = turn(compiled(""), attributes)
    assert shown(path, locate(path, CENTRE, FACE.diameter)) == pytest.approx((39, 99, 81, 141), abs=0.4)


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_the_seal_stands_upright(compiled: Compile, attributes: Attributes) -> None:
    """Without 样章 only the side of the title has ink between star and name."""
    path = turn(compiled(""), attributes)
    geometry, picture = page_geometries(path)[0], look(stamp(path, FACE, locate(path, CENTRE, FACE.diameter)))
    scale = picture.width / geometry.width_mm
    sides = {"below": (0, 10), "above": (0, -10), "left": (-10, 0), "right": (10, 0)}
    inked = {
        side
        for side, (x, y) in sides.items()
        if ImageChops.invert(
            picture.getchannel("G").crop(tuple(round(edge * scale) for edge in (59 + x, 119 + y, 61 + x, 121 + y)))
        ).getextrema()[1]
        > 127
    }
    assert inked == {"below"}


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_a_keyword_is_found_where_it_is_seen(compiled: Compile, attributes: Attributes) -> None:
    source = '#set page(numbering: none)\n#v(9cm) #h(6cm) #text(fill: rgb("#00f"))[章盖章章]'
    path = turn(compiled(source), attributes)
    geometry = page_geometries(path)[0]
    left, top, right, bottom = coloured(look(path), 2)
    (spot,) = locate(path, AtKeyword(text="章盖章章"), 60)
    x_mm, y_mm = geometry.to_display(spot.x + spot.width / 2, spot.y + spot.height / 2)
    assert x_mm == pytest.approx((left + right) / 2 * geometry.width_mm, abs=0.8)
    assert y_mm == pytest.approx((top + bottom) / 2 * geometry.height_mm, abs=0.8)


def test_a_keyword_with_spaces_and_other_brackets_is_the_same(compiled: Compile) -> None:
    path = compiled(LETTER + "\n\n( 盖 章 处 )")
    assert locate(path, AtKeyword(text="（盖章处）"), 60) == locate(path, AtKeyword(text="(盖章处)"), 60)


def test_a_keyword_that_is_not_there(compiled: Compile) -> None:
    error = refusal(compiled(LETTER), AtKeyword(text="（签字）"))
    assert error.code == "keyword-not-found"
    assert "（签字）" in error.zh
    assert "0" in error.en


def test_a_keyword_of_nothing_but_spaces_is_nowhere(compiled: Compile) -> None:
    assert refusal(compiled(LETTER), AtKeyword(text="　 ")).code == "keyword-not-found"


def test_the_refusal_stays_short_for_many_places(compiled: Compile) -> None:
    error = refusal(compiled('#("章" * 300)'), AtKeyword(text="章"))
    assert error.code == "keyword-ambiguous"
    assert "300" in error.zh
    assert len(str(error)) < 400


def test_a_keyword_that_stands_twice_needs_an_occurrence(compiled: Compile) -> None:
    path = compiled("甲方（盖章）#h(1fr) 乙方（盖章） #pagebreak() 丙方（盖章）")
    error = refusal(path, AtKeyword(text="（盖章）"))
    assert error.code == "keyword-ambiguous"
    assert "第1、1、3页" not in error.zh
    assert "第1、1、2页" in error.zh
    first, second, third = (locate(path, AtKeyword(text="（盖章）", occurrence=nth), 30)[0] for nth in (1, 2, 3))
    assert first.page_index == second.page_index == 0
    assert third.page_index == 1
    assert first.x < second.x
    assert first.y == second.y
    assert locate(path, AtKeyword(text="（盖章）", page=2), 30) == [third]
    assert refusal(path, AtKeyword(text="（盖章）", page=2, occurrence=2)).code == "keyword-not-found"


@pytest.mark.parametrize("attributes", ATTRIBUTES)
def test_the_seal_rides_the_date(compiled: Compile, attributes: Attributes) -> None:
    path = turn(compiled(LETTER), attributes)
    geometry, plain = page_geometries(path)[0], look(path)
    left, top, right, bottom = shown(path, locate(path, AtDateLine(), FACE.diameter))
    date, name = coloured(plain, 1), coloured(plain, 2)
    date_y = (date[1] + date[3]) / 2 * geometry.height_mm
    middle_y, middle_x = (top + bottom) / 2, (left + right) / 2
    assert middle_x == pytest.approx((date[0] + date[2]) / 2 * geometry.width_mm, abs=2)
    assert middle_y < date_y < bottom  # the lower part is over the date
    assert top < name[1] * geometry.height_mm  # and the whole height of the issuer's name is under the seal
    assert name[0] * geometry.width_mm < middle_x < name[2] * geometry.width_mm
    assert date_y - middle_y < 0.2 * 42


def test_the_date_line_of_a_page_without_body_is_refused(compiled: Compile) -> None:
    source = "正文。 #pagebreak() （此页无正文） #closing[赣州市行政审批局\\ 2026年11月23日]"
    error = refusal(compiled(source), AtDateLine())
    assert error.code == "date-line-without-body"
    assert "第2页" in error.zh


def test_texts_read_before_spare_a_second_reading(compiled: Compile) -> None:
    path = compiled(LETTER)
    texts = page_texts(path)
    before = locate(path, AtDateLine(), FACE.diameter)
    compiled("全文已换")  # over the same file
    assert locate(path, AtDateLine(), FACE.diameter, texts=texts) == before
    assert refusal(path, AtDateLine()).code == "date-line-not-found"


def test_no_date_line(compiled: Compile) -> None:
    path = compiled("正文，自2026年11月23日起施行。 #pagebreak() " + LETTER)
    assert refusal(path, AtDateLine(page=1)).code == "date-line-not-found"
    assert locate(path, AtDateLine(), FACE.diameter)[0].page_index == 1
    assert locate(path, AtDateLine(page=2), FACE.diameter) == locate(path, AtDateLine(), FACE.diameter)


@pytest.mark.parametrize(
    "placement",
    [At(page=2, x_mm=Decimal(60), y_mm=Decimal(60)), AtKeyword(text="章", page=2), AtDateLine(page=2)],
)
def test_a_page_that_is_not_there(compiled: Compile, placement: Placement) -> None:
    assert refusal(compiled(LETTER), placement).code == "page-out-of-range"


def test_a_keyword_too_near_the_edge(compiled: Compile) -> None:
    error = refusal(compiled("#v(1fr)\n#align(right)[（盖章）]#v(-20mm)"), AtKeyword(text="（盖章）"))
    assert error.code == "box-off-page"


def with_field(path: Path, rect: list[int], *, value: bool = False) -> Path:
    """The document with the signature field ``Seals.Grantor`` at ``rect`` on its first page."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        parent = pdf.make_indirect(pikepdf.Dictionary(T="Seals", FT=pikepdf.Name.Sig))
        widget = pdf.make_indirect(
            pikepdf.Dictionary(
                T="Grantor",
                Parent=parent,
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                Rect=rect,
            )
        )
        if value:
            widget.V = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.Sig))
        parent.Kids = [widget]
        pdf.pages[0].obj.Annots = pikepdf.Array([widget])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[parent])
        pdf.save(path)
    return path


def test_an_existing_field_is_found_by_its_full_name(compiled: Compile) -> None:
    path = with_field(compiled(LETTER), [300, 200, 440, 340])
    (spot,) = locate(path, AtField(name="Seals.Grantor"), FACE.diameter)
    assert spot.x + spot.width / 2 == pytest.approx(370)
    assert spot.y + spot.height / 2 == pytest.approx(270)
    assert refusal(path, AtField(name="Grantor")).code == "field-not-found"


def test_a_signed_or_invisible_field_is_no_place(compiled: Compile) -> None:
    signed = with_field(compiled(LETTER), [300, 200, 440, 340], value=True)
    assert refusal(signed, AtField(name="Seals.Grantor")).code == "field-not-found"
    invisible = with_field(compiled(LETTER), [0, 0, 0, 0])
    assert refusal(invisible, AtField(name="Seals.Grantor")).code == "field-without-area"


def test_the_slices_of_a_seam_show_the_whole_seal(compiled: Compile) -> None:
    """Cut off at the right edges and laid side by side, three pages give the picture of the seal."""
    path = compiled("一 #pagebreak() 二 #pagebreak() 三")
    spots = seam_slices(page_geometries(path), FACE.diameter)
    stamped, strips = stamp(path, FACE, spots), []
    for page in range(3):
        picture = look(stamped, page)
        scale = picture.width / 210
        edge, middle = picture.width, picture.height / 2
        strips.append(
            picture.crop((round(edge - 14 * scale), round(middle - 21 * scale), edge, round(middle + 21 * scale)))
        )
    seal = Image.new("RGB", (sum(strip.width for strip in strips), strips[0].height))
    for index, strip in enumerate(strips):
        seal.paste(strip, (index * strips[0].width, 0))
    with_png = Image.open(io.BytesIO(FACE.png(seal.width))).convert("RGB").resize(seal.size)
    difference = ImageChops.difference(seal.getchannel("G"), with_png.getchannel("G"))
    assert sum(difference.get_flattened_data()) / 255 / (seal.width * seal.height) < 0.05


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("/MediaBox", b"[0 0 0 0]"),
        ("/MediaBox", b"[0 0 100 0]"),
        ("/CropBox", b"[9000 9000 9100 9100]"),
        ("/Rotate", b"45"),
        ("/Rotate", b"/Right"),
        ("/Rotate", b"[90]"),
        ("/UserUnit", b"-1"),
        ("/UserUnit", b"(one)"),
    ],
)
def test_a_page_that_shows_nothing(compiled: Compile, key: str, value: bytes) -> None:
    path = compiled("")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj[key] = pikepdf.Object.parse(value)
        pdf.save(path)
    with pytest.raises(DocumentRejectedError) as caught:
        locate(path, CENTRE, FACE.diameter)
    assert caught.value.code == "page-without-area"


@pytest.mark.parametrize("annotations", [b"/None", b"[1 /X << /FT /Sig /T (Other) >>]", b"[]"])
def test_odd_annotations_hold_no_field(compiled: Compile, annotations: bytes) -> None:
    path = compiled(LETTER)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Annots = pikepdf.Object.parse(annotations)
        pdf.save(path)
    assert refusal(path, AtField(name="Seal")).code == "field-not-found"


@pytest.mark.parametrize("rect", [b"/X", b"[]", b"[1 2 3]", b"[1 2 3 /Four]"])
def test_a_field_with_an_odd_rectangle_has_no_area(compiled: Compile, rect: bytes) -> None:
    path = compiled(LETTER)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.pages[0].obj.Annots = pikepdf.Object.parse(b"[<< /FT /Sig /T (Seal) /Rect %s >>]" % rect)
        pdf.save(path)
    assert refusal(path, AtField(name="Seal")).code == "field-without-area"
