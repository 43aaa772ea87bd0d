"""Erase personal data from the record under its retention rule, and record who did so and why.

What identifies the record itself stays: which application, which file, which seal, which row. These groups hold no
personal data, and without them nobody could tell a lawful erasure from a forgery.
"""

from collections.abc import Sequence

from ledger.errors import DraftError
from registry.store import Act
from sealing import register_lines
from sealing.workshop import Workshop

ERASABLE = frozenset({"persons", "case", "numbers", "approval", "decision", "order", "paper", "body", "act"})
"""Groups that may hold what a person can ask to have erased."""


def erase(shop: Workshop, entry: int, groups: Sequence[str], act: Act) -> int:
    """Erase ``groups`` of entry number ``entry``; the number of the entry that records it.

    Raises :class:`DraftError` for a group that identifies the record or for none at all,
    ``ledger.errors.EntryNotFoundError`` for one that is not there or was erased before.
    """
    kept = sorted(set(groups) - ERASABLE)
    if kept or not groups:
        named, allowed = "、".join(kept) or "-", ", ".join(sorted(ERASABLE))
        raise DraftError(
            f"字段组 {named} 不得清除；可清除：{allowed}", f"{named} cannot be erased; these can: {allowed}"
        )
    with shop.database.write() as connection:
        wanted = list(dict.fromkeys(groups))
        recorded = shop.book.erase(connection, entry, wanted, reason=act.why, by=act.by.id, now=act.now)
        register_lines.rewrite(connection, shop.book.entry(connection, entry))
    return recorded.index
