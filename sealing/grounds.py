"""What a permission rests on, for keys whose backend checks it: entries of the log, and the prepared file.

Gathered only when the key wants them (``keystore.interface.wants_grounds``), after the entry was committed. The
checkpoint that covers it is signed on the way, so the backend judges the entry under its own signature.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, func, select

from keystore.interface import Grounds, Keystore, SigningKey, wants_grounds
from ledger.book import Book, SignedCheckpoint
from ledger.database import Database
from ledger.tables import subjects
from registry.statements import named_key
from signer.seal_file import Prepared

SHOWN: Final = ("application", "document", "approval", "case", "numbers", "seal")
"""The groups of an intent that are opened: not the persons' names, and not the decision."""

_first = select(func.min(subjects.c.index)).where(subjects.c.subject == bindparam("subject"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What two persons signed for an act (JWS), and the content (canonical JSON) that both name by digest."""

    proposal: str
    decision: str
    content: str


class Archive(Protocol):
    """The part of a workshop that grounds are taken from."""

    @property
    def database(self) -> Database:
        """Where the record is."""

    @property
    def book(self) -> Book:
        """The record."""


def seal_grounds(
    shop: Archive, key: SigningKey, prepared: Prepared, *, intent: int, approval_key: str, now: datetime
) -> Grounds | None:
    """For one seal use: the committed intent, the registration of the approval's key, and the prepared file.

    ``intent`` is the number of the entry, ``approval_key`` the id of the key that signed the approval. Called outside
    any transaction. Raises ``ledger`` and ``keystore`` errors.
    """
    if not wants_grounds(key):
        return None
    signed = shop.book.checkpoint(now, intent + 1)
    statement = {
        **_file(prepared),
        "intent": shop.book.evidence_under(signed, intent, SHOWN).to_json(),
        "approval_key": _registration(shop, signed, approval_key),
    }
    return Grounds(statement=statement, file=prepared.path)


def report_grounds(shop: Archive, key: SigningKey, prepared: Prepared, *, intent: int, now: datetime) -> Grounds | None:
    """For one sealed report: the committed intent and the prepared file. Raises as :func:`seal_grounds`."""
    if not wants_grounds(key):
        return None
    return Grounds(statement=_file(prepared) | _intent(shop, intent, "report", now), file=prepared.path)


def certificate_grounds(
    shop: Archive, key: SigningKey, *, intent: int, consent: Consent | None, now: datetime
) -> Grounds | None:
    """For a certificate of a seal: the committed intent, and what two persons signed. Raises as above."""
    return Grounds(statement=_agreed(shop, intent, "certificate", consent, now)) if wants_grounds(key) else None


def destruction_grounds(
    shop: Archive, keystore: Keystore, *, intent: int, consent: Consent | None, now: datetime
) -> Grounds | None:
    """For the end of a seal's key: the committed intent, and what two persons signed. Raises as above."""
    return Grounds(statement=_agreed(shop, intent, "key", consent, now)) if wants_grounds(keystore) else None


def _agreed(shop: Archive, intent: int, group: str, consent: Consent | None, now: datetime) -> dict[str, Any]:
    statement = _intent(shop, intent, group, now)
    if consent is None:  # the backend refuses
        return statement
    signed = shop.book.checkpoint(now, intent + 1)
    return statement | {
        "consent": {each: getattr(consent, each) for each in ("proposal", "decision", "content")},
        "proposal_key": _registration(shop, signed, named_key(consent.proposal)),
        "decision_key": _registration(shop, signed, named_key(consent.decision)),
    }


def intent_grounds(shop: Archive, key: SigningKey, *, intent: int, group: str, now: datetime) -> Grounds | None:
    """For a certificate, or a request for one: the committed intent with its one group. Raises as above."""
    return Grounds(statement=_intent(shop, intent, group, now)) if wants_grounds(key) else None


def _intent(shop: Archive, intent: int, group: str, now: datetime) -> dict[str, Any]:
    signed = shop.book.checkpoint(now, intent + 1)
    return {"intent": shop.book.evidence_under(signed, intent, (group,)).to_json()}


def _file(prepared: Prepared) -> dict[str, Any]:
    return {"layout": prepared.layout.to_json(), "certificate": b64encode(prepared.chain[0]).decode()}


def _registration(shop: Archive, signed: SignedCheckpoint, key_id: str) -> Mapping[str, Any] | None:
    """The entry that registered the key, read once: it never changes, nor does the checkpoint it was shown under."""
    known = _registrations.setdefault(shop.book, {})
    if key_id not in known:
        with shop.database.read() as connection:
            index: int | None = connection.execute(_first, {"subject": key_id}).scalar_one()
        if index is None:
            return None
        known[key_id] = shop.book.evidence_under(signed, index, ("body",)).to_json()
    return known[key_id]


_registrations: WeakKeyDictionary[Book, dict[str, Mapping[str, Any]]] = WeakKeyDictionary()
