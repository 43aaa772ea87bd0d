"""Steps in the life of a seal's certified keys, each part of an act that holds the agreement's lock.

A seal has one present certificate and may have retired ones; a hold or a revocation is of all of them. The rules are
in :mod:`registry.key_life`, and each step is an entry ``seal_key.<verb>``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from registry import seal_keys
from registry.changes import Changes
from registry.errors import TransitionError
from registry.key_life import KeyRole
from registry.records import Agreement, Seal, SealKey
from registry.seal_keys import RevocationReason
from registry.store import Stored
from sealing.administration.acts import put


def activate(changes: Changes, seal_id: str, *, role: KeyRole) -> None:
    """Let the present key of the seal seal from now on. Raises :class:`TransitionError` ``seal-needs-new-key``."""
    found = changes.store.find_one(changes.connection, SealKey, seal=seal_id, current=True)
    if found.record.state == "certified":  # rows from before states were kept say active already
        put(changes, seal_keys.activate(found.record, role=role), replaces=found, verb="activated")


def hold(changes: Changes, seal_id: str, *, role: KeyRole) -> None:
    """Put every certificate of the seal on hold; what is on hold or revoked for good stays so."""
    for found in living(changes, seal_id):
        if found.record.revoked_at is None:
            held = seal_keys.suspend(found.record, role=role, now=changes.act.now)
            put(changes, held, replaces=found, verb="held")


def release(changes: Changes, seal_id: str, *, role: KeyRole) -> None:
    """Take every certificate of the seal off hold; what is revoked for good stays so."""
    for found in living(changes, seal_id):
        if found.record.revoked_at is not None:
            resumed = seal_keys.resume(found.record, role=role, now=changes.act.now)
            put(changes, resumed, replaces=found, verb="released")


def revoke(
    changes: Changes, seal_id: str, taken: Literal["suspect", "cancel"], *, reason: RevocationReason, role: KeyRole
) -> int:
    """Revoke every certificate of the seal that is not revoked for good yet; how many those were."""
    found = living(changes, seal_id)
    for each in found:
        revoked = seal_keys.revoke(each.record, taken, reason=reason, role=role, now=changes.act.now)
        put(changes, revoked, replaces=each, verb="revoked")
    return len(found)


def living(changes: Changes, seal_id: str) -> list[Stored[SealKey]]:
    """The seal's certificates that are not revoked for good: present, retired, on hold."""
    found = changes.store.find(changes.connection, SealKey, seal=seal_id)
    return [each for each in found if each.record.revoked is None]


def check_usable(changes: Changes, seal_id: str) -> None:
    """Raises :class:`TransitionError` ``seal-needs-new-key`` unless the present key of the seal may seal again."""
    present = changes.store.look_one(changes.connection, SealKey, seal=seal_id, current=True)
    if present is None or present.record.revoked is not None:
        found = "none" if present is None else f"{present.record.state} ({present.record.revoked_reason})"
        raise TransitionError(
            "seal-needs-new-key",
            f"印章现有密钥为 {found}，不能再用；须先更换密钥",
            f"the seal's present key is {found} and cannot be used again; give the seal a new key first",
        )


def destroy(changes: Changes, seal_id: str, key_ref: str, evidence: Mapping[str, str]) -> None:
    """Record that the private key is gone, for each certificate that was issued for it."""
    for found in changes.store.find(changes.connection, SealKey, seal=seal_id):
        if found.record.key_ref == key_ref and found.record.state != "destroyed":
            put(changes, seal_keys.destroy(found.record, evidence), replaces=found, verb="destroyed")


def check_in_force(agreement: Agreement, now: datetime) -> None:
    """Raises :class:`TransitionError` ``agreement-not-in-force`` unless seals may be used under it now or later."""
    ends = agreement.terms.period.valid_until
    if agreement.state != "in_force" or now >= ends:
        raise TransitionError(
            "agreement-not-in-force",
            f"协议状态为 {agreement.state}，期限至 {ends.isoformat()}；应为 in_force 且未届满",
            f"the agreement is {agreement.state} until {ends.isoformat()}; expected in_force, its period not over",
        )


def lock_agreement(changes: Changes, seal_id: str) -> Stored[Seal]:
    """Lock the seal's agreement and read the seal behind that lock. Raises ``NotFoundError``."""
    seal = changes.store.get(changes.connection, Seal, seal_id)
    changes.store.lock(changes.connection, Agreement, seal.record.agreement)
    return changes.store.get(changes.connection, Seal, seal_id)


def check_living(seal: Seal) -> None:
    """Raises :class:`TransitionError` ``seal-is-cancelled`` for a seal that will never be used again."""
    if not seal.takes_its_number:
        raise TransitionError(
            "seal-is-cancelled",
            f"印章状态为 {seal.state}，不再签发证书",
            f"the seal is {seal.state} and gets no certificate any more",
        )
