"""What administrators do to keys, agreements, seals and statuses: read under lock, change, write.

The rules of each life cycle are pure functions in :mod:`registry.agreements`, :mod:`registry.seals` and
:mod:`registry.document_status`; here they meet the store. The caller owns the transaction.
"""

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection

from ledger.ids import new_id
from policies.facts import SetupFacts
from registry import agreements, document_status, seals
from registry.agreement_terms import AgreementTerms
from registry.agreements import Agreement, AgreementChange, AgreementVersion
from registry.clients import Client, ClientApprovalKey, check_approval_key
from registry.document_status import DocumentStatus, StatusChange, status_id
from registry.keys import organ_keys, registered_key
from registry.organs import Organ, OrganKey
from registry.persons import Person, PersonKey
from registry.record import build
from registry.row_guard import R, Stored
from registry.seals import Seal, SealChange
from registry.statements import check_public_key
from registry.store import Act, Registry

K = TypeVar("K", OrganKey, PersonKey, ClientApprovalKey)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes of one act: who, why and when are the same for all of them."""

    store: Registry
    connection: Connection
    act: Act

    def register_key(self, key: K) -> Stored[K]:
        """Register a key of an organ, a person or a client's for approvals.

        Raises :class:`EvidenceError` ``key-unsuitable`` unless it is on P-256, :class:`RecordInvalidError` when
        the client authenticates with it, :class:`NotFoundError` for a holder that is not registered.
        """
        check_public_key(registered_key(key).public_key)
        if isinstance(key, OrganKey):
            self.store.find_one(self.connection, Organ, code=key.organ)
        elif isinstance(key, PersonKey):
            self.store.get(self.connection, Person, key.person)
        else:
            check_approval_key(key, self.store.get(self.connection, Client, key.client).record)
        return self._put(key)

    def register_agreement(self, terms: AgreementTerms, *, original_digest: str) -> Stored[Agreement]:
        """Register a draft. Raises :class:`NotFoundError` for an organ that is not registered."""
        for code in (terms.grantor, terms.grantee):
            self.store.find_one(self.connection, Organ, code=code)
        version = build(AgreementVersion, number=1, terms=terms, original_digest=original_digest)
        return self._put(Agreement(id=new_id("agr"), current=version), verb="drafted")

    def attach_signature(self, agreement: str, jws: str) -> Stored[Agreement]:
        """Attach an organ's signature. Raises :class:`EvidenceError`, :class:`TransitionError`."""
        found = self._lock(Agreement, agreement)
        parties = {found.record.terms.grantor, found.record.terms.grantee}
        keys = organ_keys(self.store, self.connection, parties)
        signed = agreements.attach_signature(found.record, jws, keys, now=self.act.now)
        return self._put(signed, verb="signed", replaces=found)

    def bring_into_force(self, agreement: str) -> Stored[Agreement]:
        """Bring the signed draft or amendment into force. Raises :class:`TransitionError`."""
        found = self._lock(Agreement, agreement)
        changed = agreements.bring_into_force(found.record, now=self.act.now)
        verb = "brought_into_force" if found.record.state == "draft" else "amended"
        return self._put(changed, verb=verb, replaces=found)

    def amend(self, agreement: str, terms: AgreementTerms, *, original_digest: str) -> Stored[Agreement]:
        """Open an amendment. Raises :class:`TransitionError`, :class:`RecordInvalidError`."""
        found = self._lock(Agreement, agreement)
        changed = agreements.amend(found.record, terms, original_digest=original_digest)
        return self._put(changed, verb="amendment_drafted", replaces=found)

    def change_agreement(self, agreement: str, change: AgreementChange) -> Stored[Agreement]:
        """Suspend, resume, end or recall. Raises :class:`TransitionError`."""
        found = self._lock(Agreement, agreement)
        changed = agreements.change_state(found.record, change, reason=self.act.why)
        return self._put(changed, verb=agreements.VERBS[change], replaces=found)

    def register_seal(self, seal: Seal, *, setup: SetupFacts | None) -> Stored[Seal]:
        """Register a seal as pending. ``setup`` is the row in force for the grantee's region.

        Raises :class:`RecordInvalidError` ``seal-does-not-fit``, :class:`ConflictError` when the owner has
        another seal with this number, :class:`NotFoundError`.
        """
        agreement = self.store.get(self.connection, Agreement, seal.agreement).record
        grantor = self.store.find_one(self.connection, Organ, code=agreement.terms.grantor).record
        seals.check_fit(seal, agreement, grantor=grantor, setup=setup)
        return self._put(seal)

    def change_seal(self, seal: str, change: SealChange) -> Stored[Seal]:
        """Enable, suspend, resume, cancel or destroy. Raises :class:`TransitionError`."""
        found = self._lock(Seal, seal)
        act = self.act
        changed = seals.change_state(found.record, change, reason=act.why, person=act.by.id, now=act.now)
        return self._put(changed, verb=seals.VERBS[change], replaces=found)

    def suspend_with_agreement(self, seal: str) -> Stored[Seal]:
        """Suspend an active seal because its agreement holds no longer. Raises :class:`TransitionError`."""
        found = self._lock(Seal, seal)
        act = self.act
        changed = seals.suspend_with_agreement(found.record, reason=act.why, person=act.by.id, now=act.now)
        return self._put(changed, verb=seals.VERBS["suspend"], replaces=found)

    def file_seal_change(self, seal: str, position: int, filing_number: str) -> Stored[Seal]:
        """Fill a 备案 slot. Raises :class:`RecordInvalidError`, :class:`ConflictError`."""
        found = self._lock(Seal, seal)
        return self._put(seals.fill_filing(found.record, position, filing_number), verb="filed", replaces=found)

    def change_document_status(self, impression: str, change: StatusChange) -> Stored[DocumentStatus]:
        """Change the status of a sealed document. Raises :class:`TransitionError`."""
        present = self.store.look(self.connection, DocumentStatus, status_id(impression))
        record = document_status.change_status(present.record if present else None, change, impression=impression)
        return self._put(record, verb=change.status, replaces=present)

    def _lock(self, kind: type[R], record_id: str) -> Stored[R]:
        return self.store.lock(self.connection, kind, record_id)

    def _put(self, record: R, *, verb: str | None = None, replaces: Stored[R] | None = None) -> Stored[R]:
        act = self.act
        return self.store.put(
            self.connection,
            record,
            by=act.by,
            why=act.why,
            now=act.now,
            verb=verb,
            replaces=replaces,
            proposal=act.proposal,
        )
