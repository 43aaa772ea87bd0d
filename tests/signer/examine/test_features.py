"""Each refusal: written plainly, inside a compressed object stream, with escaped names; and what passes."""

from collections.abc import Callable
from hashlib import sha256

import pytest
from builders import Sheet, compressed, escaped, plain
from features import ASSOCIATED, HELVETICA, NOT_A3, PASSING, REFUSED, Feature

from signer.examine import Examination

Examined = Callable[..., Examination]
WRITERS = {
    "plain": lambda feature: plain(feature.sheet.objects()),
    "compressed": lambda feature: compressed(feature.sheet.objects()),
    "escaped": lambda feature: plain(escaped(feature.sheet.objects(), feature.names)),
    "both": lambda feature: compressed(escaped(feature.sheet.objects(), feature.names)),
}


def codes(examination: Examination) -> set[str]:
    return {objection.code for objection in examination.objections}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("feature", REFUSED, ids=lambda feature: feature.name)
def test_the_feature_is_refused(examined: Examined, feature: Feature, writer: Callable[[Feature], bytes]) -> None:
    data = writer(feature)
    found = [one for one in examined(data).objections if one.code == feature.code]
    assert found, examined(data).objections
    for objection in found:
        assert objection.object.split()[0] in objection.en
        assert objection.object.split()[0] in objection.zh


@pytest.mark.parametrize("feature", REFUSED, ids=lambda feature: feature.name)
def test_the_variants_are_what_they_say(feature: Feature) -> None:
    objects = feature.sheet.objects()
    assert escaped(objects, feature.names) != objects
    inside = b"/Type/Catalog"
    assert inside in plain(objects)
    assert inside not in compressed(objects)


@pytest.mark.parametrize("writer", ["plain", "compressed"])
@pytest.mark.parametrize(("name", "sheet"), PASSING, ids=[name for name, _ in PASSING])
def test_the_honest_near_miss_passes(examined: Examined, name: str, sheet: Sheet, writer: str) -> None:
    write = plain if writer == "plain" else compressed
    assert examined(write(sheet.objects())).objections == ()


def test_the_object_is_named(examined: Examined) -> None:
    sheet = Sheet(catalog=b"/OpenAction 42 0 R", extra={42: b"<</S/Launch/F(a)>>"})
    (objection,) = examined(plain(sheet.objects())).objections
    assert objection.object == "42 0"
    assert "/Launch" in objection.zh


def test_a_font_may_be_tolerated_by_name(examined: Examined) -> None:
    data = plain(Sheet(fonts=b"/F2 10 0 R", extra={10: HELVETICA}).objects())
    assert codes(examined(data, tolerated_fonts=("Arial",))) == {"font-not-embedded"}
    assert codes(examined(data, tolerated_fonts=("Helvetica",))) == set()


def test_a_default_font_that_is_also_used_is_refused(examined: Examined) -> None:
    sheet = Sheet(
        catalog=b"/AcroForm<</Fields[]/DR<</Font<</Helv 10 0 R>>>>>>", fonts=b"/F2 10 0 R", extra={10: HELVETICA}
    )
    assert codes(examined(plain(sheet.objects()))) == {"font-not-embedded"}


def test_an_approved_attachment_of_pdfa3_passes(examined: Examined) -> None:
    allowed = ("sha256:" + sha256(b"x").hexdigest(),)
    assert codes(examined(plain(ASSOCIATED.objects()), allowed_attachments=allowed)) == set()
    assert codes(examined(plain(ASSOCIATED.objects()), allowed_attachments=("sha256:00",))) == {"embedded-file"}
    assert codes(examined(plain(NOT_A3.objects()), allowed_attachments=allowed)) == {"embedded-file"}
