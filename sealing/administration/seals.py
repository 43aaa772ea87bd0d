"""Issue a seal, certify its key, and lead it through its life.

Every change of a seal or its key is made under the lock of its agreement, because the seal cycle decides under it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from keystore.interface import Algorithm, SigningKey
from ledger.ids import new_id
from ledger.moments import to_text
from registry import seal_keys
from registry.catalogue import setup_in_force
from registry.catalogue_rows import SetupRow
from registry.changes import Changes
from registry.errors import RecordInvalidError, TransitionError
from registry.key_life import KeyRole
from registry.record import build
from registry.records import Agreement, Organ, Person, Seal, SealKey, Specimen
from registry.seal_keys import RevocationReason
from registry.seal_limits import ChosenLimits
from registry.seals import CheckMark, SealLevel, seal_name
from registry.store import Act, Stored
from sealing.administration import certification, key_steps, two_persons
from sealing.administration.acts import acting, put
from sealing.administration.key_steps import check_in_force, check_living, lock_agreement
from sealing.workshop import Workshop

SealStep = Literal["enable", "suspend", "resume"]
"""The changes of a seal that one person may make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPolicy:
    """How documents are sealed: the level, whether it may be lowered openly, and the mark beside the face."""

    level: SealLevel = "PAdES-B-LT"
    may_lower: bool = False
    check_mark: CheckMark = "qr"
    limits: ChosenLimits | None = None  # None: as they are; a new seal has none

    def values(self) -> dict[str, Any]:
        """The members of the seal's record that this policy chooses."""
        chosen: dict[str, Any] = {"level": self.level, "may_lower": self.may_lower, "check_mark": self.check_mark}
        if self.limits is not None:
            chosen |= {"daily_cap": self.limits.daily_cap, "limits": self.limits.without_daily_cap()}
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What a new seal is to be. Its number and name follow from the setup table and the grantor."""

    agreement: str
    custodian: str | None
    daily_cap: int | None = None
    diameter_mm: str = "42"
    imprint: str | None = None
    algorithm: Algorithm = "ecdsa-p256-sha256"
    policy: SealPolicy = SealPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """An agreement in force with its grantor, and the row of the setup table that gives a seal its number, if any."""

    agreement: Agreement
    grantor: Organ
    setup: SetupRow | None


def issue(shop: Workshop, request: SealRequest, act: Act) -> tuple[Stored[Seal], Stored[SealKey]]:
    """Register a seal in state ``pending``, generate its key and certify it for its agreement.

    Two persons: ``issue_seal``. Raises :class:`RecordInvalidError` when setup table, agreement and grantor do not fit
    each other, ``registry.errors.ConflictError`` when the number is taken, ``NotFoundError`` for a custodian that is
    not registered, ``authority`` and ``keystore`` errors.
    """
    with acting(shop, act) as changes:
        two_persons.require(changes, "issue_seal", agreement=request.agreement)
        agreement = shop.registry.lock(changes.connection, Agreement, request.agreement).record
        parties = parties_of(changes.connection, shop, agreement, act.now)
        if request.custodian is not None:
            changes.store.get(changes.connection, Person, request.custodian)
        number = 1 if parties.setup is None else parties.setup.number  # a seal without a setup row does not fit
        seal = build(
            Seal,
            id=new_id("sea"),
            owner=parties.grantor.code,
            number=number,
            name=seal_name(parties.grantor, number),
            agreement=parties.agreement.id,
            specimen=build(Specimen, diameter_mm=request.diameter_mm, sample=True, imprint=request.imprint),
            custodian=request.custodian,
            **{"daily_cap": request.daily_cap, **request.policy.values()},
        )
        stored = changes.register_seal(seal, setup=None if parties.setup is None else parties.setup.facts())
    key = shop.keystore.generate("seal", request.algorithm)
    return stored, _certify(shop, seal.id, key, act)


def _certify(shop: Workshop, seal_id: str, key: SigningKey, act: Act) -> Stored[SealKey]:
    """Certify ``key`` for the seal under the agreement in force; an earlier certificate is retired, not revoked.

    The intent is committed before the authority's key is used; the certificate is released with its entry.
    Raises as :func:`sealing.administration.certification.record`.
    """
    with acting(shop, act) as changes:
        seal = lock_agreement(changes, seal_id).record
        agreement = changes.store.get(changes.connection, Agreement, seal.agreement).record
        intended = certification.intend(changes, shop, seal, agreement, key)
    certificate = certification.make(shop, intended, act.now)
    with acting(shop, act) as changes:
        return certification.record(changes, shop, intended, certificate)


def rotate_key(
    shop: Workshop, seal_id: str, act: Act, *, algorithm: Algorithm = "ecdsa-p256-sha256"
) -> Stored[SealKey]:
    """Give the seal a new key and certify it; the old one is not used again and stays good for what it sealed.

    Two persons: ``rotate_key``. Raises ``TransitionError`` and as :func:`certification.record`.
    """
    with acting(shop, act) as changes:  # before a key is made
        two_persons.require(changes, "rotate_key", seal=seal_id, algorithm=algorithm)
        check_living(lock_agreement(changes, seal_id).record)
    return _certify(shop, seal_id, shop.keystore.generate("seal", algorithm), act)


def change_state(
    shop: Workshop, seal_id: str, change: SealStep, act: Act, *, role: KeyRole = "administrator"
) -> Stored[Seal]:
    """Enable, suspend or resume, which one person may; its certificates are activated, held or released with it.

    A custodian may suspend, and nothing else. Raises ``registry.errors.TransitionError``.
    """
    with acting(shop, act) as changes:
        check_role(lock_agreement(changes, seal_id).record, act, role)
        return change_within(changes, seal_id, change, role=role)


def change_within(changes: Changes, seal_id: str, change: SealStep, *, role: KeyRole) -> Stored[Seal]:
    """As :func:`change_state`, as part of a transaction that holds the agreement's lock already."""
    if change != "suspend":
        seal = changes.store.get(changes.connection, Seal, seal_id).record
        check_in_force(changes.store.get(changes.connection, Agreement, seal.agreement).record, changes.act.now)
    stored = changes.change_seal(seal_id, change)
    if change != "suspend":  # a seal that is over says so first
        key_steps.check_usable(changes, seal_id)
    _KEYS[change](changes, seal_id, role=role)
    return stored


_KEYS: dict[SealStep, Callable[..., None]] = {
    "enable": key_steps.activate,
    "suspend": key_steps.hold,
    "resume": key_steps.release,
}


def suspect(shop: Workshop, seal_id: str, act: Act, *, role: KeyRole = "administrator") -> Stored[Seal]:
    """Revoke all certificates of the seal because its key may be in other hands, and suspend the seal.

    One person, the custodian or an administrator, and never a hold: the key does not come back, the seal goes on only
    with a new one (:func:`rotate_key`) [电子签名法 15]. Raises ``TransitionError`` ``nothing-to-revoke``.
    """
    with acting(shop, act) as changes:
        found = lock_agreement(changes, seal_id)
        check_role(found.record, act, role)
        if not key_steps.revoke(changes, seal_id, "suspect", reason="key_compromise", role=role):
            raise TransitionError(
                "nothing-to-revoke",
                f"印章 {seal_id} 没有未吊销的证书",
                f"the seal {seal_id} has no certificate that is not revoked already",
            )
        seal = found.record
        stops = seal.state == "active" or seal.suspended_with_agreement
        return changes.change_seal(seal_id, "suspend") if stops else found


def cancel(shop: Workshop, seal_id: str, reason: RevocationReason, act: Act) -> Stored[Seal]:
    """End the use of the seal and revoke all its certificates for ``reason``.

    Two persons: ``cancel_seal``. Raises ``TransitionError``.
    """
    with acting(shop, act) as changes:
        two_persons.require(changes, "cancel_seal", seal=seal_id, reason=reason)
        lock_agreement(changes, seal_id)
        stored = changes.change_seal(seal_id, "cancel")
        key_steps.revoke(changes, seal_id, "cancel", reason=reason, role="administrator")
        return stored


def backdate(shop: Workshop, key_id: str, effective: datetime, act: Act) -> Stored[SealKey]:
    """Say that a revoked certificate is not to be trusted since ``effective`` already (RFC 5280 5.3.2).

    Two persons: ``backdate_revocation``; the content names ``effective`` as ``ledger.moments.to_text`` writes it.
    Raises ``TransitionError`` ``key-not-revoked``, ``RecordInvalidError`` ``effective-not-earlier``.
    """
    with acting(shop, act) as changes:
        two_persons.require(changes, "backdate_revocation", key=key_id, effective=to_text(effective))
        lock_agreement(changes, changes.store.get(changes.connection, SealKey, key_id).record.seal)
        found = changes.store.get(changes.connection, SealKey, key_id)
        return put(changes, seal_keys.backdate(found.record, effective), replaces=found, verb="backdated")


def check_role(seal: Seal, act: Act, role: KeyRole) -> None:
    """Raises :class:`TransitionError` ``not-the-custodian`` when somebody else acts as the seal's custodian."""
    if role == "custodian" and act.by.id != seal.custodian:
        raise TransitionError(
            "not-the-custodian",
            f"{act.by.id} 不是该印章的保管人（{seal.custodian}）",
            f"{act.by.id} is not the custodian of the seal, who is {seal.custodian}",
        )


def set_custodian(shop: Workshop, seal_id: str, custodian: str, act: Act) -> Stored[Seal]:
    """Name the person who keeps the seal [000 二(三)]. Raises ``NotFoundError``."""
    with acting(shop, act) as changes:
        found = lock_agreement(changes, seal_id)
        changes.store.get(changes.connection, Person, custodian)
        seal = build(Seal, **{**dict(found.record), "custodian": custodian})
        return put(changes, seal, replaces=found, verb="custodian_named")


def set_policy(shop: Workshop, seal_id: str, policy: SealPolicy, act: Act) -> Stored[Seal]:
    """Choose how documents are sealed from now on; what is being sealed with the old policy is not sealed.

    Raises ``NotFoundError``.
    """
    with acting(shop, act) as changes:
        found = lock_agreement(changes, seal_id)
        seal = build(Seal, **{**dict(found.record), **policy.values()})
        return put(changes, seal, replaces=found, verb="policy_changed")


def file_change(shop: Workshop, seal_id: str, position: int, filing_number: str, act: Act) -> Stored[Seal]:
    """Fill the 备案 slot of one change of state (counted from 0) with the filing authority's number.

    Raises ``RecordInvalidError`` for an unknown slot, ``ConflictError`` for one that is filled.
    """
    with acting(shop, act) as changes:
        lock_agreement(changes, seal_id)
        return changes.file_seal_change(seal_id, position, filing_number)


def parties_of(connection: Connection, shop: Workshop, agreement: Agreement, now: datetime) -> Parties:
    """What number and name of a new seal follow from. Raises :class:`RecordInvalidError` ``agreement-not-in-force``."""
    if agreement.state != "in_force":
        raise RecordInvalidError(
            "agreement-not-in-force",
            f"协议状态为 {agreement.state}，应为 in_force 方可刻制印章",
            f"the agreement is {agreement.state}; a seal needs one that is in_force",
        )
    terms = agreement.terms
    grantor = shop.registry.find_one(connection, Organ, code=terms.grantor).record
    grantee = shop.registry.find_one(connection, Organ, code=terms.grantee).record
    rows = shop.registry.find(connection, SetupRow, regime=terms.regime, region=grantee.region)
    setup = setup_in_force((row.record for row in rows), terms.regime, grantee.region, now)
    return Parties(agreement=agreement, grantor=grantor, setup=setup)
