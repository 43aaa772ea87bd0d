"""Rule sets by version, and the one function that decides.

A rule is never edited, only superseded: a changed rule is a new function beside the old one, and a new
version here names the new tuple. So a decision of any day can be made again with the rules of that day.
"""

from collections.abc import Sequence
from typing import ClassVar

from policies.decision import Decision, Rule
from policies.facts import Facts
from policies.rules.agreement import agreement_in_force, filed_with_grantor
from policies.rules.approval import approval_assurance, approval_fresh, principal_approved
from policies.rules.certificate import key_certified
from policies.rules.clause import ClauseRule
from policies.rules.document import document_sealable, document_states_facts, in_grantors_name
from policies.rules.item import item_condition, item_delegable, item_implementer, item_listed, item_region
from policies.rules.limits import allowed_network, monthly_cap, working_hours
from policies.rules.numbers import numbers_given
from policies.rules.people import applicant_is_seal_user, caller_for_grantee, custodian_named, two_persons
from policies.rules.seal import daily_cap, seal_active, seal_fits_grantee

RULE_SETS: dict[str, tuple[ClauseRule, ...]] = {
    "2026-11": (
        seal_active,
        seal_fits_grantee,
        agreement_in_force,
        item_listed,
        item_delegable,
        item_implementer,
        item_region,
        item_condition,
        in_grantors_name,
        caller_for_grantee,
        applicant_is_seal_user,
        custodian_named,
        principal_approved,
        approval_fresh,
        approval_assurance,
        two_persons,
        numbers_given,
        document_states_facts,
        key_certified,
        document_sealable,
        filed_with_grantor,
        daily_cap,
    ),
    "2026-12": (
        seal_active,
        seal_fits_grantee,
        agreement_in_force,
        item_listed,
        item_delegable,
        item_implementer,
        item_region,
        item_condition,
        in_grantors_name,
        caller_for_grantee,
        applicant_is_seal_user,
        custodian_named,
        principal_approved,
        approval_fresh,
        approval_assurance,
        two_persons,
        numbers_given,
        document_states_facts,
        key_certified,
        document_sealable,
        filed_with_grantor,
        daily_cap,
        monthly_cap,
        working_hours,
        allowed_network,
    ),
}
"""Every version there ever was, each a tuple of rules in the order of their findings."""

CURRENT = "2026-12"
"""The version that new decisions are made with."""


class PolicyError(Exception):
    """The rules could not be asked. Not a refusal: a refusal is a :class:`Decision`."""

    code: ClassVar[str] = "policy"

    def __init__(self, zh: str, en: str) -> None:
        """Say in Chinese and English what was found and what was expected."""
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


class UnknownRuleSetError(PolicyError):
    """No rule set has this version; the decision was made by a newer program, or its record is broken."""

    code = "rule-set-unknown"


def rules_of(rule_set: str) -> tuple[ClauseRule, ...]:
    """The rules of a version, in order. Raises :class:`UnknownRuleSetError`."""
    rules = RULE_SETS.get(rule_set)
    if rules is None:
        known = ", ".join(RULE_SETS)
        raise UnknownRuleSetError(
            f"没有规则集 {rule_set}，应为其中之一：{known}",
            f"no rule set {rule_set}, expected one of: {known}",
        )
    return rules


def judge(facts: Facts, rules: Sequence[Rule], rule_set: str) -> Decision:
    """Run every rule; nothing stops at the first refusal, and no rules at all means refused."""
    return Decision(rule_set=rule_set, findings=tuple(rule(facts) for rule in rules))


def decide(facts: Facts, rule_set: str = CURRENT) -> Decision:
    """Decide with the rules of one version. Raises :class:`UnknownRuleSetError`."""
    return judge(facts, rules_of(rule_set), rule_set)
