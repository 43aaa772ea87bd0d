"""Issue a seal, certify its key, and lead it through its life.

Every change of a seal or its key is made under the lock of its agreement, because the seal cycle decides under it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from keystore.interface import Algorithm, SigningKey
from ledger.ids import new_id
from registry.catalogue import setup_in_force
from registry.catalogue_rows import SetupRow
from registry.changes import Changes
from registry.errors import RecordInvalidError
from registry.record import build
from registry.records import Agreement, Organ, Person, Seal, SealKey, Specimen
from registry.seal_keys import RevocationReason
from registry.seal_limits import ChosenLimits
from registry.seals import CheckMark, SealChange, SealLevel, seal_name
from registry.store import Act, Stored
from sealing.administration import certification
from sealing.administration.acts import acting, put
from sealing.administration.certification import CANCELLED, HELD
from sealing.workshop import Workshop


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
class _Parties:
    agreement: Agreement
    grantor: Organ
    setup: SetupRow | None


def issue(shop: Workshop, request: SealRequest, act: Act) -> tuple[Stored[Seal], Stored[SealKey]]:
    """Register a seal in state ``pending``, generate its key and certify it for its agreement.

    Raises :class:`RecordInvalidError` when setup table, agreement and grantor do not fit each other,
    ``registry.errors.ConflictError`` when the number is taken, ``NotFoundError`` for a custodian that is not
    registered, ``authority`` and ``keystore`` errors.
    """
    with acting(shop, act) as changes:
        parties = _parties(changes.connection, shop, request.agreement, act.now)
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
    return stored, certify(shop, seal.id, key, act)


def certify(shop: Workshop, seal_id: str, key: SigningKey, act: Act) -> Stored[SealKey]:
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


def renew_key(shop: Workshop, seal_id: str, act: Act, *, algorithm: Algorithm = "ecdsa-p256-sha256") -> Stored[SealKey]:
    """Give the seal a new key and certify it; the old key is not used again. Raises as :func:`certify`."""
    with shop.database.read() as connection:
        certification.check_living(shop.registry.get(connection, Seal, seal_id).record)
    return certify(shop, seal_id, shop.keystore.generate("seal", algorithm), act)


def change_state(shop: Workshop, seal_id: str, change: SealChange, act: Act) -> Stored[Seal]:
    """Enable, suspend, resume, cancel or destroy; the certificate is held, released or revoked with it.

    Raises ``registry.errors.TransitionError``.
    """
    with acting(shop, act) as changes:
        lock_agreement(changes, seal_id)
        return change_within(changes, seal_id, change)


def change_within(changes: Changes, seal_id: str, change: SealChange) -> Stored[Seal]:
    """As :func:`change_state`, as part of a transaction that holds the agreement's lock already."""
    stored = changes.change_seal(seal_id, change)
    if change in _REVOCATIONS:
        certification.revoke(changes, seal_id, _REVOCATIONS[change])
    return stored


_REVOCATIONS: dict[SealChange, RevocationReason | certification.Held | None] = {
    "suspend": HELD,
    "resume": None,
    "cancel": CANCELLED,
}


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


def lock_agreement(changes: Changes, seal_id: str) -> Stored[Seal]:
    """Lock the seal's agreement and read the seal behind that lock. Raises ``NotFoundError``."""
    seal = changes.store.get(changes.connection, Seal, seal_id)
    changes.store.lock(changes.connection, Agreement, seal.record.agreement)
    return changes.store.get(changes.connection, Seal, seal_id)


def _parties(connection: Connection, shop: Workshop, agreement_id: str, now: datetime) -> _Parties:
    agreement = shop.registry.lock(connection, Agreement, agreement_id).record
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
    return _Parties(agreement=agreement, grantor=grantor, setup=setup)
