"""The document: in the grantor's name, stating what it is sealed for, and sealable."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts, ItemKey, Objection, Statement

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]


@pytest.mark.parametrize(
    "line",
    [
        "兴国县林业局",
        "县林业局",
        " 兴 国 县 林 业 局 ",
        "兴国县林业局（盖章）",
        "（兴国县林业局",
        "发证机关：兴国县林业局",
        "发证机关（盖章）：兴国县林业局",
        "审批部门: 兴国县林业局(公章)",
        "⽴兴国县林业局",
        "兴国县兴江乡人民政府",
        "兴江乡",
        "兴国县兴江乡人民政府代兴国县林业局",
        "兴国县林业局 兴国县兴江乡人民政府",
        "经办：兴国县林业局",
        "赣州市林业局",
        "",
    ],
)
def test_the_issuer_line_is_the_grantors(line: str | None, county_township: Facts, change: Change, find: Find) -> None:
    good = [
        "兴国县林业局",
        "县林业局",
        " 兴 国 县 林 业 局 ",
        "兴国县林业局（盖章）",
        "发证机关：兴国县林业局",
        "发证机关（盖章）：兴国县林业局",
        "审批部门: 兴国县林业局(公章)",
    ]
    finding = find(change(county_township, {"document.issuer_line": line}), "in_grantors_name")
    assert finding.passed is (line in good)
    assert finding.source == "[行政许可法 24] [002 附件3 四.2]"
    if line not in good:
        assert "expected the grantor 兴国县林业局 and never the grantee" in finding.en


@pytest.mark.parametrize("alias", ["行政审批局", "兴国县行政审批局"])
def test_a_name_that_both_organs_go_by_is_not_the_grantors(
    alias: str, city_county: Facts, change: Change, find: Find
) -> None:
    changes = {"grantor.aliases": ("行政审批局",), "grantee.aliases": ("行政审批局",)}
    facts = change(city_county, {**changes, "document.issuer_line": alias})
    assert not find(facts, "in_grantors_name").passed


@pytest.mark.parametrize(
    ("line", "confirmed", "passes"),
    [
        (None, True, True),
        (None, False, False),
        ("兴国县兴江乡人民政府", True, False),
        ("兴国县林业局", False, True),
    ],
)
def test_a_confirmation_counts_only_where_no_line_can_be_read(
    line: str | None, confirmed: bool, passes: bool, county_township: Facts, change: Change, find: Find
) -> None:
    facts = change(county_township, {"document.issuer_line": line, "document.issuer_confirmed": confirmed})
    assert find(facts, "in_grantors_name").passed is passes


def _stated(facts: Facts, name: str, **changes: object) -> tuple[Statement, ...]:
    """The statements of ``facts`` with one changed; no changes drop it."""
    old = facts.document.statements
    if not changes:
        return tuple(each for each in old if each.name != name)
    (one,) = [each for each in old if each.name == name]
    values = {"name": name, "value": one.value, "found": one.found, "confirmed": one.confirmed} | changes
    return tuple(Statement(**values) if each is one else each for each in old)


NAMES = ["item", "document_number", "licence_number", "facts.volume_m3", "facts.trees", "facts.own_plot"]


@pytest.mark.parametrize("name", NAMES)
def test_each_value_must_be_stated(name: str, county_township: Facts, change: Change, find: Find) -> None:
    dropped = change(county_township, {"document.statements": _stated(county_township, name)})
    finding = find(dropped, "document_states_facts")
    assert not finding.passed
    assert finding.en.startswith(f"{name} （未查） was not found")
    absent = change(county_township, {"document.statements": _stated(county_township, name, found=False)})
    assert not find(absent, "document_states_facts").passed


@pytest.mark.parametrize("name", NAMES)
def test_the_approver_may_confirm_a_value_by_name(
    name: str, county_township: Facts, change: Change, find: Find
) -> None:
    statements = _stated(county_township, name, found=False, confirmed=True)
    facts = change(county_township, {"document.statements": statements})
    assert not find(facts, "document_states_facts").passed
    assert not find(change(facts, {"approval.confirms": ("other",)}), "document_states_facts").passed
    assert find(change(facts, {"approval.confirms": ("other", name)}), "document_states_facts").passed
    assert not find(change(facts, {"approval": None}), "document_states_facts").passed


def test_without_an_approval_the_text_itself_still_counts(county_township: Facts, change: Change, find: Find) -> None:
    assert find(change(county_township, {"approval": None}), "document_states_facts").passed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("item", "燃气经营许可证"),
        ("document_number", "兴林采决〔2026〕13号"),
        ("licence_number", "兴林采字〔2026〕0013号"),
        ("facts.volume_m3", "2"),
        ("facts.trees", "15"),
        ("facts.own_plot", " "),
    ],
)
def test_a_statement_of_another_value_is_none(
    name: str, value: object, county_township: Facts, change: Change, find: Find
) -> None:
    facts = change(county_township, {"document.statements": _stated(county_township, name, value=value)})
    assert not find(facts, "document_states_facts").passed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("item", "林木采伐许可证核发(农村居民自留山和个人承包集体林地)"),
        ("document_number", "兴林采决[2026]12号"),
        ("facts.own_plot", "农村居民自留山"),
    ],
)
def test_a_value_may_be_typed_otherwise(
    name: str, value: object, county_township: Facts, change: Change, find: Find
) -> None:
    facts = change(county_township, {"document.statements": _stated(county_township, name, value=value)})
    assert find(facts, "document_states_facts").passed


@pytest.mark.parametrize(
    ("kind", "number", "stated", "passes"),
    [
        ("decision", None, False, True),
        ("decision", "容3LC赣B00017(26)", False, False),
        ("licence", None, False, False),
        ("licence", "容3LC赣B00017(26)", True, True),
    ],
)
def test_a_licence_number_is_stated_where_there_is_or_should_be_one(
    kind: str, number: str | None, stated: bool, passes: bool, city_county: Facts, change: Change, find: Find
) -> None:
    statements = city_county.document.statements if stated else _stated(city_county, "licence_number")
    facts = change(
        city_county,
        {"request.document_kind": kind, "request.licence_number": number, "document.statements": statements},
    )
    assert find(facts, "document_states_facts").passed is passes


def test_a_document_of_another_item_is_not_sealed(city_county: Facts, change: Change, find: Find) -> None:
    facts = change(
        city_county,
        {
            "item.key": ItemKey(list="001-2", number=28),
            "item.name": "燃气经营许可证核发 燃气经营许可证变更",
            "item.aliases": ("燃气经营许可证",),
        },
    )
    finding = find(facts, "document_states_facts")
    assert not finding.passed
    assert "文书中找不到 item" in finding.zh


def test_every_objection_is_told(city_county: Facts, change: Change, find: Find) -> None:
    objections = (
        Objection(code="javascript", zh="对象 7 含脚本", en="object 7 holds JavaScript"),
        Objection(code="xfa", zh="表单为 XFA", en="the form is XFA"),
    )
    finding = find(change(city_county, {"document.objections": objections}), "document_sealable")
    assert not finding.passed
    assert finding.en == "object 7 holds JavaScript (javascript); the form is XFA (xfa)"
    assert finding.zh == "对象 7 含脚本（javascript）；表单为 XFA（xfa）"


@pytest.mark.parametrize(("pages", "passes"), [(1, True), (300, True), (0, False), (-1, False)])
def test_a_document_has_pages(pages: int, passes: bool, city_county: Facts, change: Change, find: Find) -> None:
    assert find(change(city_county, {"document.pages": pages}), "document_sealable").passed is passes
