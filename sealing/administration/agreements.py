"""Agreements 协议: draft, sign, bring into force, amend, suspend, resume, end, recall."""

from typing import Any

from cryptography import x509

from registry import agreements as life
from registry.agreement_terms import AgreementTerms, read_terms, terms_digest
from registry.agreements import AgreementChange, AgreementVersion
from registry.changes import Changes
from registry.errors import ConflictError
from registry.records import Agreement, Seal, SealKey
from registry.store import Act, Stored
from sealing.administration import agreement_seals, certification, two_persons
from sealing.administration.acts import acting
from sealing.administration.catalogue import check_item
from sealing.administration.certification import Certification
from sealing.workshop import Workshop


def draft(shop: Workshop, terms: Any, original_digest: str, act: Act) -> Stored[Agreement]:  # noqa: ANN401  parsed JSON
    """Register a draft from the JSON of its terms and the digest of the signed original.

    Raises ``AgreementTermsError`` naming every missing part, ``NotFoundError`` for an organ and ``OrderError``
    ``item-unknown`` for an item that is not registered.
    """
    read = read_terms(terms)
    with acting(shop, act) as changes:
        _check_items(changes, read)
        return changes.register_agreement(read, original_digest=original_digest)


def amend(shop: Workshop, agreement: str, terms: Any, original_digest: str, act: Act) -> Stored[Agreement]:  # noqa: ANN401  as above
    """Open an amendment; the current version holds until both organs signed it and it comes into force.

    Raises as :func:`draft`, and ``TransitionError``, ``RecordInvalidError`` ``agreement-other-parties``.
    """
    read = read_terms(terms)
    with acting(shop, act) as changes:
        _check_items(changes, read)
        return changes.amend(agreement, read, original_digest=original_digest)


def sign(shop: Workshop, agreement: str, jws: str, act: Act) -> Stored[Agreement]:
    """Attach an organ's signature to the open version. Raises ``EvidenceError``, ``TransitionError``."""
    with acting(shop, act) as changes:
        return changes.attach_signature(agreement, jws)


def bring_into_force(shop: Workshop, agreement: str, act: Act) -> Stored[Agreement]:
    """Bring the signed draft or amendment into force. An amendment takes two persons: ``change_agreement``.

    With an amendment every seal of the agreement gets a new certificate over the new terms, in the same
    transaction: at no moment does a certificate name other terms than those in force. Certificates of outside
    authorities stay as they are. Raises ``TransitionError``, :class:`ConflictError` ``changed-meanwhile``.
    """
    with acting(shop, act) as changes:
        found = changes.store.lock(changes.connection, Agreement, agreement)
        if found.record.pending is None:
            return changes.bring_into_force(agreement)
        _two_persons(changes, "bring_into_force", agreement, found.record.pending)
        coming = life.bring_into_force(found.record, now=act.now)
        intended = [
            certification.intend(changes, shop, seal, coming, shop.keystore.open(key.key_ref))
            for seal, key in _certified_here(changes, agreement)
        ]
    made = [(each, certification.make(shop, each, act.now)) for each in intended]
    return _amended(shop, found, made, act)


def change_state(shop: Workshop, agreement: str, change: AgreementChange, act: Act) -> Stored[Agreement]:
    """Suspend, resume, end or recall; all but suspending takes two persons: ``change_agreement``.

    Raises ``TransitionError`` ``agreement-change-refused``.
    """
    with acting(shop, act) as changes:
        if change != "suspend":  # stopping never waits
            current = changes.store.lock(changes.connection, Agreement, agreement).record.current
            _two_persons(changes, change, agreement, current)
        stored = changes.change_agreement(agreement, change)
        agreement_seals.follow(changes, agreement, change)
        return stored


def _amended(
    shop: Workshop, found: Stored[Agreement], made: list[tuple[Certification, x509.Certificate]], act: Act
) -> Stored[Agreement]:
    with acting(shop, act) as changes:
        present = changes.store.lock(changes.connection, Agreement, found.record.id)
        certified = {each.seal.id for each, _ in made}
        wanted = {seal.id for seal, _ in _certified_here(changes, found.record.id)}
        if present.version != found.version or wanted != certified:
            raise ConflictError(
                "changed-meanwhile",
                "协议或其印章在签发证书期间已变更，未生效；请重试",
                "the agreement or its seals changed while certificates were made; nothing came into force, try again",
            )
        if present.record.pending is not None:
            _two_persons(changes, "bring_into_force", found.record.id, present.record.pending)
        stored = changes.bring_into_force(found.record.id)
        for each, certificate in made:
            certification.record(changes, shop, each, certificate)
        return stored


def _certified_here(changes: Changes, agreement: str) -> list[tuple[Seal, SealKey]]:
    """The agreement's seals that may still be used and whose present certificate is the embedded authority's."""
    pairs = []
    for seal in changes.store.find(changes.connection, Seal, agreement=agreement):
        key = changes.store.look_one(changes.connection, SealKey, seal=seal.record.id, current=True)
        if seal.record.takes_its_number and key is not None and key.record.issuer == "internal":
            pairs.append((seal.record, key.record))
    return pairs


def _two_persons(changes: Changes, change: str, agreement: str, version: AgreementVersion) -> None:
    digest = terms_digest(version.terms)
    two_persons.require(changes, "change_agreement", agreement=agreement, change=change, terms_digest=digest)


def _check_items(changes: Changes, terms: AgreementTerms) -> None:
    for item in terms.items:
        check_item(changes, item.list, item.number)
