"""The specimen: what may be the imprint of a No. 2 seal."""

from decimal import Decimal

import pytest

from signer.specimen import LONGEST_GRANTOR, Proportions, Specimen, SpecimenError

NAME = "赣州市行政审批局行政审批专用章（12）"


def code_of(**fields: object) -> str:
    with pytest.raises(SpecimenError) as caught:
        Specimen(**({"name": NAME, "number": 12} | fields))  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.zh
    assert str(caught.value) == f"{caught.value.zh} / {caught.value.en}"
    return caught.value.code


def test_the_name_is_taken_apart() -> None:
    specimen = Specimen(name=NAME, number=12)
    assert specimen.grantor == "赣州市行政审批局"
    assert specimen.number_text == "（12）"


def test_defaults_are_the_customary_ones() -> None:
    specimen = Specimen(name=NAME, number=12)
    assert specimen.diameter_mm == 42
    assert specimen.sample is False
    assert specimen.proportions.ring_mm == Decimal("1.1")
    assert round(specimen.proportions.star * specimen.diameter_mm, 6) == 7


@pytest.mark.parametrize(
    "name",
    [
        "",
        "行政审批专用章（12）",
        "赣州市行政审批局（12）",
        "赣州市行政审批局行政审批专用章",
        "赣州市行政审批局行政审批专用章(12)",
        "赣州市行政审批局行政审批专用章（012）",
        "赣州市行政审批局行政审批专用章（１２）",
        "赣州市行政审批局行政审批专用章（12） ",
        "赣州市行政审批局行政审批专用章（十二）",
        "赣州市行政审批局行政审批专用章（0）",
    ],
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    assert code_of(name=name) == "seal-name-malformed"


def test_the_number_must_be_that_of_the_name() -> None:
    assert code_of(number=21) == "seal-number-mismatch"


@pytest.mark.parametrize("number", [0, -1, 1000])
def test_the_number_has_a_range(number: int) -> None:
    assert code_of(number=number) == "seal-number-out-of-range"


@pytest.mark.parametrize(
    "grantor",
    [
        "赣州市⾏政审批局",  # a radical that looks like 行
        "赣州市\uf900政审批局",  # a compatibility ideograph
        "赣州市A局",
        "赣州市 行政审批局",
        "赣州市\u200b行政审批局",
        "赣州市\n行政审批局",
        "赣州市行政审批局行政审批专用章（1）",
    ],
)
def test_only_han_characters_name_an_organ(grantor: str) -> None:
    assert code_of(name=f"{grantor}行政审批专用章（12）") == "seal-name-not-han"


def test_the_refusal_names_the_character_and_its_code_point() -> None:
    with pytest.raises(SpecimenError, match="U\\+2F8F") as caught:
        Specimen(name="赣州市⾏政审批局行政审批专用章（12）", number=12)
    assert "⾏" in caught.value.zh


def test_the_longest_name() -> None:
    assert len(Specimen(name="赣" * LONGEST_GRANTOR + "行政审批专用章（12）", number=12).grantor) == 30
    assert code_of(name="赣" * (LONGEST_GRANTOR + 1) + "行政审批专用章（12）") == "seal-name-too-long"


@pytest.mark.parametrize("diameter", ["45", "42", "38.5", "20"])
def test_sizes_a_bureau_may_use(diameter: str) -> None:
    assert Specimen(name=NAME, number=12, diameter_mm=Decimal(diameter)).diameter_mm == Decimal(diameter)


@pytest.mark.parametrize("diameter", ["45.01", "50", "19.9", "0", "-42"])
def test_other_sizes_are_refused(diameter: str) -> None:
    assert code_of(diameter_mm=Decimal(diameter)) == "specimen-out-of-range"


@pytest.mark.parametrize("field", ["ring_mm", "star", "name", "title", "number"])
def test_proportions_stay_where_the_layout_can_hold_them(field: str) -> None:
    with pytest.raises(SpecimenError, match=field) as caught:
        Proportions(**{field: Decimal(3)})
    assert caught.value.code == "specimen-out-of-range"


def test_a_small_seal_has_no_wide_ring() -> None:
    assert code_of(diameter_mm=Decimal(20), proportions=Proportions(ring_mm=Decimal("1.2"))) == "specimen-out-of-range"


def test_equal_specimens_are_one_key() -> None:
    assert len({Specimen(name=NAME, number=12), Specimen(name=NAME, number=12, sample=False)}) == 1
