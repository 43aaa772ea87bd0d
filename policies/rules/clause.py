"""How a rule is written: a judgement of the facts, its stable code, and the clause that asks for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from policies.decision import Finding
from policies.facts import Facts
from policies.words import FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What was found and what was expected, once in each language."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a judgement came to, before its code and source are put to it."""

    passed: bool
    zh: str
    en: str


Judgement = Callable[[Facts], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRule:
    """A rule as the rule sets hold it: call it with facts, get a finding.

    ``city_county`` and ``county_township`` are the clauses under either regime; which one a finding
    names follows from the agreement, and without an agreement it names both.
    """

    code: str
    city_county: str
    county_township: str
    judge: Judgement

    def __call__(self, facts: Facts) -> Finding:
        """Judge ``facts``. Never raises for a fact that is missing: that is a finding."""
        outcome = self.judge(facts)
        return Finding(code=self.code, passed=outcome.passed, zh=outcome.zh, en=outcome.en, source=self.source(facts))

    def source(self, facts: Facts) -> str:
        """The clause that binds under the agreement's regime."""
        if facts.agreement is None:
            return " / ".join(dict.fromkeys((self.city_county, self.county_township)))
        return self.city_county if facts.agreement.regime == "city_county" else self.county_township


def rule(code: str, *, city_county: str, county_township: str) -> Callable[[Judgement], ClauseRule]:
    """Make a judgement a rule with a stable ``code`` and its clause under either regime."""

    def make(judge: Judgement) -> ClauseRule:
        return ClauseRule(code=code, city_county=city_county, county_township=county_township, judge=judge)

    return make


def passed(zh: str, en: str) -> Outcome:
    """The rule holds; the sentences say what was found."""
    return Outcome(passed=True, zh=zh, en=en)


def refused(zh: str, en: str) -> Outcome:
    """The rule does not hold; the sentences say what was found and what was expected."""
    return Outcome(passed=False, zh=zh, en=en)


def judged(problems: Iterable[Sentence], *, zh: str, en: str) -> Outcome:
    """Refused with every problem there is, or passed with the sentences given."""
    found = tuple(problems)
    if found:
        return refused("；".join(each.zh for each in found), "; ".join(each.en for each in found))
    return passed(zh, en)


def missing(facts: Facts, *names: str) -> Outcome:
    """Refused because some of the facts ``names`` (fields of :class:`Facts`) could not be had."""
    absent = [name for name in names if getattr(facts, name) is None]
    return refused(
        f"缺少判断所需的事实：{'、'.join(FACTS[name] for name in absent)}",
        f"facts needed for this rule are missing: {', '.join(absent)}",
    )
