"""Conditions: what cannot be published, and that nothing but a plain true passes."""

from decimal import Decimal
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import given
from hypothesis import strategies as st

from policies.facts import ConditionFacts, ItemKey
from registry.catalogue import load_shipped
from registry.condition_text import ConditionError, fold, rewrite, scaled
from registry.conditions import Condition, ConditionField, compile_condition, evaluate

TIMBER = ItemKey(list="002-2", number=12)
FIELDS = (
    ConditionField(name="volume_m3", type="decimal", unit="m³", label="采伐蓄积"),
    ConditionField(name="land", type="text", unit="", label="林地类型"),
    ConditionField(name="heads", type="integer", unit="头", label="存栏数"),
    ConditionField(name="cross_county", type="truth", unit="", label="是否跨县"),
)
ALL_USED = ' && land == "x" && heads > 0 && cross_county && volume_m3 > decimal("0")'
VOLUME = (FIELDS[0],)


def shipped(list_name: str, number: int) -> Condition:
    key = ItemKey(list=list_name, number=number)
    condition = next(row for row in load_shipped().items if row.key == key).compiled_condition()
    assert condition is not None
    return condition


def timber(volume: object, land: object = "自留山", holder: object = "农村居民") -> ConditionFacts:
    facts = {"volume_m3": volume, "land_kind": land, "holder_kind": holder}
    return evaluate(shipped("002-2", 12), facts)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("volume_m3 >= 15" + ALL_USED, "1:11", 'compared with decimal("15") only'),
        ("volume_m3 >= 15.0" + ALL_USED, "1:14", "found '1'"),
        ("volume_m3 >= 15u" + ALL_USED, "1:14", "found '1'"),
        ("volume_m3 >= heads" + ALL_USED, "1:11", 'compared with decimal("15") only'),
        ('heads >= decimal("3")' + ALL_USED, "1:7", 'compared with decimal("15") only'),
        ('heads == "3"' + ALL_USED, "1:7", "no matching overload"),
        ("land > 3" + ALL_USED, "1:6", "no matching overload"),
        ('land == "a"\n  && cross_county == "yes"' + ALL_USED, "2:19", "no matching overload"),
        ('land == "a"\n  && colour == "red"' + ALL_USED, "2:6", "'colour' is not a declared field"),
        ("has(land)" + ALL_USED, "1:1", "'has' is not a declared field"),
        ("dyn(heads) == 1" + ALL_USED, "1:1", "'dyn' is not a declared field"),
        ("double(heads) > 1" + ALL_USED, "1:1", "'double' is not a declared field"),
        ('land.matches("a+")' + ALL_USED, "1:5", "found '.'"),
        ("heads * 2 > 4" + ALL_USED, "1:7", "found '*'"),
        ("1 / 0 == 1" + ALL_USED, "1:3", "found '/'"),
        ("cross_county ? true : false" + ALL_USED, "1:14", "found '?'"),
        ("land == 'single'" + ALL_USED, "1:9", 'found "\'"'),
        ('land == "a\\u0041"' + ALL_USED, "1:9", "found '\"'"),
        ('land == "小（1）型"' + ALL_USED, "1:9", "expected '小(1)型'"),
        ('land == " 自留山"' + ALL_USED, "1:9", "expected '自留山'"),
        ('land == ""' + ALL_USED, "1:9", "not empty"),
        ('volume_m3 >= decimal("1.1234567")' + ALL_USED, "1:14", "'1.1234567' is not a decimal"),
        ('volume_m3 >= decimal("1e3")' + ALL_USED, "1:14", "'1e3' is not a decimal"),
        ('volume_m3 >= decimal("-1")' + ALL_USED, "1:14", "'-1' is not a decimal"),
        ('volume_m3 >= decimal("015")' + ALL_USED, "1:14", "'015' is not a decimal"),
        ('volume_m3 in [1, decimal("2")]' + ALL_USED, "1:15", "only decimals"),
        ('heads in [1, "2"]' + ALL_USED, "1:11", "only decimals"),
        ("heads in []" + ALL_USED, "1:1", "only decimals"),
        ("heads in [[1]]" + ALL_USED, "1:11", "only decimals"),
        ('(land == "a"' + ALL_USED, "1:85", "Syntax error"),
        ('land == "a" && volume_m3 > decimal("0")', "1:1", "declared but not used: heads, cross_county"),
        ("", "1:1", "1 to 2000 characters"),
        ("true || " * 300 + "true", "1:1", "1 to 2000 characters"),
        ("(" * 60 + "cross_county" + ")" * 60 + ALL_USED, "1:1", "recursion limit"),
        ("cross_county;" + ALL_USED, "1:13", "found ';'"),
    ],
)
def test_cannot_be_published(text: str, place: str, said: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, FIELDS)
    assert caught.value.code == "condition-invalid"
    assert caught.value.en.startswith(f"{place}: ")
    assert said in caught.value.en
    line, column = place.split(":")
    assert caught.value.zh.startswith(f"第{line}行第{column}列：")


def test_a_result_that_is_no_truth_value_cannot_be_published() -> None:
    with pytest.raises(ConditionError, match="expected a truth value"):
        compile_condition("land", (FIELDS[1],))


def test_a_condition_without_fields_cannot_be_published() -> None:
    with pytest.raises(ConditionError, match="declares no field"):
        compile_condition("true", ())


def test_a_field_declared_twice_cannot_be_published() -> None:
    with pytest.raises(ConditionError, match="declared twice"):
        compile_condition('land == "a"', (FIELDS[1], FIELDS[1]))


@pytest.mark.parametrize("name", ["Volume", "2nd", "in", "decimal", "null", "a-b", "", "体积", "a" * 65])
def test_a_field_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="field name"):
        ConditionField(name=name, type="text", unit="", label="字段")


@pytest.mark.parametrize(("unit", "label"), [("m:", "坝高"), ("m;", "坝高"), ("", "坝:高"), ("", "坝;高"), ("", "")])
def test_a_field_can_be_written_into_a_cell(unit: str, label: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ConditionField(name="dam_height_m", type="decimal", unit=unit, label=label)


def test_rewriting_keeps_every_place_and_the_meaning() -> None:
    text = 'volume_m3 >= decimal( "0.5" ) && volume_m3 in [decimal("1"), decimal("2.000001")]'
    rewritten, used = rewrite(text, {"volume_m3", "land"})
    assert len(rewritten) == len(text)
    assert " ".join(rewritten.split()) == "volume_m3 >= 500000u && volume_m3 in [1000000u , 2000001u ]"
    assert used == {"volume_m3"}


def test_the_longest_decimal_still_fits_its_place() -> None:
    text = 'volume_m3 <= decimal("999999999999.999999")'
    condition = compile_condition(text, VOLUME)
    assert evaluate(condition, {"volume_m3": "999999999999.999999"}).outcome is True


@pytest.mark.parametrize("volume", ["15", "15.0", "15.000000", "15.000001", "22.5", "999999999999"])
def test_timber_of_fifteen_or_more_passes(volume: str) -> None:
    """“以上”包括本数: 15 m³ passes [002 附件2 序号12]."""
    answer = timber(volume)
    assert (answer.outcome, answer.error) == (True, None)


@pytest.mark.parametrize("volume", ["14.9", "14.999999", "0", "1.5"])
def test_timber_below_fifteen_refuses(volume: str) -> None:
    answer = timber(volume)
    assert (answer.outcome, answer.error) == (False, None)


@pytest.mark.parametrize(
    "volume",
    [
        "14.9999999999999999",
        "15.0000001",
        "１５",
        "+15",
        "-15",
        " 15",
        "15 ",
        "15.",
        ".5",
        "015",
        "1_5",
        "15m³",
        "1e2",
        "NaN",
        "Infinity",
        "1000000000000",
        "",
        15,
        15.0,
        True,
        None,
        ["15"],
    ],
)
def test_a_volume_that_is_no_exact_decimal_gives_no_answer(volume: object) -> None:
    answer = timber(volume)
    assert answer.outcome is None
    assert answer.error is not None
    assert "volume_m3" in answer.error
    assert "采伐蓄积" in answer.error


@pytest.mark.parametrize(
    ("land", "holder", "outcome"),
    [
        ("个人承包集体林地", "农村居民", True),
        ("国有林地", "农村居民", False),
        ("自留山", "企业", False),
        ("非自留山", "农村居民", False),
        (" 自留山 ", "农村居民", True),
        ("", "农村居民", None),
        ("自留\u200b山", "农村居民", None),
        ("自" * 201, "农村居民", None),
        (True, "农村居民", None),
        (1, "农村居民", None),
    ],
)
def test_timber_depends_on_land_and_holder(land: object, holder: str, outcome: bool | None) -> None:
    assert timber("22.5", land, holder).outcome is outcome


@pytest.mark.parametrize("missing", ["volume_m3", "land_kind", "holder_kind"])
def test_a_missing_fact_gives_no_answer_and_is_named(missing: str) -> None:
    facts: dict[str, Any] = {"volume_m3": "22.5", "land_kind": "自留山", "holder_kind": "农村居民"}
    del facts[missing]
    answer = evaluate(shipped("002-2", 12), facts)
    assert answer.outcome is None
    assert f"missing {missing}" in str(answer.error)


def test_a_missing_fact_refuses_even_where_the_others_would_do() -> None:
    condition = compile_condition('cross_county || land == "a"', (FIELDS[1], FIELDS[3]))
    assert evaluate(condition, {"cross_county": True}).outcome is None


@pytest.mark.parametrize("expression", ["1 / 0 == 1", "[true][5]", "absent"])
def test_an_error_inside_cel_gives_no_answer(expression: str) -> None:
    """No published condition can do this; the answer must hold even if one could."""
    compiled = cel.NewEnv(variables={"absent": cel.Type.BOOL}).compile(expression)
    answer = evaluate(Condition(text=expression, fields=(), expression=compiled), {})
    assert answer.outcome is None
    assert "the condition gave no answer" in str(answer.error)


def test_an_exception_inside_cel_gives_no_answer() -> None:
    class Broken:
        def eval(self, data: dict[str, object]) -> object:
            raise RuntimeError("budget exceeded")

    answer = evaluate(Condition(text="x", fields=(), expression=Broken()), {})
    assert answer.outcome is None
    assert "budget exceeded" in str(answer.error)


def test_every_bad_fact_is_named_in_both_languages() -> None:
    error = str(evaluate(shipped("002-2", 12), {"volume_m3": "x"}).error)
    chinese, _, english = error.partition(" / ")
    for name in ("volume_m3", "land_kind", "holder_kind"):
        assert name in chinese
        assert name in english


def test_facts_that_are_not_asked_for_are_not_looked_at() -> None:
    facts: dict[str, Any] = {"registration_level": "市级", "volume_m3": object()}
    assert evaluate(shipped("001-2", 36), facts).outcome is True


@pytest.mark.parametrize(
    ("value", "outcome"), [(5000, True), (4999, False), (True, None), ("5000", None), (2**53, None)]
)
def test_whole_numbers(value: object, outcome: bool | None) -> None:
    """年出栏生猪5000头及以上 [001 附件2 序号27]."""
    facts = {"annual_pigs": value, "involves_sensitive_area": False}
    assert evaluate(shipped("001-2", 27), facts).outcome is outcome


@pytest.mark.parametrize(("value", "outcome"), [(True, True), (False, False), (1, None), ("true", None)])
def test_truth_values(value: object, outcome: bool | None) -> None:
    """涉及敏感区 makes any size of farm fall under the item [001 附件2 序号27]."""
    facts = {"annual_pigs": 0, "involves_sensitive_area": value}
    assert evaluate(shipped("001-2", 27), facts).outcome is outcome


@pytest.mark.parametrize(
    ("works", "scale", "cross", "height", "outcome"),
    [
        ("新建", "小(1)型", False, "80", True),
        ("新建", "小（1）型", False, "80", True),
        ("新建", "小(2)型", True, "10", True),
        ("新建", "小(2)型", False, "10", False),
        ("新建", "中型", True, "10", False),
        ("改扩建", "中型", False, "50", True),
        ("除险加固", "中型", False, "49.999999", True),
        ("除险加固", "中型", False, "50.000001", False),
        ("除险加固", "小(1)型", False, "50", True),
        ("除险加固", "小(2)型", True, "20", False),
        ("改扩建", "大型", False, "20", False),
    ],
)
def test_reservoirs(works: str, scale: str, cross: bool, height: str, outcome: bool) -> None:
    facts = {"works_kind": works, "reservoir_scale": scale, "cross_county": cross, "dam_height_m": height}
    assert evaluate(shipped("001-2", 29), facts).outcome is outcome


@pytest.mark.parametrize("number", range(36, 42))
def test_standard_terms_of_businesses_registered_by_the_city(number: int) -> None:
    assert evaluate(shipped("001-2", number), {"registration_level": "市级"}).outcome is True
    assert evaluate(shipped("001-2", number), {"registration_level": "县级"}).outcome is False


@pytest.mark.parametrize(
    ("same", "cross", "outcome"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_pupils_across_counties_of_one_city(same: bool, cross: bool, outcome: bool) -> None:
    assert evaluate(shipped("001-2", 44), {"same_city": same, "cross_county": cross}).outcome is outcome


@pytest.mark.parametrize("number", range(14, 19))
@pytest.mark.parametrize(
    ("venue", "outcome"),
    [
        ("理发店", True),
        ("宾馆", True),
        ("饭馆", False),
        ("咖啡馆", False),
        ("酒吧", False),
        ("茶座", False),
        ("餐馆", False),
    ],
)
def test_venues_that_need_no_permit_refuse(number: int, venue: str, outcome: bool) -> None:
    """除饭馆、咖啡馆、酒吧、茶座等: only named kinds pass, so a new word for a bar does not."""
    assert evaluate(shipped("002-2", number), {"venue_kind": venue}).outcome is outcome


def test_items_with_a_condition() -> None:
    found = {(row.list, row.number) for row in load_shipped().items if row.condition}
    city = {("001-2", number) for number in (27, 29, *range(36, 42), 44)}
    assert found == city | {("002-2", number) for number in (12, *range(14, 19))}


def test_the_expression_is_kept_as_written() -> None:
    assert timber("1").expression == shipped("002-2", 12).text
    assert 'decimal("15")' in timber("x").expression


AT_LEAST_FIFTEEN = compile_condition('volume_m3 >= decimal("15")', VOLUME)
exact = st.decimals(min_value=0, max_value=10**12 - 1, places=6, allow_nan=False, allow_infinity=False)


@given(exact)
def test_a_comparison_is_the_one_of_exact_decimals(value: Decimal) -> None:
    answer = evaluate(AT_LEAST_FIFTEEN, {"volume_m3": format(value, "f")})
    assert answer.outcome is (value >= 15)


@given(st.integers(min_value=0, max_value=2_000_000))
def test_no_step_around_fifteen_is_lost(millionths: int) -> None:
    value = Decimal(14_000_000 + millionths).scaleb(-6)
    assert evaluate(AT_LEAST_FIFTEEN, {"volume_m3": format(value, "f")}).outcome is (value >= 15)


@given(exact, exact)
def test_written_and_declared_decimals_compare_alike(written: Decimal, declared: Decimal) -> None:
    condition = compile_condition(f'volume_m3 < decimal("{written:f}")', VOLUME)
    assert evaluate(condition, {"volume_m3": format(declared, "f")}).outcome is (declared < written)


@given(st.text(alphabet="0123456789.+-eE_ １٣", max_size=24))
def test_scaling_is_exact_or_refused(text: str) -> None:
    value = scaled(text)
    if value is None:
        return
    assert Decimal(value) == Decimal(text) * 10**6
    assert text.isascii()


@given(st.one_of(st.text(max_size=30), st.integers(), st.booleans()))
def test_anything_declared_gives_a_typed_answer(value: str | int | bool) -> None:
    answer = evaluate(AT_LEAST_FIFTEEN, {"volume_m3": value})
    assert answer.outcome in {True, False, None}
    assert (answer.outcome is None) == (answer.error is not None)


@given(st.text(max_size=60))
def test_any_text_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(ConditionError, match=r"/ \d+:\d+: "):
        compile_condition(f"{text} && volume_m3", VOLUME)  # never a truth value


@given(st.text(max_size=40))
def test_folding_settles(text: str) -> None:
    assert fold(fold(text)) == fold(text)
