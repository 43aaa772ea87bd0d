"""Placements as JSON: strict on the way in, one form on the way out."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import PlacementError
from signer.placement import At, AtDateLine, AtField, AtKeyword, Placement, parse_placement, to_json

millimetres = st.integers(0, 99_999_999).map(lambda number: Decimal(number) / 1000)
pages = st.integers(1, 100_000)
texts = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=100).filter(str.strip)
seams = st.one_of(
    st.just({}), st.just({"seam": True}), st.builds(lambda y: {"seam": True, "seam_y_mm": y}, millimetres)
)
placements = st.one_of(
    st.builds(lambda page, x, y, seam: At(page=page, x_mm=x, y_mm=y, **seam), pages, millimetres, millimetres, seams),
    st.builds(
        lambda text, page, nth, seam: AtKeyword(text=text, page=page, occurrence=nth, **seam),
        texts,
        st.none() | pages,
        st.none() | pages,
        seams,
    ),
    st.builds(lambda page, seam: AtDateLine(page=page, **seam), st.none() | pages, seams),
    st.builds(lambda name, seam: AtField(name=name, **seam), texts, seams),
)


@given(placements)
def test_there_and_back(placement: Placement) -> None:
    said = to_json(placement)
    assert parse_placement(said) == placement
    assert to_json(parse_placement(said)) == said
    assert not any(isinstance(value, float | Decimal) for value in said.values())


@pytest.mark.parametrize(
    ("said", "placement"),
    [
        (
            {"kind": "position", "page": 1, "x_mm": 150, "y_mm": "230.50"},
            At(page=1, x_mm=Decimal(150), y_mm=Decimal("230.5")),
        ),
        ({"kind": "keyword", "text": "（盖章）"}, AtKeyword(text="（盖章）")),
        (
            {"kind": "keyword", "text": "（盖章）", "page": 2, "occurrence": 1},
            AtKeyword(text="（盖章）", page=2, occurrence=1),
        ),
        ({"kind": "date_line"}, AtDateLine()),
        (
            {"kind": "date_line", "seam": True, "seam_y_mm": "148.5"},
            AtDateLine(seam=True, seam_y_mm=Decimal("148.5")),
        ),
        ({"kind": "field", "name": "Seal", "seam": False}, AtField(name="Seal")),
    ],
)
def test_what_callers_write(said: dict[str, Any], placement: Placement) -> None:
    assert parse_placement(said) == placement


def test_one_position_has_one_form() -> None:
    forms = [
        to_json(parse_placement({"kind": "position", "page": 1, "x_mm": x, "y_mm": 10}))
        for x in (150, "150", "150.0", "150.000", "00150")
    ]
    assert forms == [{"kind": "position", "page": 1, "x_mm": "150", "y_mm": "10"}] * 5


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (None, "placement"),
        ([], "placement"),
        ("date_line", "placement"),
        ({}, "kind"),
        ({"kind": "corner"}, "kind"),
        ({"kind": ["position"]}, "kind"),
        ({"kind": "position", "page": 1, "x_mm": "1"}, "y_mm"),
        ({"kind": "position", "x_mm": "1", "y_mm": "1"}, "page"),
        ({"kind": "position", "page": 0, "x_mm": 1, "y_mm": 1}, "page"),
        ({"kind": "position", "page": "1", "x_mm": 1, "y_mm": 1}, "page"),
        ({"kind": "position", "page": True, "x_mm": 1, "y_mm": 1}, "page"),
        ({"kind": "position", "page": 1.0, "x_mm": 1, "y_mm": 1}, "page"),
        ({"kind": "position", "page": 1, "x_mm": 1.5, "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": "-1", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": -1, "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": "NaN", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": "1e2", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": "１０", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": "1.0001", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": " 1", "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": True, "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": 100_000, "y_mm": 1}, "x_mm"),
        ({"kind": "position", "page": 1, "x_mm": 1, "y_mm": 1, "z_mm": 1}, "z_mm"),
        ({"kind": "keyword", "text": ""}, "text"),
        ({"kind": "keyword", "text": " 　"}, "text"),
        ({"kind": "keyword", "text": "盖\n章"}, "text"),
        ({"kind": "keyword", "text": "盖\u200b章"}, "text"),
        ({"kind": "keyword", "text": "章" * 101}, "text"),
        ({"kind": "keyword", "text": "章", "occurrence": 0}, "occurrence"),
        ({"kind": "keyword", "text": "章", "page": None}, "page"),
        ({"kind": "date_line", "text": "章"}, "text"),
        ({"kind": "field"}, "name"),
        ({"kind": "date_line", "seam": 1}, "seam"),
        ({"kind": "date_line", "seam_y_mm": "10"}, "seam_y_mm"),
        ({"kind": "date_line", "seam": True, "seam_y_mm": "ten"}, "seam_y_mm"),
    ],
)
def test_a_malformed_placement_names_the_field(said: object, field: str) -> None:
    with pytest.raises(PlacementError) as caught:
        parse_placement(said)
    assert caught.value.code == "placement-malformed"
    assert f"字段{field}为" in caught.value.zh
    assert f"field {field} is" in caught.value.en


def test_a_long_wrong_value_is_not_repeated_whole() -> None:
    with pytest.raises(PlacementError) as caught:
        parse_placement({"kind": "k" * 10_000})
    assert len(str(caught.value)) < 400
