"""Applications and attempts as stored: who may work on what, exactly once.

An application owns the idempotency key and the numbers; an attempt is one try of it. Every change of state is a
compare-and-set, so that recovery and a slow worker can never both end the same attempt.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.book import Book
from ledger.canonical import parse
from ledger.moments import from_text, to_text
from registry.errors import RowTamperedError
from sealing.errors import ConflictError, InProgressError, UnknownError, Wait
from sealing.order import Order, Outcome, Submission
from sealing.tables import applications, attempts

ENDINGS = frozenset({"seal.impressed", "seal.refused", "application.rejected", "application.withdrawn"})
"""Kinds of entries after which an application never goes on."""

_by_key = select(applications).where(
    applications.c.client == bindparam("client"),
    applications.c.organ == bindparam("organ"),
    applications.c.idempotency_key == bindparam("key"),
)
_by_id = select(applications).where(applications.c.id == bindparam("application"))
_newest_attempt = (
    select(attempts)
    .where(attempts.c.application == bindparam("application"))
    .order_by(attempts.c.number.desc())
    .limit(1)
)
_attempt_count = select(func.count()).where(attempts.c.application == bindparam("application"))
_insert_application = insert(applications)
_insert_attempt = insert(attempts)
_move_attempt = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == "intended")
    .values(state=bindparam("to"))
)
_note_outcome = update(attempts).where(attempts.c.id == bindparam("attempt")).values(outcome_entry=bindparam("entry"))
_end_application = (
    update(applications)
    .where(applications.c.id == bindparam("application"), applications.c.state.in_(("open", "waiting")))
    .values(state=bindparam("to"), entry_index=bindparam("entry"), impression=bindparam("impression_id"))
)
_open_application = (
    update(applications)
    .where(applications.c.id == bindparam("application"), applications.c.state == "waiting")
    .values(state="open")
)
_attach_approval = (
    update(applications)
    .where(applications.c.id == bindparam("application"), applications.c.state == "waiting")
    .values(approval=bindparam("evidence"))
)
_alive = select(attempts).where(attempts.c.state == "intended").order_by(attempts.c.intent_entry)
_lapsed = _alive.where(attempts.c.lease_until < bindparam("now"))
_documents = select(applications.c.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A stored application."""

    id: str
    client: str
    organ: str
    idempotency_key: str
    state: str
    request_digest: str
    document: str
    approval: str | None
    order: Order
    entry: int | None
    impression: str | None

    @classmethod
    def of(cls, row: RowMapping) -> "Application":
        """Read one row."""
        return cls(
            id=row["id"],
            client=row["client"],
            organ=row["organ"],
            idempotency_key=row["idempotency_key"],
            state=row["state"],
            request_digest=row["request_digest"],
            document=row["document"],
            approval=row["approval"],
            order=Order.model_validate(parse(row["order_json"].encode())),
            entry=row["entry_index"],
            impression=row["impression"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try of an application."""

    id: str
    application: str
    number: int
    to_be_signed: str
    intent_entry: int


def find(connection: Connection, submission: Submission, client: str) -> Application | None:
    """The application under this client's idempotency key, if any.

    Raises :class:`ConflictError` when it was used for another request.
    """
    keys = {"client": client, "organ": submission.order.organ, "key": submission.idempotency_key}
    row = connection.execute(_by_key, keys).mappings().one_or_none()
    if row is None:
        return None
    if row["request_digest"] != submission.request_digest():
        raise ConflictError(
            "idempotency-conflict",
            f"幂等键 {submission.idempotency_key} 已用于另一份申请，应使用新的键或原样重发",
            f"idempotency key {submission.idempotency_key} was used for another request; "
            "expected a new key or the same request again",
        )
    return Application.of(row)


def get(connection: Connection, application: str, *, lock: bool = False) -> Application:
    """One application by id. Raises :class:`UnknownError`."""
    query = _by_id.with_for_update() if lock else _by_id
    row = connection.execute(query, {"application": application}).mappings().one_or_none()
    if row is None:
        raise UnknownError("application-unknown", f"没有申请 {application}", f"no application {application}")
    return Application.of(row)


def refuse_if_alive(connection: Connection, application: str, now: datetime) -> Attempt | None:
    """Raise :class:`InProgressError` while an attempt's lease runs; an intended attempt that lapsed is returned."""
    row = connection.execute(_newest_attempt, {"application": application}).mappings().one_or_none()
    if row is None or row["state"] != "intended":
        return None
    left = from_text(row["lease_until"]) - now
    if left <= timedelta(0):
        return _attempt(row)
    raise InProgressError(
        "in-progress",
        f"申请 {application} 正在办理，请稍后以同一幂等键重试",
        f"application {application} is being worked on; retry later with the same idempotency key",
        wait=Wait(seconds=int(left.total_seconds()) + 1),
    )


def create(
    connection: Connection,
    submission: Submission,
    client: str,
    now: datetime,
    *,
    application: str,
    canonical_order: bytes,
    state: str,
) -> str:
    """Insert ``application``. Raises :class:`InProgressError` when another process was faster."""
    row = {
        "id": application,
        "client": client,
        "organ": submission.order.organ,
        "idempotency_key": submission.idempotency_key,
        "request_digest": submission.request_digest(),
        "order_json": canonical_order.decode(),
        "document": submission.document,
        "approval": submission.approval,
        "state": state,
        "received_at": to_text(now),
    }
    try:
        connection.execute(_insert_application, row)
    except IntegrityError:
        raise InProgressError(
            "in-progress",
            "同一申请正在办理，请稍后以同一幂等键重试",
            "the same request is being worked on; retry later with the same idempotency key",
            wait=Wait(seconds=1),
        ) from None
    return application


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What an attempt counts against while it is alive: the caps of its seal and its agreement."""

    seal: str
    agreement: str
    assurance: str


def open_attempt(
    connection: Connection,
    application: str,
    attempt: str,
    *,
    to_be_signed: str,
    intent_entry: int,
    lease_until: datetime,
    counted: Counted,
) -> Attempt:
    """Record one more try with its lease."""
    number = connection.execute(_attempt_count, {"application": application}).scalar_one() + 1
    connection.execute(
        _insert_attempt,
        {
            "id": attempt,
            "application": application,
            "number": number,
            "state": "intended",
            "lease_until": to_text(lease_until),
            "to_be_signed": to_be_signed,
            "intent_entry": intent_entry,
            "seal": counted.seal,
            "agreement": counted.agreement,
            "assurance": counted.assurance,
        },
    )
    return Attempt(
        id=attempt,
        application=application,
        number=number,
        to_be_signed=to_be_signed,
        intent_entry=intent_entry,
    )


def move(connection: Connection, attempt: str, *, to: str) -> bool:
    """End an attempt that is still intended; False when somebody else ended it first."""
    return connection.execute(_move_attempt, {"attempt": attempt, "to": to}).rowcount == 1


def note_outcome(connection: Connection, attempt: str, entry: int) -> None:
    """Keep the index of the entry that ended the attempt."""
    connection.execute(_note_outcome, {"attempt": attempt, "entry": entry})


def end(connection: Connection, application: str, *, state: str, entry: int, impression: str | None) -> None:
    """Close an application as sealed or refused. Raises :class:`ConflictError` when it was closed before."""
    values = {"application": application, "to": state, "entry": entry, "impression_id": impression}
    if connection.execute(_end_application, values).rowcount != 1:
        raise ConflictError(
            "already-ended",
            f"申请 {application} 已办结，请以同一幂等键重试",
            f"application {application} has ended already; retry with the same idempotency key",
        )


def refuse_if_ended(connection: Connection, book: Book, application: str) -> None:
    """Raise ``RowTamperedError`` when the record has ended an application whose row says that it goes on."""
    newest = book.latest(connection, application)
    if newest is not None and newest.kind in ENDINGS:
        raise RowTamperedError(
            "row-tampered",
            f"申请 {application} 的登记与账本不符，已停止办理",
            f"the row of application {application} does not fit the ledger: entry {newest.index} ended it",
        )


def attach_approval(connection: Connection, application: str, evidence: str) -> bool:
    """Keep the approval statement of a waiting application; False when it no longer waits."""
    return connection.execute(_attach_approval, {"application": application, "evidence": evidence}).rowcount == 1


def start(connection: Connection, application: str) -> bool:
    """Move a waiting application to open; False when it was not waiting."""
    return connection.execute(_open_application, {"application": application}).rowcount == 1


def lapsed(connection: Connection, now: datetime) -> list[Attempt]:
    """Attempts whose lease ran out before ``now``, oldest intent first."""
    return [_attempt(row) for row in connection.execute(_lapsed, {"now": to_text(now)}).mappings()]


def alive(connection: Connection) -> list[Attempt]:
    """Attempts that have not ended, oldest intent first."""
    return [_attempt(row) for row in connection.execute(_alive).mappings()]


def documents(connection: Connection) -> list[str]:
    """Digests of the documents that received applications keep."""
    return list(connection.execute(_documents).scalars())


def _attempt(row: RowMapping) -> Attempt:
    return Attempt(
        id=row["id"],
        application=row["application"],
        number=row["number"],
        to_be_signed=row["to_be_signed"],
        intent_entry=row["intent_entry"],
    )


def outcome(application: Application, findings: list[dict[str, object]], *, sealed_digest: str | None) -> Outcome:
    """The recorded end of an application, for a repeated request."""
    if application.state not in {"sealed", "refused"} or application.entry is None:
        raise ConflictError(
            "not-ended", f"申请 {application.id} 尚未办结", f"application {application.id} has not ended"
        )
    return Outcome(
        application=application.id,
        state="sealed" if application.state == "sealed" else "refused",
        entry=application.entry,
        impression=application.impression,
        sealed_digest=sealed_digest,
        findings=findings,
        replayed=True,
    )
