"""Released rules stay as they are: the digest of each rule's source, and decisions made long ago.

A changed rule is a new function in a new version of the rule set; the old one stays for old decisions.
The digest of a rule covers its function, the functions of this package that it calls, and the constants
they use. ``policies.words`` is left out: it names things in sentences and decides nothing.
"""

import inspect
import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from policies.facts import Facts, from_json, to_json
from policies.rules.clause import ClauseRule
from policies.rulesets import RULE_SETS, decide

VECTORS = Path(__file__).parent.parent / "vectors"
DECISIONS = sorted((VECTORS / "decisions").glob("*.json"))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _text(constant: object) -> str:
    return constant.pattern if isinstance(constant, re.Pattern) else repr(constant)


def _source(function: FunctionType, seen: dict[str, str]) -> None:
    """Collect into ``seen`` the source of a function and of everything of ours that it uses."""
    seen[f"{function.__module__}.{function.__qualname__}"] = inspect.getsource(function)
    for name in _names(function.__code__):
        used = function.__globals__.get(name)
        if isinstance(used, FunctionType):
            ours = used.__module__.startswith("policies.") and used.__module__ != "policies.words"
            if ours and f"{used.__module__}.{used.__qualname__}" not in seen:
                _source(used, seen)
        elif isinstance(used, str | int | tuple | dict | re.Pattern):
            seen[f"{function.__module__}.{name}"] = _text(used)


def source_digest(rule: ClauseRule) -> str:
    assert isinstance(rule.judge, FunctionType)
    seen: dict[str, str] = {}
    _source(rule.judge, seen)
    text = "\n".join(f"{name}\n{source}" for name, source in sorted(seen.items()))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def recorded(version: str) -> list[dict[str, str]]:
    path = VECTORS / "rule_sets" / f"{version}.json"
    assert path.exists(), f"record the new rule set in {path.name}: {json.dumps(as_built(version), indent=1)}"
    loaded: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def as_built(version: str) -> list[dict[str, str]]:
    return [
        {"code": rule.code, "function": rule.judge.__name__, "source": source_digest(rule)}
        for rule in RULE_SETS[version]
    ]


@pytest.mark.parametrize("version", RULE_SETS)
def test_a_rule_set_keeps_its_rules_in_their_order(version: str) -> None:
    kept = [(each["code"], each["function"]) for each in recorded(version)]
    assert [(each["code"], each["function"]) for each in as_built(version)] == kept, "supersede, do not edit"


@pytest.mark.parametrize("version", RULE_SETS)
def test_a_released_rule_is_never_edited(version: str) -> None:
    before = {each["code"]: each["source"] for each in recorded(version)}
    edited = [each["code"] for each in as_built(version) if each["source"] != before.get(each["code"])]
    assert edited == [], "supersede, do not edit"


def test_no_released_rule_set_is_dropped() -> None:
    assert {path.stem for path in (VECTORS / "rule_sets").glob("*.json")} == set(RULE_SETS)


def test_a_digest_covers_what_a_rule_calls_and_the_constants_it_uses() -> None:
    rules = {rule.code: rule for rule in RULE_SETS["2026-11"]}
    seen: dict[str, str] = {}
    judge = rules["filed_with_grantor"].judge
    assert isinstance(judge, FunctionType)
    _source(judge, seen)
    assert {
        "policies.rules.agreement.filed_with_grantor",
        "policies.rules.agreement.LONGEST_NUMBER",
        "policies.folding.find_lookalike",
        "policies.folding.fold",
        "policies.folding._TABLE",
        "policies.folding._DASH_RUN",
        "policies.folding.is_han",
        "policies.rules.clause.refused",
    } <= set(seen)
    assert seen["policies.folding._DASH_RUN"] == "-(?: ?-)+"
    assert not any(name.startswith("policies.words") for name in seen)


def test_an_edit_of_a_rule_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    (rule,) = [each for each in RULE_SETS["2026-11"] if each.code == "item_delegable"]
    before = source_digest(rule)
    assert isinstance(rule.judge, FunctionType)
    monkeypatch.setitem(rule.judge.__globals__, "SEALING_MODES", {"city_county": "direct"})
    assert source_digest(rule) != before


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_an_old_decision_is_made_again(path: Path) -> None:
    vector: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    facts = from_json(Facts, vector["facts"])
    assert to_json(facts) == vector["facts"]
    decision = decide(facts, vector["rule_set"])
    found = [{"code": each.code, "passed": each.passed, "source": each.source} for each in decision.findings]
    assert found == vector["findings"]
    assert decision.allowed is vector["allowed"]


def test_both_regimes_have_an_allowed_decision_and_every_rule_a_refusal() -> None:
    vectors = [json.loads(path.read_text(encoding="utf-8")) for path in DECISIONS]
    allowed = {each["facts"]["agreement"]["regime"] for each in vectors if each["allowed"]}
    assert allowed == {"city_county", "county_township"}
    refused = {finding["code"] for each in vectors for finding in each["findings"] if not finding["passed"]}
    assert refused == {rule.code for rules in RULE_SETS.values() for rule in rules}


def test_sources_follow_the_regime_in_every_version() -> None:
    for rules in RULE_SETS.values():
        for rule in rules:
            assert "[002" not in rule.city_county
            assert "[000" not in rule.county_township
