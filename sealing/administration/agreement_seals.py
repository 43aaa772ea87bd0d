"""What becomes of the seals when their agreement is suspended, resumed, ended or recalled, or when its period is over.

The seals stop in the very transaction that changes the agreement. What an agreement stopped, and nobody stopped for a
reason of its own meanwhile, goes on when that agreement is resumed: two persons decided that.
"""

from datetime import datetime
from typing import Final

from registry.agreements import AgreementChange
from registry.changes import Changes
from registry.key_life import KeyRole
from registry.records import Agreement, Seal
from registry.store import Act, Actor
from sealing.administration import key_steps
from sealing.administration.acts import acting
from sealing.workshop import Workshop

_BY_RULE: Final[KeyRole] = "system"
_SERVICE: Final = "印信服务 Yinxin service"
_LAPSED: Final = "协议期限届满，自动停用 / the period of the agreement is over: suspended by the service"


def follow(changes: Changes, agreement: str, change: AgreementChange) -> None:
    """Let the seals follow a change of their agreement, whose lock is held. Raises ``TransitionError``."""
    if change == "resume":
        _resume(changes, agreement)
    else:
        suspend_all(changes, agreement)


def suspend_all(changes: Changes, agreement: str) -> list[str]:
    """Suspend the agreement's active seals and put their certificates on hold; the ids of those."""
    active = changes.store.find(changes.connection, Seal, agreement=agreement, state="active")
    for seal in active:
        changes.suspend_with_agreement(seal.record.id)
        key_steps.hold(changes, seal.record.id, role=_BY_RULE)
    return [seal.record.id for seal in active]


def _resume(changes: Changes, agreement: str) -> None:
    """Resume what the agreement alone stopped; without a custodian, or past the period, it stays suspended."""
    terms = changes.store.get(changes.connection, Agreement, agreement).record.terms
    if changes.act.now >= terms.period.valid_until:
        return
    for seal in changes.store.find(changes.connection, Seal, agreement=agreement, state="suspended"):
        if seal.record.suspended_with_agreement and seal.record.custodian is not None:
            changes.change_seal(seal.record.id, "resume")
            key_steps.release(changes, seal.record.id, role="administrator")


def suspend_lapsed(shop: Workshop, now: datetime) -> list[str]:
    """Suspend the seals of every agreement whose period is over, each agreement in a transaction; their ids.

    Sealing refuses them by the period already; this is what makes their certificates say so. Several processes may
    do it at once. Raises ``registry`` and ``ledger`` errors.
    """
    act = Act(by=Actor(id=shop.installation.id, name=_SERVICE, organ=None), why=_LAPSED, now=now)
    suspended = []
    for agreement in _over(shop, now):
        with acting(shop, act) as changes:
            present = changes.store.lock(changes.connection, Agreement, agreement).record
            if present.terms.period.valid_until <= now:  # else an amendment came meanwhile
                suspended += suspend_all(changes, agreement)
    return suspended


def _over(shop: Workshop, now: datetime) -> list[str]:
    with shop.database.read() as connection:
        used = {seal.record.agreement for seal in shop.registry.find(connection, Seal, state="active")}
        agreements = [shop.registry.get(connection, Agreement, each).record for each in sorted(used)]
    return [each.id for each in agreements if each.terms.period.valid_until <= now]
