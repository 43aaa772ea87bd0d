"""Issue a seal, certify its key, and lead it through its life.

Every change of a seal or its key is made under the lock of its agreement, because the seal cycle decides under it.
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from authority.binding import SealBinding
from authority.certificates import Period, make_seal_certificate
from authority.issue import new_serial
from keystore.interface import Algorithm, SigningKey
from ledger.entry import Draft
from ledger.ids import new_id
from registry.agreement_terms import terms_digest
from registry.catalogue import setup_in_force
from registry.catalogue_rows import SetupRow
from registry.changes import Changes
from registry.errors import RecordInvalidError
from registry.record import Record, build
from registry.records import Agreement, Organ, Seal, SealKey, Specimen
from registry.seals import SealChange, seal_name
from registry.store import Act, Stored
from sealing.administration.acts import acting
from sealing.installation import ISSUER_CRL_PATH
from sealing.workshop import Workshop

R = TypeVar("R", bound=Record)

HELD, CANCELLED = "certificate_hold", "cessation_of_operation"
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """What a new seal is to be. Its number and name follow from the setup table and the grantor."""

    agreement: str
    custodian: str | None
    daily_cap: int | None = None
    diameter_mm: str = "42"
    imprint: str | None = None
    algorithm: Algorithm = "ecdsa-p256-sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parties:
    agreement: Stored[Agreement]
    grantor: Organ
    grantee: Organ
    setup: SetupRow | None


def issue(shop: Workshop, request: SealRequest, act: Act) -> tuple[Stored[Seal], Stored[SealKey]]:
    """Register a seal in state ``pending``, generate its key and certify it for its agreement.

    Raises :class:`RecordInvalidError` when setup table, agreement and grantor do not fit each other,
    ``registry.errors.ConflictError`` when the number is taken, ``authority`` and ``keystore`` errors.
    """
    with acting(shop, act) as changes:
        parties = _parties(changes.connection, shop, request.agreement, act.now)
        number = 1 if parties.setup is None else parties.setup.number  # a seal without a setup row does not fit
        seal = build(
            Seal,
            id=new_id("sea"),
            owner=parties.grantor.code,
            number=number,
            name=seal_name(parties.grantor, number),
            agreement=parties.agreement.record.id,
            specimen=Specimen(diameter_mm=request.diameter_mm, sample=True, imprint=request.imprint),
            custodian=request.custodian,
            daily_cap=request.daily_cap,
        )
        stored = changes.register_seal(seal, setup=None if parties.setup is None else parties.setup.facts())
    key = shop.keystore.generate("seal", request.algorithm)
    return stored, certify(shop, seal.id, key, act)


def certify(shop: Workshop, seal_id: str, key: SigningKey, act: Act) -> Stored[SealKey]:
    """Certify ``key`` for the seal under the agreement in force; an earlier certificate is retired, not revoked.

    The intent is committed before the authority's key is used; the certificate is released with its entry.
    """
    with shop.database.write() as connection:
        seal = shop.registry.get(connection, Seal, seal_id).record
        parties = _parties(connection, shop, seal.agreement, act.now)
        binding = _binding(shop, seal, parties)
        serial = new_serial()
        intent = {
            "seal": seal.id,
            "serial": f"{serial:x}",
            "key": key.ref,
            "public_key": b64encode(key.public_key).decode(),
            "terms_digest": binding.terms_digest,
        }
        shop.book.append(
            connection,
            Draft(kind="certificate.intended", subjects=(new_id("cer"),), groups={"certificate": intent}),
            act.now,
        )
    certificate = _make(shop, parties, binding, key=key, serial=serial, now=act.now)
    with acting(shop, act) as changes:
        shop.registry.lock(changes.connection, Agreement, seal.agreement)
        return _put_key(changes, seal, key, (certificate, shop.installation.issuer_certificate))


def change_state(shop: Workshop, seal_id: str, change: SealChange, act: Act) -> Stored[Seal]:
    """Enable, suspend, resume, cancel or destroy; the certificate is held, released or revoked with it.

    Raises ``registry.errors.TransitionError``.
    """
    with acting(shop, act) as changes:
        _lock_agreement(changes, seal_id)
        stored = changes.change_seal(seal_id, change)
        if change in _REVOCATIONS:
            _revoke(changes, seal_id, _REVOCATIONS[change])
        return stored


_REVOCATIONS: dict[SealChange, str | None] = {"suspend": HELD, "resume": None, "cancel": CANCELLED}


def set_custodian(shop: Workshop, seal_id: str, custodian: str, act: Act) -> Stored[Seal]:
    """Name the person who keeps the seal [000 二(三)]."""
    with acting(shop, act) as changes:
        found = _lock_agreement(changes, seal_id)
        seal = build(Seal, **{**dict(found.record), "custodian": custodian})
        return _put(changes, seal, found, "custodian_named")


def _lock_agreement(changes: Changes, seal_id: str) -> Stored[Seal]:
    seal = changes.store.get(changes.connection, Seal, seal_id)
    changes.store.lock(changes.connection, Agreement, seal.record.agreement)
    return changes.store.get(changes.connection, Seal, seal_id)


def _put(changes: Changes, record: R, replaces: Stored[R] | None, verb: str) -> Stored[R]:
    act = changes.act
    return changes.store.put(
        changes.connection, record, by=act.by, why=act.why, now=act.now, replaces=replaces, verb=verb
    )


def _parties(connection: Connection, shop: Workshop, agreement_id: str, now: datetime) -> _Parties:
    agreement = shop.registry.lock(connection, Agreement, agreement_id)
    if agreement.record.state != "in_force":
        raise RecordInvalidError(
            "agreement-not-in-force",
            f"协议状态为 {agreement.record.state}，应为 in_force 方可刻制印章",
            f"the agreement is {agreement.record.state}; a seal needs one that is in_force",
        )
    terms = agreement.record.terms
    grantor = shop.registry.find_one(connection, Organ, code=terms.grantor).record
    grantee = shop.registry.find_one(connection, Organ, code=terms.grantee).record
    rows = shop.registry.find(connection, SetupRow, regime=terms.regime, region=grantee.region)
    setup = setup_in_force((row.record for row in rows), terms.regime, grantee.region, now)
    return _Parties(agreement=agreement, grantor=grantor, grantee=grantee, setup=setup)


def _binding(shop: Workshop, seal: Seal, parties: _Parties) -> SealBinding:
    agreement = parties.agreement.record
    log_key = shop.keystore.open(shop.installation.log_key).public_key
    return SealBinding(
        agreement=agreement.terms.number,
        agreement_version=agreement.current.number,
        terms_digest=terms_digest(agreement.terms),
        grantor_code=parties.grantor.code,
        grantee_code=parties.grantee.code,
        grantee_name=parties.grantee.legal_name,
        seal_name=seal.name,
        seal_number=seal.number,
        log_origin=shop.identity.origin,
        log_key_hash="sha256:" + sha256(log_key).hexdigest(),
    )


def _make(
    shop: Workshop,
    parties: _Parties,
    binding: SealBinding,
    *,
    key: SigningKey,
    serial: int,
    now: datetime,
) -> x509.Certificate:
    issuer = shop.installation.issuer_certificate
    ends = parties.agreement.record.terms.period.valid_until
    return make_seal_certificate(
        issuer,
        shop.keystore.open(shop.installation.issuer_key),
        key.public_key,
        binding,
        grantor_name=parties.grantor.legal_name,
        period=Period(
            not_before=max(now - _CLOCK_SKEW, issuer.not_valid_before_utc),
            not_after=min(ends, issuer.not_valid_after_utc),
            agreement_ends=ends,
        ),
        crl_url=shop.settings.public_url + ISSUER_CRL_PATH,
        serial=serial,
    )


def _put_key(changes: Changes, seal: Seal, key: SigningKey, chain: tuple[x509.Certificate, ...]) -> Stored[SealKey]:
    earlier = changes.store.look_one(changes.connection, SealKey, seal=seal.id, current=True)
    version = 1
    if earlier is not None:
        version = earlier.record.key_version + 1
        retired = build(SealKey, **{**dict(earlier.record), "retired_at": changes.act.now})
        _put(changes, retired, earlier, "retired")
    record = build(
        SealKey,
        id=new_id("key"),
        seal=seal.id,
        key_version=version,
        key_ref=key.ref,
        chain=tuple(b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain),
        serial=f"{chain[0].serial_number:x}",
        not_before=chain[0].not_valid_before_utc,
        not_after=chain[0].not_valid_after_utc,
        issuer="internal",
    )
    return _put(changes, record, None, "certified")


def _revoke(changes: Changes, seal_id: str, reason: str | None) -> None:
    """Hold, release or revoke every certificate of the seal; what is revoked for good stays so."""
    for found in changes.store.find(changes.connection, SealKey, seal=seal_id):
        if found.record.revoked_reason not in {None, HELD}:
            continue
        at = None if reason is None else changes.act.now
        record = build(SealKey, **{**dict(found.record), "revoked_at": at, "revoked_reason": reason})
        _put(changes, record, found, "released" if reason is None else "revoked")
