"""The seal cycle: decide, sign, record. One function, five steps; docs/seal-cycle.md tells the same story.

At every instant, also when the process is killed between any two lines: no key use without a committed intent; no
sealed PDF outside without a committed entry; each attempt ends as exactly one of refused, sealed, abandoned; an
application has at most one impression.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from keystore.interface import KeystoreError, Permit, SigningKey
from ledger.canonical import canonical
from ledger.ids import new_id
from policies.decision import Decision
from policies.rulesets import decide
from registry import consumed_approvals, numbers
from sealing import applications, impressions
from sealing.abandon import LAPSED, abandon
from sealing.clock import Clock, utc_now
from sealing.entries import findings_json, impression_draft, intent_draft, refusal_draft
from sealing.errors import AbandonedError, ConflictError, NotAllowedError, OrderError, SealingError
from sealing.gather import Gathered, gather, gather_again
from sealing.inspection import Presented
from sealing.order import Caller, Outcome, Submission
from sealing.preparation import Preparation, prepare
from sealing.workshop import Workshop
from signer.errors import SignerError
from signer.seal_file import SealedFile, embed

STEPS = (
    "intent_written",
    "intent_committed",
    "key_used",
    "sealed_file_written",
    "sealed_file_kept",
    "impression_written",
    "impression_committed",
)
"""Every line between two durable effects, in order. Crash tests stop at each."""


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


class _ChangedMeanwhileError(Exception):
    """Seal, key or agreement changed between preparing and the first commit; prepare again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    attempt: applications.Attempt
    gathered: Gathered
    decision: Decision


class Sealer:
    """Seals documents for one installation. Safe to call from several threads."""

    def __init__(self, shop: Workshop, clock: Clock = utc_now, at: Callable[[str], None] | None = None) -> None:
        """``at`` is told each step of :data:`STEPS` as it is passed; by default the setting ``unsafe_kill_at``."""
        self.shop, self.clock = shop, clock
        self.at = at or killer(shop.settings.unsafe_kill_at)

    def seal(self, submission: Submission, caller: Caller, *, application: str | None = None) -> Outcome:
        """Put one seal on one document, or refuse, and record which.

        ``application`` names one that was received before and waits; otherwise the submission makes its own.
        A refusal is an :class:`Outcome`; raises :class:`sealing.errors.SealingError`, ``signer.errors.SignerError``
        (bad document or placement), ``keystore.interface.KeystoreError`` and ``ledger`` errors when nothing was sealed.
        """
        # 1. May this caller ask at all, and was the same asked before?
        now = self.clock()
        known = self._known(submission, caller, application, now)
        if known is not None:
            return known

        for last in (False, True):
            # 2. Without any lock: examine, open the key, draw, prepare. The bytes to be signed are known now.
            preparation = prepare(self.shop, submission, now)
            try:
                # 3. First commit: decide under the lock; record the refusal, or the intent.
                decided = self._intend(submission, caller, preparation, application)
                break
            except _ChangedMeanwhileError:
                preparation.discard()
                if last:
                    raise ConflictError(
                        "changed-meanwhile",
                        "印章、密钥或协议在办理中发生变更，请重试",
                        "the seal, its key or the agreement changed meanwhile; try again",
                    ) from None
            except BaseException:
                preparation.discard()
                raise
        if isinstance(decided, Outcome):
            preparation.discard()
            return decided

        # 4. Use the key once; the signature is checked against the certificate before it is embedded.
        try:
            sealed = self._sign(preparation, preparation.key)
            # 5. Keep the sealed bytes, then the second commit. Only now does anything leave.
            kept = self.shop.documents.put(sealed.path)
            self.at("sealed_file_kept")
        except (KeystoreError, SignerError, SealingError) as error:
            self._give_up(decided.attempt, error)
            raise
        finally:
            preparation.discard()
        try:
            return self._conclude(submission, caller, preparation, decided, sealed, kept)
        except AbandonedError:
            self.shop.documents.destroy(kept)
            raise

    def _known(self, submission: Submission, caller: Caller, application: str | None, now: datetime) -> Outcome | None:
        with self.shop.database.read() as connection:
            found = (
                applications.find(connection, submission, caller.client)
                if application is None
                else applications.get(connection, application)
            )
            if found is None:
                return None
            if found.client != caller.client or (found.state != "refused" and found.organ not in caller.organs):
                raise NotAllowedError(
                    "not-your-organ",
                    f"本系统无权代表单位 {found.organ} 办理",
                    f"this client may not act for organ {found.organ}",
                )
            if found.state in {"sealed", "refused"}:
                return self._recorded(connection, found)
            applications.refuse_if_alive(connection, found.id, now)
            return None

    def _intend(
        self, submission: Submission, caller: Caller, preparation: Preparation, waiting: str | None
    ) -> "Outcome | _Intent":
        with self.shop.database.write() as connection:
            now = self.clock()
            application = self._claim(connection, submission, caller, waiting, now)
            if isinstance(application, Outcome):
                return application
            presented = self._presented(submission, caller, preparation, application)
            gathered = gather(connection, self.shop, presented, now)
            decision = decide(gathered.facts)
            if not decision.allowed:
                return self._refuse(connection, application, gathered, decision, now)
            if gathered.pins != preparation.pins:
                raise _ChangedMeanwhileError
            result = self._record_intent(connection, submission, preparation, application, gathered, decision, now)
            self.at("intent_written")
        self.at("intent_committed")
        return result

    def _claim(
        self,
        connection: Connection,
        submission: Submission,
        caller: Caller,
        waiting: str | None,
        now: datetime,
    ) -> "str | Outcome":
        found = (
            applications.find(connection, submission, caller.client)
            if waiting is None
            else applications.get(connection, waiting, lock=True)
        )
        if found is None:
            order = canonical(submission.order.to_json())
            return applications.create(connection, submission, caller.client, now, canonical_order=order, state="open")
        if found.state in {"sealed", "refused"}:  # another process was faster since step 1
            return self._recorded(connection, found)
        lapsed = applications.refuse_if_alive(connection, found.id, now)
        if lapsed is not None:
            abandon(connection, self.shop.book, lapsed, reason=LAPSED, key_used=True, now=now)
        if found.state == "waiting":
            applications.start(connection, found.id)
        return found.id

    @staticmethod
    def _presented(submission: Submission, caller: Caller, preparation: Preparation, application: str) -> Presented:
        return Presented(
            order=submission.order,
            caller=caller,
            application=application,
            approval=submission.approval,
            digest=submission.document,
            inspection=preparation.inspection,
        )

    def _recorded(self, connection: Connection, application: applications.Application) -> Outcome:
        findings = self.shop.findings_of(connection, application.entry)
        impression = application.impression
        sealed = impressions.get(connection, impression).sealed_digest if impression else None
        return applications.outcome(application, findings, sealed_digest=sealed)

    def _refuse(
        self, connection: Connection, application: str, gathered: Gathered, decision: Decision, now: datetime
    ) -> Outcome:
        entry = self.shop.book.append(connection, refusal_draft(application, gathered, decision), now)
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
        submission: Submission,
        preparation: Preparation,
        application: str,
        gathered: Gathered,
        decision: Decision,
        now: datetime,
    ) -> _Intent:
        if gathered.number_use is not None:
            numbers.reserve(connection, gathered.number_use)
        if gathered.approval is not None:
            approval = gathered.approval.claims.id
            consumed_approvals.consume(connection, approval, document=submission.document, application=application)
        attempt = new_id("att")
        lease_until = now + self.shop.settings.lease
        draft = intent_draft(application, attempt, gathered, decision, preparation, lease_until)
        entry = self.shop.book.append(connection, draft, now)
        opened = applications.open_attempt(
            connection,
            application,
            attempt,
            to_be_signed=preparation.to_be_signed_digest,
            intent_entry=entry.index,
            lease_until=lease_until,
            counted=gathered.counted,
        )
        return _Intent(attempt=opened, gathered=gathered, decision=decision)

    def _sign(self, preparation: Preparation, key: SigningKey) -> SealedFile:
        prepared = preparation.prepared
        signature = key.sign(Permit.to_sign(key, prepared.to_be_signed), prepared.to_be_signed)
        self.at("key_used")
        sealed = embed(prepared, signature)
        self.at("sealed_file_written")
        return sealed

    def _conclude(
        self,
        submission: Submission,
        caller: Caller,
        preparation: Preparation,
        intent: _Intent,
        sealed: SealedFile,
        kept: str,
    ) -> Outcome:
        """Second commit: lock and decide again, record the impression or abandon."""
        attempt, application = intent.attempt, intent.attempt.application
        impression = new_id("imp")
        with self.shop.database.write() as connection:
            now = self.clock()
            presented = self._presented(submission, caller, preparation, application)
            gathered = gather_again(
                connection, self.shop, presented, before=intent.gathered, since=attempt.intent_entry, now=now
            )
            decision = decide(gathered.facts)
            if decision.allowed and gathered.pins == preparation.pins:
                if not applications.move(connection, attempt.id, to="sealed"):
                    raise _lease_lost(attempt)
                draft = impression_draft(impression, attempt, gathered, decision, preparation, sealed)
                entry = self.shop.book.append(connection, draft, now)
                applications.note_outcome(connection, attempt.id, entry.index)
                applications.end(connection, application, state="sealed", entry=entry.index, impression=impression)
                impressions.record(
                    connection, impression, application, entry=entry, gathered=gathered, sealed_digest=kept
                )
                self.at("impression_written")
                codes = None
            else:
                codes = ", ".join(finding.code for finding in decision.refusals) or "changed-meanwhile"
                abandon(connection, self.shop.book, attempt, reason=codes, key_used=True, now=now)
        self.at("impression_committed")
        if codes is not None:
            raise _status_changed(attempt, codes)
        return Outcome(
            application=application,
            state="sealed",
            entry=entry.index,
            impression=impression,
            sealed_digest=kept,
            findings=findings_json(decision),
        )

    def _give_up(self, attempt: applications.Attempt, error: Exception) -> None:
        with self.shop.database.write() as connection:
            code = getattr(error, "code", type(error).__name__)
            abandon(connection, self.shop.book, attempt, reason=str(code), key_used=True, now=self.clock())


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
