"""The seal cycle: decide, sign, record. One function, five steps; docs/seal-cycle.md tells the same story.

At every instant, also when the process is killed between any two lines: no key use without a committed intent; no
sealed PDF outside without a committed entry; each attempt ends as exactly one of refused, sealed, abandoned; an
application has at most one impression.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from keystore.interface import Grounds, KeystoreError, Permit
from ledger.canonical import canonical
from ledger.errors import DatabaseError, LedgerError
from ledger.ids import new_id
from policies.decision import Decision
from policies.rulesets import decide
from registry import consumed_approvals, numbers
from registry.errors import RegistryError, RowTamperedError
from registry.records import Agreement
from sandbox.errors import SandboxError
from sealing import applications, impressions, register_lines, rejection
from sealing.abandon import LAPSED, abandon
from sealing.alerts import Alarm
from sealing.clock import Clock, utc_now
from sealing.documents import storage_error
from sealing.entries import findings_json, impression_draft, intent_draft, refusal_draft, with_lower_bound
from sealing.errors import (
    AbandonedError,
    ConflictError,
    InProgressError,
    NotAllowedError,
    OrderError,
    SealingError,
    StorageError,
    Wait,
)
from sealing.gather import Gathered, gather, gather_again
from sealing.grounds import seal_grounds
from sealing.inspection import Presented
from sealing.levels import FinishedFile, finish, stamp_signature
from sealing.order import Caller, Outcome, Submission
from sealing.preparation import Preparation, prepare
from sealing.workshop import Workshop
from signer.errors import SignerError
from signer.seal_file import check_signature, embed

STEPS = (
    "intent_written",
    "intent_committed",
    "key_used",
    "token_granted",
    "sealed_file_written",
    "archived_file_written",
    "sealed_file_kept",
    "impression_written",
    "impression_committed",
)
"""Every line between two durable effects, in order. Crash tests stop at each.

``token_granted`` is passed by a seal with a time-stamp, ``archived_file_written`` by one with an archive time-stamp.
"""


def killer(step: str | None) -> Callable[[str], None]:
    """Told each step; kills this process without any clean-up at the one named. For crash tests only."""
    if step is not None and step not in STEPS:
        raise OrderError(
            "unknown-step", f"没有步骤 {step}；可用：{'、'.join(STEPS)}", f"no step {step}; known: {', '.join(STEPS)}"
        )

    def at(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


OUTCOME_KINDS = {"sealed": "seal.impressed", "refused": "seal.refused"}
"""The kind of entry that each end of an application is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """One seal use as it was asked for; ``waiting`` names an application that was received before."""

    submission: Submission
    caller: Caller
    waiting: str | None

    def presented(self, application: str, preparation: Preparation) -> Presented:
        return Presented(
            order=self.submission.order,
            caller=self.caller,
            application=application,
            approval=self.submission.approval,
            digest=self.submission.document,
            inspection=preparation.inspection,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    attempt: applications.Attempt
    presented: Presented
    gathered: Gathered
    lease_until: datetime


class Sealer:
    """Seals documents for one installation. Safe to call from several threads."""

    def __init__(self, shop: Workshop, clock: Clock = utc_now, at: Callable[[str], None] | None = None) -> None:
        """``at`` is told each step of :data:`STEPS` as it is passed; by default the setting ``unsafe_kill_at``."""
        self.shop, self.clock = shop, clock
        self.at = at or killer(shop.settings.unsafe_kill_at)
        self._alarm = Alarm(shop)

    def seal(self, submission: Submission, caller: Caller, *, application: str | None = None) -> Outcome:
        """Put one seal on one document, or refuse, and record which.

        ``application`` names one that was received before and waits; otherwise the submission makes its own.
        A refusal is an :class:`Outcome`; raises :class:`sealing.errors.SealingError`, ``signer.errors.SignerError``
        (bad document or placement), ``keystore.interface.KeystoreError`` and ``ledger`` errors when nothing was sealed.
        """
        use = _Use(submission=submission, caller=caller, waiting=application)
        # 1. May this caller ask at all, and was the same asked before?
        known = self._known(use)
        if isinstance(known, Outcome):
            return known

        # 2. Without any lock: look whether the level can be had and fetch its validation data, examine, open the key,
        #    draw, prepare, and gather what the rules will look at. The bytes to be signed are known now.
        preparation = prepare(self.shop, submission, self.clock())
        try:
            presented = use.presented(known, preparation)
            early = self._gather_early(presented, preparation)
            # 3. First commit: decide under the lock; record the refusal, or the intent.
            decided = self._intend(use, presented, early, preparation)
            if isinstance(decided, Outcome):
                return decided
            # 4. Use the key once; the signature is checked against the certificate, time-stamped, and embedded.
            # 5. Keep the sealed bytes, then the second commit. Only now does anything leave.
            finished = self._sign(decided, preparation)
            return self._conclude(decided, preparation, finished)
        finally:
            preparation.discard()

    def _known(self, use: _Use) -> "Outcome | str":
        """The recorded outcome, or the id of the application to work on: the one that is open, or a new one."""
        with self.shop.database.read() as connection:
            found = self._find(connection, use)
            if found is None:
                return new_id("app")
            if found.client != use.caller.client or (found.state != "refused" and found.organ not in use.caller.organs):
                raise NotAllowedError(
                    "not-your-organ",
                    f"本系统无权代表单位 {found.organ} 办理",
                    f"this client may not act for organ {found.organ}",
                )
            if found.state == "waiting" and use.waiting is None:
                raise ConflictError(
                    "application-waits",
                    f"该幂等键属于待批准的申请 {found.id}，请通过该申请办理",
                    f"this idempotency key is that of application {found.id}, which waits; seal it through that",
                )
            if found.state in {"sealed", "refused"}:
                return self._recorded(connection, found)
            _refuse_closed(found)
            applications.refuse_if_alive(connection, found.id, self.clock())
            return found.id

    def _gather_early(self, presented: Presented, preparation: Preparation) -> Gathered:
        with self.shop.database.read() as connection:
            return gather(connection, self.shop, presented, preparation.parts, self.clock())

    def _find(self, connection: Connection, use: _Use, *, lock: bool = False) -> applications.Application | None:
        if use.waiting is not None:
            return applications.get(connection, use.waiting, lock=lock)
        found = applications.find(connection, use.submission, use.caller.client)
        return applications.get(connection, found.id, lock=True) if found is not None and lock else found

    def _intend(
        self, use: _Use, presented: Presented, early: Gathered, preparation: Preparation
    ) -> "Outcome | _Intent":
        with self.shop.database.write() as connection:
            # The agreement first, then the application, then the head of the record: everybody locks in this order.
            if early.parts is not None:
                self.shop.registry.hold(connection, Agreement, early.agreement_id)
            claimed = self._claim(connection, use, presented.application, self.clock())
            if isinstance(claimed, Outcome):
                return claimed
            gathered, now = gather_again(
                connection, self.shop, presented, before=early, since=preparation.since, clock=self.clock
            )
            decision = decide(gathered.facts)
            if not decision.allowed:
                return self._refuse(connection, claimed, gathered, decision, now)
            if gathered.pins != preparation.pins:
                raise ConflictError(
                    "changed-meanwhile",
                    "印章、密钥或协议在办理中发生变更，请以同一幂等键重试",
                    "the seal, its key or the agreement changed meanwhile; retry with the same idempotency key",
                )
            lease_until = now + self.shop.settings.lease
            attempt = self._record_intent(connection, presented, gathered, decision, preparation, lease_until)
            self.at("intent_written")
        self.at("intent_committed")
        return _Intent(attempt=attempt, presented=presented, gathered=gathered, lease_until=lease_until)

    def _claim(self, connection: Connection, use: _Use, application: str, now: datetime) -> "str | Outcome":
        """The application to work on, locked; or its outcome, when another process was faster since step 1."""
        found = self._find(connection, use, lock=True)
        if found is None:
            return applications.create(
                connection,
                use.submission,
                use.caller.client,
                now,
                application=application,
                canonical_order=canonical(use.submission.order.to_json()),
                state="open",
            )
        if found.state in {"sealed", "refused"}:
            return self._recorded(connection, found)
        _refuse_closed(found)
        applications.refuse_if_ended(connection, self.shop.book, found.id)
        lapsed = applications.refuse_if_alive(connection, found.id, now)
        if lapsed is not None:
            abandon(connection, self.shop.book, lapsed, reason=LAPSED, key_used=True, now=now)
        if found.id != application:  # the same request came twice at once, and the other one was given up already
            raise InProgressError(
                "in-progress",
                f"申请 {found.id} 正在办理，请稍后以同一幂等键重试",
                f"application {found.id} is being worked on; retry later with the same idempotency key",
                wait=Wait(seconds=1),
            )
        if found.state == "waiting":
            applications.start(connection, found.id)
        return found.id

    def _recorded(self, connection: Connection, application: applications.Application) -> Outcome:
        """The outcome that the record tells of this application; its row alone is not believed."""
        entry = self.shop.book.trusted(connection, application.entry or 0)
        if entry.kind != OUTCOME_KINDS[application.state] or application.id not in entry.leaf.subjects:
            raise _tampered(application.id, f"it names entry {entry.index}, which is not its outcome")
        findings = self.shop.findings_of(connection, entry.index)
        impression = sealed = None
        if application.state == "sealed":
            impression = str(application.impression)
            if impression not in entry.leaf.subjects:
                raise _tampered(application.id, f"entry {entry.index} is not about impression {impression}")
            sealed = impressions.checked(connection, self.shop.book, impression).sealed_digest
        outcome = applications.outcome(application, findings, sealed_digest=sealed)
        told = impressions.level_of(entry)
        return replace(
            outcome, level=told["level"], level_asked=told["level_asked"], lowered_because=told["lowered_because"]
        )

    def _refuse(
        self, connection: Connection, application: str, gathered: Gathered, decision: Decision, now: datetime
    ) -> Outcome:
        draft = refusal_draft(application, gathered, decision)
        entry = self.shop.book.append(connection, draft, now)
        register_lines.record(connection, register_lines.told_by_draft(draft, entry))
        applications.end(connection, application, state="refused", entry=entry.index, impression=None)
        return Outcome(
            application=application,
            state="refused",
            entry=entry.index,
            impression=None,
            sealed_digest=None,
            findings=findings_json(decision),
        )

    def _record_intent(
        self,
        connection: Connection,
        presented: Presented,
        gathered: Gathered,
        decision: Decision,
        preparation: Preparation,
        lease_until: datetime,
    ) -> applications.Attempt:
        application, attempt = presented.application, new_id("att")
        if gathered.number_use is not None:
            numbers.reserve(connection, gathered.number_use)
        if gathered.approval is not None and presented.digest is not None:
            approval = gathered.approval.claims.id
            consumed_approvals.consume(
                connection, self.shop.book, approval, document=presented.digest, application=application
            )
        draft = with_lower_bound(
            intent_draft(application, attempt, gathered, decision, preparation, lease_until),
            self.shop.book.last_witnessed(connection),
        )
        entry = self.shop.book.append(connection, draft, gathered.facts.now)
        return applications.open_attempt(
            connection,
            application,
            attempt,
            to_be_signed=preparation.to_be_signed_digest,
            intent_entry=entry.index,
            lease_until=lease_until,
            counted=gathered.counted,
        )

    def _grounds(self, intent: _Intent, preparation: Preparation) -> Grounds | None:
        approval = intent.gathered.approval
        return seal_grounds(
            self.shop,
            preparation.key,
            preparation.prepared,
            intent=intent.attempt.intent_entry,
            approval_key="" if approval is None else approval.key.id,
            now=self.clock(),
        )

    def _sign(self, intent: _Intent, preparation: Preparation) -> FinishedFile:
        """Sign, check, time-stamp, embed, and keep the file; whatever fails here ends the attempt."""
        attempt, prepared, key = intent.attempt, preparation.prepared, preparation.key
        try:
            permit = Permit.to_sign(key, prepared.to_be_signed, self._grounds(intent, preparation))
            signature = key.sign(permit, prepared.to_be_signed)
            self.at("key_used")
            check_signature(prepared, signature)
            stamped = stamp_signature(self.shop, preparation.level, signature, self.clock())
            if stamped.token is not None:
                self.at("token_granted")
            sealed = embed(prepared, signature, None if stamped.token is None else stamped.token.der)
            self.at("sealed_file_written")
            finished = finish(self.shop, sealed, stamped, self.clock)
            if finished.archived is not None:
                self.at("archived_file_written")
            self._keep(finished)
            self.at("sealed_file_kept")
        except OSError as error:
            typed = storage_error(error)
            self._give_up(attempt, typed.code)
            raise typed from error
        except (KeystoreError, SignerError, SealingError, SandboxError) as error:
            self._give_up(attempt, error.code)
            raise
        return finished

    def _keep(self, finished: FinishedFile) -> None:
        try:
            kept = self.shop.documents.put(finished.whole.path)
        finally:
            finished.discard()
        if kept != finished.digest:
            raise StorageError(
                "document-changed",
                f"保存的文件摘要为 {kept}，应为 {finished.digest}",
                f"the kept file has the digest {kept}, expected {finished.digest}",
            )

    def _conclude(self, intent: _Intent, preparation: Preparation, finished: FinishedFile) -> Outcome:
        """Second commit: lock and decide again, then record the impression or abandon.

        When it is not known whether the commit was stored, the file stays and recovery or a repeat tells.
        """
        try:
            with self.shop.database.write() as connection:
                outcome = self._impress(connection, intent, preparation, finished)
        except DatabaseError:
            raise
        except (RegistryError, LedgerError, IntegrityError) as error:
            self._give_up(intent.attempt, getattr(error, "code", "integrity"))
            self.shop.documents.destroy(finished.digest)
            raise
        except AbandonedError:
            self.shop.documents.destroy(finished.digest)
            raise
        self.at("impression_committed")
        if isinstance(outcome, AbandonedError):
            self.shop.documents.destroy(finished.digest)
            raise outcome
        return outcome

    def _impress(
        self, connection: Connection, intent: _Intent, preparation: Preparation, finished: FinishedFile
    ) -> "Outcome | AbandonedError":
        attempt, application, impression = intent.attempt, intent.attempt.application, new_id("imp")
        gathered, now = gather_again(
            connection,
            self.shop,
            intent.presented,
            before=intent.gathered,
            since=attempt.intent_entry,
            clock=self.clock,
            holds=True,
        )
        decision = decide(gathered.facts)
        if now >= intent.lease_until:
            abandon(connection, self.shop.book, attempt, reason=LAPSED, key_used=True, now=now)
            return _lease_lost(attempt)
        if not decision.allowed or gathered.pins != preparation.pins:
            codes = ", ".join(finding.code for finding in decision.refusals) or "changed-meanwhile"
            abandon(connection, self.shop.book, attempt, reason=codes, key_used=True, now=now)
            return _status_changed(attempt, codes)
        if not applications.move(connection, attempt.id, to="sealed"):
            raise _lease_lost(attempt)
        draft = impression_draft(impression, attempt, gathered, decision, preparation, finished)
        entry = self.shop.book.append(connection, draft, now)
        applications.note_outcome(connection, attempt.id, entry.index)
        applications.end(connection, application, state="sealed", entry=entry.index, impression=impression)
        impressions.record(
            connection, impression, application, entry=entry, gathered=gathered, sealed_digest=finished.digest
        )
        register_lines.record(connection, register_lines.told_by_draft(draft, entry))
        self._alarm.watch(connection, impression, gathered, intent.presented.caller, now)
        self.at("impression_written")
        return Outcome(
            application=application,
            state="sealed",
            entry=entry.index,
            impression=impression,
            sealed_digest=finished.digest,
            findings=findings_json(decision),
            level=finished.level.reached,
            level_asked=finished.level.asked,
            lowered_because=finished.level.lowered_because,
        )

    def _give_up(self, attempt: applications.Attempt, reason: str) -> None:
        with self.shop.database.write() as connection:
            abandon(connection, self.shop.book, attempt, reason=reason, key_used=True, now=self.clock())


def _refuse_closed(application: applications.Application) -> None:
    if application.state in rejection.KINDS:
        raise ConflictError(
            "application-closed",
            f"申请 {application.id} 已被退回或撤回（{application.state}），请重新申请",
            f"application {application.id} was {application.state}; apply again",
        )


def _tampered(application: str, found: str) -> RowTamperedError:
    return RowTamperedError(
        "row-tampered",
        f"表 applications 行 {application} 与台账不符（{found}）",
        f"table applications, row {application}: {found}",
    )


def _lease_lost(attempt: applications.Attempt) -> AbandonedError:
    return AbandonedError(
        "lease-lost",
        f"申请 {attempt.application} 的本次办理已超时并被放弃，请以同一幂等键重试",
        f"this attempt of application {attempt.application} took too long and was abandoned; "
        "retry with the same idempotency key",
    )


def _status_changed(attempt: applications.Attempt, codes: str) -> AbandonedError:
    return AbandonedError(
        "status-changed",
        f"申请 {attempt.application} 办理中情况变化（{codes}），未盖章，请以同一幂等键重试",
        f"while application {attempt.application} was worked on, something changed ({codes}); nothing was sealed; "
        "retry with the same idempotency key",
    )
