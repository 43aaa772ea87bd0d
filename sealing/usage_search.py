"""The usage register searched by its index; each line that is shown is read from its entry.

The newest come first, page by page: a page begins behind the last line of the one before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, or_, select, union

from sealing.register_lines import KINDS, key
from sealing.tables import register_lines as table
from sealing.usage_register import Line, line_of
from sealing.workshop import Workshop

LINES_A_PAGE: Final = 50
MOST: Final = 20_000
"""Lines of one download; a longer one is cut into periods by whoever wants it."""
_LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines: of organs (codes) on either side of the seal; days in Beijing, both included.

    ``kind`` is that of the entry; ``number`` is the beginning of a case, document or licence number.
    """

    organs: Sequence[str]
    since: date | None = None
    until: date | None = None
    kind: str = ""
    seal: str = ""
    item: str = ""
    number: str = ""


def search(
    connection: Connection, shop: Workshop, wanted: Wanted, *, before: int | None = None, most: int = LINES_A_PAGE
) -> list[Line]:
    """Up to ``most`` lines whose entries stand before ``before``, the newest first.

    Raises ``ledger.errors.RecordBrokenError`` on a changed entry.
    """
    indexes = _indexes(connection, wanted, before=before, most=most)
    return [line_of(shop.book.entry(connection, index)) for index in indexes]


def _indexes(connection: Connection, wanted: Wanted, *, before: int | None, most: int) -> Sequence[int]:
    """One ordered walk along an index for each side, organ and kind, so that none looks at more than it gives."""
    if not wanted.organs:
        return []
    kinds = [each for each in KINDS if wanted.kind in {"", each}]
    conditions = list(_conditions(wanted))
    if before is not None:
        conditions.append(table.c.entry_index < before)
    walks: list[Select[tuple[int]]] = [
        select(
            select(table.c.entry_index)
            .where(side == organ, table.c.kind == kind, *conditions)
            .order_by(table.c.entry_index.desc())
            .limit(most)
            .subquery()
            .c.entry_index
        )
        for side, organ, kind in product((table.c.grantor, table.c.grantee), wanted.organs, kinds)
    ]
    if not walks:
        return []
    found = union(*walks).subquery()
    query = select(found.c.entry_index).order_by(found.c.entry_index.desc()).limit(most)
    return connection.execute(query).scalars().all()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(table.c.local_date >= wanted.since.isoformat())
    if wanted.until is not None:
        found.append(table.c.local_date <= wanted.until.isoformat())
    if wanted.seal:
        found.append(table.c.seal == wanted.seal)
    if wanted.item:
        found.append(table.c.item == wanted.item)
    if wanted.number:
        start = key(wanted.number)
        columns = (table.c.case_key, table.c.document_key, table.c.licence_key)
        found.append(or_(*((each >= start) & (each < start + _LAST) for each in columns)))
    return found
