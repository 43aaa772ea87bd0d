"""What the holder of a paper may learn by the check code beside its seal, without the file (THREATS 21).

Never that the document is genuine: only whether the number printed on it is the one under which this seal was put,
for which item, when, and what has become of it since. Whoever does not know the number learns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.book import StoredEntry
from policies.folding import number_key
from sealing.check_codes import check_subject, parse_check_code
from sealing.errors import OrderError, UnknownError
from sealing.impressions import IMPRESSED
from sealing.present_status import present_status
from sealing.workshop import Workshop

LONGEST_NUMBER: Final = 200
"""Characters of a number as somebody types it."""
_NUMBERS: Final = ("document_number", "licence_number")
"""What stands on the paper; either may be typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCheck:
    """The answer. Without a match only ``code`` is told.

    ``status`` is that of :func:`sealing.present_status.present_status`; ``sealed_at`` the time in the ledger.
    """

    code: str
    matches: bool
    seal: str | None = None
    grantee: str | None = None
    item: str | None = None
    document_kind: str | None = None
    sealed_at: datetime | None = None
    status: Mapping[str, Any] | None = None


def look_up(shop: Workshop, code: str, document_number: str, now: datetime) -> PaperCheck:
    """Compare a typed number, folded, with those under which the seal of this check code was put.

    Raises :class:`OrderError` ``check-code-malformed``, ``check-number-missing`` or ``check-number-too-long``,
    :class:`UnknownError` ``check-code-unknown`` or ``check-number-erased``, ``registry.errors.RowTamperedError``,
    ``ledger`` errors.
    """
    asked, typed = parse_check_code(code), _typed(document_number)
    with shop.database.read() as connection:
        newest = shop.book.newest(connection, check_subject(asked))
        entry = None if newest is None else shop.book.trusted(connection, newest)
        if entry is None or entry.kind != IMPRESSED or _group(entry, "document").get("check_code") != asked:
            raise UnknownError("check-code-unknown", f"没有查验码 {asked}", f"there is no check code {asked}")
        if typed not in _keys(entry):
            return PaperCheck(code=asked, matches=False)
        seal, case = _group(entry, "seal"), _group(entry, "case")
        return PaperCheck(
            code=asked,
            matches=True,
            seal=seal.get("seal_name"),
            grantee=seal.get("grantee_name"),
            item=case.get("item_name"),
            document_kind=case.get("document_kind"),
            sealed_at=entry.time,
            status=present_status(shop, connection, entry, now),
        )


def _typed(number: str) -> str:
    if len(number) > LONGEST_NUMBER:
        raise OrderError(
            "check-number-too-long",
            f"编号有 {len(number)} 个字符，至多 {LONGEST_NUMBER}",
            f"the number has {len(number)} characters, at most {LONGEST_NUMBER} expected",
        )
    key = number_key(number)
    if not key:
        raise OrderError(
            "check-number-missing",
            "请填写纸面上的文书编号，例如 兴审批〔2026〕17号",
            "type the number printed on the document, e.g. 兴审批〔2026〕17号",
        )
    return key


def _keys(entry: StoredEntry) -> set[str]:
    """The numbers of the document as they are compared. Raises :class:`UnknownError` when they were erased."""
    numbers = _group(entry, "numbers")
    keys = {number_key(given) for name in _NUMBERS if isinstance(given := numbers.get(name), str)}
    if not keys:
        raise UnknownError(
            "check-number-erased",
            "编号记录已依规清除，无法比对，请索要电子文件",
            "the record of the number was erased under a retention rule; ask for the electronic file",
        )
    return keys


def _group(entry: StoredEntry, name: str) -> Mapping[str, Any]:
    opening = entry.openings.get(name)
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}
