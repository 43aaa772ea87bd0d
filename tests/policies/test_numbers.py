"""Numbers: there, readable as what they are, and not used before."""

from collections.abc import Callable
from typing import Any

import pytest

from policies.decision import Finding
from policies.facts import Facts, NumberConflict

Change = Callable[[Facts, dict[str, Any]], Facts]
Find = Callable[[Facts, str], Finding]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"request.document_number": None}, "no document number is given"),
        ({"request.document_number": ""}, "no document number is given"),
        ({"request.document_number": "　 "}, "no document number is given"),
        ({"request.licence_number": None}, "no licence number is given"),
        ({"request.licence_number": " "}, "no licence number is given"),
        ({"request.case_number": ""}, "no case number is given"),
        ({"request.document_number": "9" * 65}, "the document number has 65 characters, expected at most 64"),
        ({"request.licence_number": "⑩" * 33}, "the licence number has 66 characters"),
        ({"request.predecessor": "9" * 65}, "the predecessor's number has 65 characters"),
        ({"request.case_number": "9" * 65}, "the case number has 65 characters"),
        ({"request.document_number": "赣審\u200b12号"}, "the document number holds an invisible"),
        ({"request.document_number": "赣\ue00012号"}, "a private-use character U+E000"),
        ({"request.licence_number": "\u202e21"}, "the licence number holds an invisible formatting or bidi"),
        ({"request.licence_number": "容А17"}, "CYRILLIC SMALL LETTER A"),
        ({"request.predecessor": "カ12"}, "the predecessor's number holds U+30AB KATAKANA LETTER KA"),
        ({"request.document_number": "号"}, "the document number has no digit"),
        ({"request.licence_number": "赣卫证字"}, "the licence number has no digit"),
        ({"request.document_number": "兴审批〔2026〕7号。"}, "the document number begins or ends with punctuation"),
        ({"request.document_number": "〔2026"}, "the document number has an unpaired bracket"),
        ({"request.document_number": "兴审批〔2026〕第"}, "the document number goes on after the number"),
        ({"request.case_number": "1\n2"}, "the case number holds a control character U+000A"),
    ],
)
def test_numbers_are_given_and_plain(
    changes: dict[str, Any], told: str | None, city_county: Facts, change: Change, find: Find
) -> None:
    finding = find(change(city_county, changes), "numbers_given")
    assert not finding.passed
    assert told in finding.en


@pytest.mark.parametrize(
    "changes",
    [
        {"request.document_number": "9" * 64},
        {"request.document_number": "赣市行审特设［２０２６］１７号"},
        {"request.predecessor": "容3LC赣B00016(25)"},
        {"request.predecessor": "旧证", "request.case_number": "办件-甲"},
        {"request.document_kind": "decision", "request.licence_number": None},
    ],
)
def test_numbers_as_offices_write_them_pass(
    changes: dict[str, Any], city_county: Facts, change: Change, find: Find
) -> None:
    assert find(change(city_county, changes), "numbers_given").passed


def test_a_number_in_use_refuses(city_county: Facts, change: Change, find: Find) -> None:
    conflicts = (
        NumberConflict(name="document_number", value="赣市行审特设（2026）17号", used_by="app-9"),
        NumberConflict(name="licence_number", value="容3LC赣B00017(26)", used_by="2026112300001"),
    )
    finding = find(change(city_county, {"number_conflicts": conflicts}), "numbers_given")
    assert not finding.passed
    assert finding.en == (
        "the document number 赣市行审特设（2026）17号 is in use by app-9, expected one not in use; "
        "the licence number 容3LC赣B00017(26) is in use by 2026112300001, expected one not in use"
    )
    assert finding.zh.count("应未被使用") == 2


def test_unchecked_uniqueness_is_not_uniqueness(city_county: Facts, change: Change, find: Find) -> None:
    assert not find(change(city_county, {"number_conflicts": None}), "numbers_given").passed
    assert find(change(city_county, {"number_conflicts": ()}), "numbers_given").passed
