"""The physical twin of a seal, used while the service could not be reached: recorded, judged, never blocked.

The same rules are applied, but their findings only inform, so that one register is complete. What only an
electronic document can show (its digest, its text, its certificate) is missing and said to be missing. What does block
is a stranger: only a caller for the organ that the seal was lent to writes into that organ's register.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.entry import Draft
from ledger.ids import new_id
from policies.decision import Finding
from policies.roles import PRINCIPALS, principal_roles, roles_at
from policies.rulesets import decide
from registry.records import Person
from sealing import register_lines
from sealing.entries import decision_group, finding_json, findings_json
from sealing.errors import NotAllowedError, OrderError
from sealing.gather import gather
from sealing.inspection import Presented
from sealing.order import Caller, Order
from sealing.parts import SealParts, seal_parts
from sealing.reader import Reader
from sealing.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperUse:
    """One use of the physical seal, as reported."""

    order: Order
    used_at: datetime
    reason: str
    approver: str | None  # person who signed on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPaperUse:
    """The entry of a paper use and what the rules say about it."""

    id: str
    entry: int
    findings: list[dict[str, Any]]


def paper_use(shop: Workshop, use: PaperUse, caller: Caller, now: datetime) -> RecordedPaperUse:
    """Record a use of the physical seal [000 二(三)].

    Raises :class:`NotAllowedError` when the caller may not act for the organ, :class:`OrderError` for a seal that was
    not lent to it and for a time in the future.
    """
    if use.order.organ not in caller.organs:
        raise NotAllowedError(
            "not-your-organ",
            f"本系统无权代表单位 {use.order.organ}；可代表：{'、'.join(caller.organs)}",
            f"this client may not act for organ {use.order.organ}; it may for {', '.join(caller.organs)}",
        )
    if use.used_at > now:
        raise OrderError(
            "used-in-the-future",
            f"用章时间 {use.used_at.isoformat()} 晚于现在 {now.isoformat()}",
            f"the time of use {use.used_at.isoformat()} is after now, {now.isoformat()}",
        )
    paper = new_id("pap")
    with shop.database.write() as connection:
        presented = Presented(order=use.order, caller=caller, application=paper)
        parts = _lent_to(use.order, seal_parts(connection, shop.registry, use.order.seal, lock=True))
        gathered = gather(connection, shop, presented, parts, now)
        decision = decide(gathered.facts)
        reader = Reader(connection, shop, now)
        approver = reader.person(use.approver)
        finding = _judge_approver(reader, use, approver, parts)
        named = {"principal": use.approver, "principal_name": approver.name if approver and finding.passed else None}
        draft = Draft(
            kind="paper.used",
            subjects=(paper,),
            groups={
                "application": {"application": paper, "client": caller.client, "address": caller.address},
                "paper": {
                    "used_at": use.used_at.isoformat(),
                    "reason": use.reason,
                    "findings": [finding_json(finding)],
                },
                "case": gathered.case_group(),
                "numbers": gathered.numbers_group(),
                "persons": gathered.persons_group() | named,
                "seal": gathered.seal_group(),
                "decision": decision_group(gathered, decision),
            },
        )
        entry = shop.book.append(connection, draft, now)
        register_lines.record(connection, register_lines.told_by_draft(draft, entry))
    return RecordedPaperUse(id=paper, entry=entry.index, findings=[*findings_json(decision), finding_json(finding)])


def _lent_to(order: Order, parts: SealParts | None) -> SealParts:
    """The seal's parts. A seal that is not there and one that was lent to others are told in the same words."""
    if parts is None or parts.agreement.record.terms.grantee != order.organ:
        raise OrderError(
            "seal-not-lent-to-organ",
            f"单位 {order.organ} 没有可用的印章 {order.seal}",
            f"organ {order.organ} was lent no seal {order.seal}",
        )
    return parts


def _judge_approver(reader: Reader, use: PaperUse, approver: Person | None, parts: SealParts) -> Finding:
    """Whether the person who signed on paper was a principal of the organ, or acted for one, when the seal was used."""
    facts, organ = reader.person_facts(approver), use.order.organ
    roles = () if facts is None else roles_at(facts, organ, use.used_at)
    passed = facts is not None and any(
        principal_roles(facts, organ, use.used_at, on_behalf_of=role.on_behalf_of)
        for role in roles
        if role.role in PRINCIPALS
    )
    name, word = use.approver or "–", "was" if passed else "was not"
    return Finding(
        code="approver_is_principal",
        passed=passed,
        zh=f"书面批准人 {name} 用章时{'是' if passed else '不是'}单位 {organ} 的主要负责人或其代行人",
        en=f"the approver on paper, {name}, {word} a principal of organ {organ} at the time of use",
        source="[000 二(二)]" if parts.agreement.record.terms.regime == "city_county" else "[002 附件3 二.2]",
    )
