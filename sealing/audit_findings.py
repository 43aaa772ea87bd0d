"""What the auditor says of one thing that is wrong."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """One thing that is wrong."""

    severity: Literal["broken", "open", "orphan"]
    code: str
    where: str
    zh: str
    en: str


def broken(code: str, where: str, zh: str, en: str) -> AuditFinding:
    """Somebody changed something."""
    return AuditFinding(severity="broken", code=code, where=where, zh=zh, en=en)


def differs(kind: str, where: str, entry: int, columns: list[str]) -> AuditFinding:
    """A row that its entry contradicts, column by column; ``kind`` is one of its table."""
    names = "、".join(columns)
    return broken(f"{kind}-differs", where, f"{names} 与第 {entry} 条不符", f"{names}: not as entry {entry} tells")
