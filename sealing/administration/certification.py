"""A seal's key and its certificate: intended, made, recorded. Three steps, because no lock is held while a key is used.

The intent, with the serial, is committed before the authority signs. What is recorded afterwards is recorded
under the agreement's lock, and only if agreement and seal are still what the certificate says.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authority.binding import SealBinding
from authority.certificates import Period, make_seal_certificate
from authority.issue import new_serial
from keystore.interface import SigningKey
from ledger.entry import Draft
from ledger.ids import new_id
from registry import seal_keys
from registry.agreement_terms import terms_digest
from registry.changes import Changes
from registry.errors import ConflictError
from registry.record import build
from registry.records import Agreement, Organ, Seal, SealKey
from registry.seal_keys import HOLD, Hold
from registry.store import Stored
from sealing.administration import two_persons
from sealing.administration.acts import put
from sealing.administration.key_steps import check_living
from sealing.grounds import Consent, certificate_grounds
from sealing.installation import issued_places
from sealing.workshop import Workshop

_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """One certificate that is to be made: for which seal and key, and what it will say."""

    seal: Seal
    agreement: Agreement  # as it will be when the certificate counts
    grantor_name: str
    key: SigningKey
    serial: int
    binding: SealBinding
    consent: Consent | None = None
    entry: int = 0  # of the intent


def intend(changes: Changes, shop: Workshop, seal: Seal, agreement: Agreement, key: SigningKey) -> Certification:
    """Record that ``key`` is to be certified for ``seal`` under ``agreement``. Raises :class:`TransitionError`."""
    check_living(seal)
    certification = replace(_certification(changes, shop, seal, agreement, key), consent=two_persons.consent(changes))
    intent = {
        "seal": seal.id,
        "agreement": agreement.id,
        "serial": f"{certification.serial:x}",
        "key": key.ref,
        "public_key": b64encode(key.public_key).decode(),
        "terms_digest": certification.binding.terms_digest,
    }
    draft = Draft(kind="certificate.intended", subjects=(new_id("cer"),), groups={"certificate": intent})
    return replace(certification, entry=shop.book.append(changes.connection, draft, changes.act.now).index)


def make(shop: Workshop, certification: Certification, now: datetime) -> x509.Certificate:
    """Sign the certificate with the embedded authority; called outside any transaction.

    Raises ``authority`` and ``keystore`` errors; then nothing is released.
    """
    issuer = shop.installation.issuer_certificate
    issuer_key = shop.keystore.open(shop.installation.issuer_key)
    ends = certification.agreement.terms.period.valid_until
    return make_seal_certificate(
        issuer,
        issuer_key,
        certification.key.public_key,
        certification.binding,
        grantor_name=certification.grantor_name,
        period=Period(
            not_before=max(now - _CLOCK_SKEW, issuer.not_valid_before_utc),
            not_after=min(ends, issuer.not_valid_after_utc),
            agreement_ends=ends,
        ),
        places=issued_places(shop.settings.public_url),
        serial=certification.serial,
        grounds=certificate_grounds(
            shop, issuer_key, intent=certification.entry, consent=certification.consent, now=now
        ),
    )


def record(
    changes: Changes, shop: Workshop, certification: Certification, certificate: x509.Certificate
) -> Stored[SealKey]:
    """Record the certificate as the seal's present one, under the agreement's lock.

    Raises :class:`ConflictError` ``changed-meanwhile`` when the agreement is not the one certified for, and
    :class:`TransitionError` when the seal was cancelled; then the certificate is dropped.
    """
    agreement = changes.store.lock(changes.connection, Agreement, certification.agreement.id).record
    if agreement.current != certification.agreement.current or agreement.state in {"ended", "recalled"}:
        raise ConflictError(
            "changed-meanwhile",
            f"签发期间协议 {agreement.terms.number} 已变更，证书未采用；请重试",
            f"agreement {agreement.terms.number} changed meanwhile and the certificate was dropped; try again",
        )
    chain = (certificate, shop.installation.issuer_certificate)
    return record_chain(changes, certification.seal.id, certification.key.ref, chain, issuer="internal")


def record_chain(
    changes: Changes,
    seal_id: str,
    key_ref: str,
    chain: Sequence[x509.Certificate],
    *,
    issuer: Literal["internal", "licensed"],
) -> Stored[SealKey]:
    """Make this certificate the seal's present one; the earlier one is retired, not revoked.

    The certificate of a suspended seal is on hold from its first moment. Raises :class:`TransitionError`.
    """
    seal = changes.store.get(changes.connection, Seal, seal_id).record
    check_living(seal)
    held = seal.state == "suspended"
    new = build(
        SealKey,
        id=new_id("key"),
        seal=seal_id,
        key_version=1 + _retire(changes, seal_id),
        key_ref=key_ref,
        chain=tuple(b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain),
        serial=f"{chain[0].serial_number:x}",
        not_before=chain[0].not_valid_before_utc,
        not_after=chain[0].not_valid_after_utc,
        issuer=issuer,
        revoked_at=changes.act.now if held else None,
        revoked_reason=HOLD if held else None,
        holds=(build(Hold, start=changes.act.now),) if held else (),
        state="suspended" if held else "certified" if seal.state == "pending" else "active",
    )
    return put(changes, new, verb="certified")


def _retire(changes: Changes, seal_id: str) -> int:
    """Retire the present certificate; the number of its version, 0 where there is none."""
    earlier = changes.store.look_one(changes.connection, SealKey, seal=seal_id, current=True)
    if earlier is None:
        return 0
    put(
        changes,
        seal_keys.retire(earlier.record, now=changes.act.now),
        replaces=earlier,
        verb="retired",
    )
    return earlier.record.key_version


def _certification(
    changes: Changes, shop: Workshop, seal: Seal, agreement: Agreement, key: SigningKey
) -> Certification:
    terms = agreement.terms
    grantor = changes.store.find_one(changes.connection, Organ, code=terms.grantor).record
    grantee = changes.store.find_one(changes.connection, Organ, code=terms.grantee).record
    log_key = shop.keystore.open(shop.installation.log_key).public_key
    binding = SealBinding(
        agreement=terms.number,
        agreement_version=agreement.current.number,
        terms_digest=terms_digest(terms),
        grantor_code=grantor.code,
        grantee_code=grantee.code,
        grantee_name=grantee.legal_name,
        seal_name=seal.name,
        seal_number=seal.number,
        log_origin=shop.identity.origin,
        log_key_hash="sha256:" + sha256(log_key).hexdigest(),
    )
    return Certification(
        seal=seal,
        agreement=agreement,
        grantor_name=grantor.legal_name,
        key=key,
        serial=new_serial(),
        binding=binding,
    )
