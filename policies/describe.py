"""The rules as a list, for documents and for people who ask what is checked."""

import inspect
from dataclasses import dataclass

from policies.rulesets import CURRENT, rules_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One rule: its stable code, its clause under either regime, and what must hold."""

    code: str
    city_county: str
    county_township: str
    must_hold: str


def describe(rule_set: str = CURRENT) -> tuple[Description, ...]:
    """Every rule of a version, in order. Raises :class:`policies.rulesets.UnknownRuleSetError`."""
    return tuple(
        Description(
            code=rule.code,
            city_county=rule.city_county,
            county_township=rule.county_township,
            must_hold=(inspect.getdoc(rule.judge) or "").partition("\n")[0],
        )
        for rule in rules_of(rule_set)
    )
