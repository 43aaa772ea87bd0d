"""台账: the usage register of [000 二(三)] as a view of the record, one line a seal use, refusal or paper use.

Nothing is stored for it: each line is read from the openings of its entry, which fit the entry's commitments. An
opening that was erased under its retention rule leaves its columns empty and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from ledger.book import StoredEntry
from policies.words import word
from registry.china_time import BEIJING
from sealing.workshop import Workshop

KINDS = {"seal.impressed": "盖章", "seal.refused": "拒绝", "paper.used": "纸质用章"}

TITLES = {
    "entry": "记录序号",
    "time": "用章时间",
    "outcome": "结果",
    "item": "使用的事项",
    "approver": "批准领导",
    "licence_number": "证书编号",
    "document_number": "审批文书编号",
    "case_number": "办件编号",
    "document_kind": "文书类型",
    "copy": "正本/副本",
    "seal": "印章",
    "grantor": "授权（委托）单位",
    "grantee": "承接单位",
    "applicant": "用章人员",
    "custodian": "保管人",
    "assurance": "批准方式",
    "refused_by": "未通过的规则",
    "sealed_digest": "盖章文件摘要",
}
"""Column by column: first those that [000 二(三)] names, then what makes them findable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the register."""

    entry: int
    time: str
    outcome: str
    item: str
    approver: str
    licence_number: str
    document_number: str
    case_number: str
    document_kind: str
    copy: str
    seal: str
    grantor: str
    grantee: str
    applicant: str
    custodian: str
    assurance: str
    refused_by: str
    sealed_digest: str

    def cells(self) -> list[str]:
        """The values in the order of :data:`TITLES`."""
        return [str(getattr(self, name)) for name in TITLES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Which lines: entries behind ``after``, from ``since`` to before ``until``, of these organs or of all."""

    organs: tuple[str, ...] | None
    after: int = -1
    since: datetime | None = None
    until: datetime | None = None
    case_number: str | None = None


def lines(connection: Connection, shop: Workshop, period: Period) -> Iterator[Line]:
    """The lines in the order of the record. Raises ``ledger.errors.RecordBrokenError`` on a changed entry."""
    for index in shop.book.indexes(connection, *KINDS, after=period.after):
        stored = shop.book.entry(connection, index)
        if period.since is not None and stored.time < period.since:
            continue
        if period.until is not None and stored.time >= period.until:
            continue
        if not _concerns(stored, period):
            continue
        yield line_of(stored)


def table(found: Iterator[Line]) -> list[list[str]]:
    """Titles and lines as rows of text, for ``registry.sheets.write_csv`` and ``write_xlsx``."""
    return [list(TITLES.values()), *(line.cells() for line in found)]


def _group(stored: StoredEntry, name: str) -> dict[str, Any]:
    opening = stored.openings.get(name)
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}


def _concerns(stored: StoredEntry, period: Period) -> bool:
    seal, case = _group(stored, "seal"), _group(stored, "case")
    if period.case_number is not None and case.get("case_number") != period.case_number:
        return False
    return period.organs is None or bool({seal.get("grantor_code"), seal.get("grantee_code")} & set(period.organs))


def line_of(stored: StoredEntry) -> Line:
    """The line of one entry of :data:`KINDS`; what was erased is said to be."""
    seal, case = _group(stored, "seal"), _group(stored, "case")
    persons, numbers = _group(stored, "persons"), _group(stored, "numbers")
    failed = [each["code"] for each in _group(stored, "decision").get("findings", []) if not each["passed"]]
    erased = "（已依规清除）" if stored.erased else ""
    values = {
        "item": case.get("item_name") or case.get("item"),
        "approver": persons.get("principal_name") or erased,
        "licence_number": numbers.get("licence_number"),
        "document_number": numbers.get("document_number"),
        "case_number": case.get("case_number"),
        "document_kind": word(str(case.get("document_kind"))),
        "copy": _copy(str(case.get("copy"))),
        "seal": seal.get("seal_name"),
        "grantor": seal.get("grantor_name"),
        "grantee": seal.get("grantee_name"),
        "applicant": persons.get("applicant_name") or erased,
        "custodian": persons.get("custodian_name") or erased,
        "assurance": word(_group(stored, "approval").get("assurance") or ""),
        "sealed_digest": _group(stored, "document").get("sealed_digest"),
    }
    return Line(
        entry=stored.index,
        time=stored.time.astimezone(BEIJING).isoformat(sep=" ", timespec="seconds"),
        outcome=KINDS[stored.kind],
        refused_by="、".join(failed),
        **{name: str(value or "") for name, value in values.items()},
    )


def _copy(code: str) -> str:
    """正本, or 副本 with its number."""
    return "正本" if code == "original" else code.replace("duplicate ", "副本")
