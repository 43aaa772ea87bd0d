"""Impressions as an index into the record: which entry tells about which sealed file, and who may see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, or_, select

from ledger.book import Appended, Book, StoredEntry
from ledger.moments import to_text
from registry.china_time import BEIJING
from registry.errors import RowTamperedError
from sealing.errors import UnknownError
from sealing.gather import Gathered
from sealing.tables import attempts, impressions

IMPRESSED = "seal.impressed"

_insert = insert(impressions)
_by_id = select(impressions).where(impressions.c.id == bindparam("impression"))
_on_day = select(func.count()).where(
    impressions.c.seal == bindparam("seal"),
    impressions.c.local_date == bindparam("day"),
    impressions.c.application != bindparam("application"),
)
_in_month = select(func.count()).where(
    impressions.c.seal == bindparam("seal"),
    impressions.c.local_date.between(bindparam("first"), bindparam("last")),
    impressions.c.application != bindparam("application"),
)
_attested_on_day = select(func.count()).where(
    impressions.c.agreement == bindparam("agreement"),
    impressions.c.local_date == bindparam("day"),
    impressions.c.assurance == "system_attested",
    impressions.c.application != bindparam("application"),
)
_alive = select(func.count()).where(
    attempts.c.seal == bindparam("seal"),
    attempts.c.state == "intended",
    attempts.c.application != bindparam("application"),
)
_attested_alive = select(func.count()).where(
    attempts.c.agreement == bindparam("agreement"),
    attempts.c.state == "intended",
    attempts.c.assurance == "system_attested",
    attempts.c.application != bindparam("application"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impression:
    """One row of the index."""

    id: str
    application: str
    entry: int
    seal: str
    grantor: str
    grantee: str
    case_number: str
    source_digest: str
    sealed_digest: str
    agreement: str
    assurance: str
    local_date: str
    impressed_at: str

    @classmethod
    def of(cls, row: RowMapping) -> "Impression":
        """Read one row."""
        return cls(
            id=row["id"],
            application=row["application"],
            entry=row["entry_index"],
            seal=row["seal"],
            grantor=row["grantor"],
            grantee=row["grantee"],
            case_number=row["case_number"],
            source_digest=row["source_digest"],
            sealed_digest=row["sealed_digest"],
            agreement=row["agreement"],
            assurance=row["assurance"],
            local_date=row["local_date"],
            impressed_at=row["impressed_at"],
        )


def local_date(now: datetime) -> str:
    """The day in Beijing on which ``now`` falls; daily caps count by it."""
    return now.astimezone(BEIJING).date().isoformat()


def record(
    connection: Connection,
    impression: str,
    application: str,
    *,
    entry: Appended,
    gathered: Gathered,
    sealed_digest: str,
) -> None:
    """Index one impression; in the transaction of its entry."""
    facts = gathered.facts
    connection.execute(
        _insert,
        {
            "id": impression,
            "application": application,
            "entry_index": entry.index,
            "seal": gathered.seal_id,
            "agreement": gathered.agreement_id,
            "grantor": gathered.grantor_code,
            "grantee": gathered.grantee_code,
            "case_number": facts.request.case_number,
            "source_digest": gathered.document_digest,
            "sealed_digest": sealed_digest,
            "local_date": local_date(entry.time),
            "impressed_at": to_text(entry.time),
            "assurance": "" if facts.approval is None else facts.approval.assurance,
        },
    )


def used_today(connection: Connection, seal: str, *, application: str, now: datetime) -> int:
    """Impressions of the seal today and attempts that are alive, without this application's own."""
    values = {"seal": seal, "application": application, "day": local_date(now)}
    return int(connection.execute(_on_day, values).scalar_one() + connection.execute(_alive, values).scalar_one())


def used_this_month(connection: Connection, seal: str, *, application: str, now: datetime) -> int:
    """As :func:`used_today`, for the month in Beijing on which ``now`` falls."""
    month = local_date(now)[: len("2026-11")]
    values = {"seal": seal, "application": application, "first": f"{month}-01", "last": f"{month}-31"}
    return int(connection.execute(_in_month, values).scalar_one() + connection.execute(_alive, values).scalar_one())


def attested_today(connection: Connection, agreement: str, *, application: str, now: datetime) -> int:
    """Seal uses today that rest on an approval vouched for by an approval system, and those alive."""
    values = {"agreement": agreement, "application": application, "day": local_date(now)}
    done = connection.execute(_attested_on_day, values).scalar_one()
    return int(done + connection.execute(_attested_alive, values).scalar_one())


def get(connection: Connection, impression: str) -> Impression:
    """One impression. Raises :class:`UnknownError`."""
    row = connection.execute(_by_id, {"impression": impression}).mappings().one_or_none()
    if row is None:
        raise UnknownError("impression-unknown", f"没有用章记录 {impression}", f"no impression {impression}")
    return Impression.of(row)


_IDENTITY = ("application", "document", "seal")
"""Groups of an impression's entry that are never erased: which impression, of which file, between which organs."""


def differences(row: Impression, entry: StoredEntry) -> list[str]:
    """The columns of ``row`` that its entry contradicts; what was lawfully erased contradicts nothing."""
    groups = {name: opening.value for name, opening in entry.openings.items() if isinstance(opening.value, dict)}
    told: dict[str, object] = {"local_date": local_date(entry.time), "impressed_at": to_text(entry.time)}
    for column, (group, member) in _COLUMNS.items():
        if group in groups:
            told[column] = groups[group].get(member) or ""
    return [column for column, value in told.items() if getattr(row, column) != value]


_COLUMNS = {
    "id": ("application", "impression"),
    "application": ("application", "application"),
    "source_digest": ("document", "source_digest"),
    "sealed_digest": ("document", "sealed_digest"),
    "seal": ("seal", "seal"),
    "agreement": ("seal", "agreement_id"),
    "grantor": ("seal", "grantor_code"),
    "grantee": ("seal", "grantee_code"),
    "case_number": ("case", "case_number"),
    "assurance": ("approval", "assurance"),
}
"""Where the entry tells what each column of the index repeats."""


def check(connection: Connection, book: Book, row: Impression) -> Impression:
    """``row``, once it was held against its proven entry; who may see it follows from that.

    Raises :class:`RowTamperedError`, ``ledger.errors.RecordBrokenError``.
    """
    entry = book.trusted(connection, row.entry)
    missing = [group for group in _IDENTITY if group not in entry.openings]
    wrong = [*missing, *differences(row, entry)]
    if entry.kind != IMPRESSED or row.id not in entry.leaf.subjects or wrong:
        names = "、".join(wrong) or "entry_index"
        raise RowTamperedError(
            "row-tampered",
            f"表 impressions 行 {row.id}：{names} 与台账第 {row.entry} 条不符",
            f"table impressions, row {row.id}: {names} does not fit entry {row.entry}",
        )
    return row


def checked(connection: Connection, book: Book, impression: str) -> Impression:
    """One impression, held against its entry. Raises :class:`UnknownError` and as :func:`check`."""
    return check(connection, book, get(connection, impression))


def level_of(entry: StoredEntry) -> dict[str, str | None]:
    """The level reached and asked, and why they differ where they do, as the entry of an impression tells."""
    opening = entry.openings.get("document")
    document = opening.value if opening is not None and isinstance(opening.value, dict) else {}
    return {name: document.get(name) for name in ("level", "level_asked", "lowered_because")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which impressions to list: those of these organs (either side), or of all when None."""

    organs: tuple[str, ...] | None
    after: int = -1
    limit: int = 100
    seal: str | None = None
    case_number: str | None = None


def listed(connection: Connection, selection: Selection) -> Iterator[Impression]:
    """Impressions in the order of their entries, beginning behind entry ``selection.after``."""
    for row in connection.execute(_query(selection)).mappings():
        yield Impression.of(row)


def _query(selection: Selection) -> Select[tuple[object, ...]]:
    query = select(impressions).where(impressions.c.entry_index > selection.after)
    if selection.organs is not None:
        mine = selection.organs
        query = query.where(or_(impressions.c.grantor.in_(mine), impressions.c.grantee.in_(mine)))
    if selection.seal is not None:
        query = query.where(impressions.c.seal == selection.seal)
    if selection.case_number is not None:
        query = query.where(impressions.c.case_number == selection.case_number)
    return query.order_by(impressions.c.entry_index).limit(selection.limit)
