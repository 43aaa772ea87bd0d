"""The face as drawn: looked at in pixels, and its two written forms compared."""

import dataclasses
import io
import itertools
import math
import re
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pikepdf
import pytest
import typst
from PIL import Image, ImageChops

from signer.errors import MissingGlyphError
from signer.face import POINTS_PER_MM, Face, draw
from signer.glyphs import glyph
from signer.layout import lay_out
from signer.specimen import Proportions, Specimen

DEMO = [("赣州市行政审批局", 12), ("兴国县行政审批局", 35), ("兴国县林业局", 11)]
LONG = [
    ("兴国县残联", 7),
    ("赣州市住房和城乡建设局", 18),
    ("江西省赣州经济技术开发区行政审批局", 9),
    ("赣州蓉江新区管理委员会住房和城乡建设与自然资源局", 103),
    ("赣州市章贡区人民政府水东镇街道办事处综合行政执法与应急管理局", 100),
]
PIXELS = 840  # twenty a millimetre
PER_MM = 20


def specimen(grantor: str, number: int, *, sample: bool = False, diameter: str = "42") -> Specimen:
    return Specimen(
        name=f"{grantor}行政审批专用章（{number}）",
        number=number,
        diameter_mm=Decimal(diameter),
        sample=sample,
    )


def ink(face: Face, pixels: int = PIXELS) -> Image.Image:
    """A mask: 255 where the face is red."""
    picture = Image.open(io.BytesIO(face.png(pixels)))
    assert picture.size == (pixels, pixels)
    return ImageChops.invert(picture.convert("RGB").getchannel("G"))


def share(mask: Image.Image, box: tuple[float, float, float, float]) -> float:
    """How much of ``box`` is inked; millimetres from the centre of the seal, y downwards."""
    part = mask.crop(tuple(round(PIXELS / 2 + edge * PER_MM) for edge in box))
    return sum(part.get_flattened_data()) / 255 / (part.width * part.height)


def ring_share(mask: Image.Image, radius_mm: float) -> float:
    """How much of the circle of ``radius_mm`` is inked."""
    steps = 720
    hits = 0
    for step in range(steps):
        angle = math.tau * step / steps
        x, y = (PIXELS / 2 + radius_mm * PER_MM * part for part in (math.cos(angle), math.sin(angle)))
        hits += mask.getpixel((min(int(x), PIXELS - 1), min(int(y), PIXELS - 1))) > 127
    return hits / steps


@pytest.mark.parametrize(("grantor", "number"), DEMO + LONG)
def test_the_ring_is_whole_and_nothing_touches_it(grantor: str, number: int) -> None:
    mask = ink(draw(specimen(grantor, number, sample=True)))
    assert ring_share(mask, 20.45) == 1
    assert ring_share(mask, 20.05) == 1
    assert ring_share(mask, 19.7) == 0
    assert ring_share(mask, 19.0) == 0


def test_the_ring_is_the_same_on_all_sides() -> None:
    mask = ink(draw(specimen(*DEMO[0]))).point(lambda value: 255 if value > 127 else 0)
    bands = [mask.rotate(turn).crop((0, PIXELS // 2 - 20, 30, PIXELS // 2 + 20)) for turn in (0, 90, 180, 270)]
    shares = [sum(band.get_flattened_data()) / 255 for band in bands]
    assert max(shares) - min(shares) <= 45
    assert shares[0] > 0


def test_the_star_is_five_pointed_and_centred() -> None:
    mask = ink(draw(specimen(*DEMO[0])))
    on = [90 + 72 * index for index in range(5)]
    for angle in on:
        x, y = 6.6 * math.cos(math.radians(angle)), -6.6 * math.sin(math.radians(angle))
        assert share(mask, (x - 0.1, y - 0.1, x + 0.1, y + 0.1)) > 0.5
        x, y = -4.0 * math.cos(math.radians(angle)), 4.0 * math.sin(math.radians(angle))
        assert share(mask, (x - 0.1, y - 0.1, x + 0.1, y + 0.1)) == 0
    assert share(mask, (-0.5, -7.9, 0.5, -7.2)) == 0
    assert share(mask, (-1, -1, 1, 1)) == 1


def test_the_star_is_its_own_mirror_image() -> None:
    part = ink(draw(specimen(*DEMO[0]))).crop(
        (PIXELS // 2 - 150, PIXELS // 2 - 150, PIXELS // 2 + 150, PIXELS // 2 + 115)
    )
    difference = ImageChops.difference(part, part.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert sum(difference.get_flattened_data()) / 255 / (part.width * part.height) < 0.003


@pytest.mark.parametrize(("grantor", "number"), DEMO + LONG)
def test_name_title_and_number_stand_in_their_places(grantor: str, number: int) -> None:
    mask = ink(draw(specimen(grantor, number)))
    assert share(mask, (-8, -18.8, 8, -13.5)) > 0.08  # name on the arc
    assert 0.15 < share(mask, (-7, 8.1, 7, 11.8)) < 0.7  # title
    assert share(mask, (-3, 13.6, 3, 16.9)) > 0.1  # number
    assert share(mask, (-6, 17.4, 6, 18.7)) == 0  # room below it
    assert share(mask, (-7, 6.0, 7, 7.6)) == 0  # room between star and title


def test_the_sample_says_so_beside_the_star() -> None:
    plain, sample = (ink(draw(specimen(*DEMO[0], sample=flag))) for flag in (False, True))
    for side in (-1, 1):
        box = tuple(sorted((side * 3.2, side * 6.8)))
        place = (box[0], -8.4, box[1], -4.9)
        assert share(plain, place) == 0
        assert share(sample, place) > 0.2


LARGEST = Proportions(
    ring_mm=Decimal("1.1"),
    star=Decimal("0.18"),
    name=Decimal("0.16"),
    title=Decimal("0.10"),
    number=Decimal("0.09"),
)


@pytest.mark.parametrize("proportions", [Proportions(), LARGEST], ids=["customary", "largest"])
@pytest.mark.parametrize("diameter", ["20", "42"])
@pytest.mark.parametrize(("grantor", "number"), [*DEMO[:1], *LONG])
def test_no_element_overlaps_another(grantor: str, number: int, diameter: str, proportions: Proportions) -> None:
    """Each figure, drawn alone, has no pixel in common with those before it."""
    plain = specimen(grantor, number, sample=True, diameter=diameter)
    face = draw(dataclasses.replace(plain, proportions=proportions))
    head, body = face.operators.split(b"cm\n")
    figures = body.removesuffix(b"f\nQ\n").split(b"f\n")
    together = Image.new("1", (420, 420))
    for figure in figures:
        alone = dataclasses.replace(face, operators=head + b"cm\n" + figure + b"f\nQ\n")
        one = ink(alone, 420).point(lambda value: 255 if value > 40 else 0).convert("1")
        assert one.getbbox() is not None
        assert ImageChops.logical_and(together, one).getbbox() is None
        together = ImageChops.logical_or(together, one)


def test_the_operators_are_a_pdf_path_without_colour_or_state() -> None:
    face = draw(specimen(*DEMO[0], sample=True))
    pdf = pikepdf.new()
    instructions = pikepdf.parse_content_stream(pdf.make_stream(face.operators))
    names = [str(instruction.operator) for instruction in instructions]
    assert names[0] == "q"
    assert names[1] == "cm"
    assert names[-1] == "Q"
    assert set(names) == {"q", "cm", "m", "l", "c", "h", "f", "Q"}
    assert names.count("f") == len(lay_out(specimen(*DEMO[0], sample=True))) == 2 + 8 + 7 + 4 + 2
    assert face.operators.isascii()


@pytest.mark.parametrize(("grantor", "number"), DEMO + LONG)
def test_svg_and_pdf_say_the_same_numbers(grantor: str, number: int) -> None:
    face = draw(specimen(grantor, number, sample=True))
    svg = re.search(r' d="([^"]*)"', face.svg())
    assert svg is not None
    body = face.operators.split(b"cm\n", 1)[1]
    assert re.findall(r"-?[0-9]+", svg[1]) == [item.decode() for item in re.findall(rb"-?[0-9]+", body)]


def test_svg_is_the_same_picture(tmp_path: Path) -> None:
    """An SVG renderer that shares nothing with PDFium draws the same seal, in its real size."""
    face = draw(specimen(*DEMO[0], sample=True))
    (tmp_path / "face.svg").write_text(face.svg())
    (tmp_path / "page.typ").write_text(
        '#set page(width: 42mm, height: 42mm, margin: 0mm)\n#image("face.svg")', encoding="utf-8"
    )
    drawn = typst.compile(str(tmp_path / "page.typ"), format="png", ppi=420 / 42 * 25.4)
    svg = ImageChops.invert(Image.open(io.BytesIO(drawn)).convert("RGB").getchannel("G"))
    assert svg.size == (420, 420)
    difference = ImageChops.difference(svg, ink(face, 420)).get_flattened_data()
    assert sum(difference) / 255 / 420**2 < 0.004
    assert sum(value > 128 for value in difference) / 420**2 < 0.0005


@pytest.mark.parametrize(("grantor", "number"), DEMO + LONG)
def test_all_points_are_in_the_box_and_the_face_is_compact(grantor: str, number: int) -> None:
    face = draw(specimen(grantor, number, sample=True))
    numbers = [int(item) for item in re.findall(rb"-?[0-9]+", face.operators.split(b"cm\n", 1)[1])]
    assert min(numbers) >= 0
    assert max(numbers) <= math.ceil(face.diameter * 100)
    assert len(face.operators) <= (40_000 if len(grantor) <= 20 else 48_000)


@pytest.mark.parametrize("diameter", ["42", "38", "45"])
def test_the_size_is_that_of_the_specimen(diameter: str) -> None:
    face = draw(specimen(*DEMO[0], diameter=diameter))
    assert abs(face.diameter - float(diameter) * POINTS_PER_MM) < 0.01
    assert f'width="{diameter}mm" height="{diameter}mm"' in face.svg()
    assert 'fill="#f00"' in face.svg()


def test_drawing_is_deterministic_and_cached() -> None:
    one = draw(specimen(*DEMO[0]))
    assert draw(specimen(*DEMO[0])) is one
    draw.cache_clear()
    again = draw(specimen(*DEMO[0]))
    assert again is not one
    assert again == one


def test_faces_of_different_seals_differ() -> None:
    faces = [draw(specimen(grantor, number, sample=flag)) for grantor, number in DEMO for flag in (False, True)]
    faces += [draw(specimen("赣州市自然资源局", 12)), draw(specimen("赣州市行政审批局", 2))]
    for one, other in itertools.combinations(faces, 2):
        assert one.operators != other.operators


def test_a_name_the_font_cannot_write_has_no_face() -> None:
    with pytest.raises(MissingGlyphError, match="U\\+21336"):
        draw(specimen("赣州市𡌶局", 3))


def test_the_picture_is_pure_red_on_white() -> None:
    picture = Image.open(io.BytesIO(draw(specimen(*DEMO[0])).png(200))).convert("RGB")
    assert picture.getpixel((100, 100)) == (255, 0, 0)
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert {red for red, _, _ in picture.get_flattened_data()} == {255}


@pytest.mark.parametrize("pixels", [0, -1, 4097])
def test_pictures_have_a_sensible_size(pixels: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 4096"):
        draw(specimen(*DEMO[0])).png(pixels)


def test_several_threads_draw_the_same_faces() -> None:
    """An HTTP server previews seals from its threads; neither fontTools nor PDFium is safe for them by itself."""
    wanted = [specimen("赣州市行政审批局", number) for number in range(1, 6)]
    expected = [draw(each).png(60) for each in wanted]
    draw.cache_clear()
    glyph.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda each: draw(each).png(60), wanted * 6))
    assert drawn == expected * 6
