"""What the log at hand tells of the life of a seal's certificate, held against the time of a signature.

A hold that is over leaves the revocation list (RFC 5280 5.3.1), so the list alone would make sound again what was
signed while the key was suspended. The ledger keeps each hold as an interval. It also tells since when a revoked
certificate is not to be trusted, which may be earlier than it was revoked (RFC 5280 5.3.2).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, Self

from ledger.moments import from_text, to_text
from verify.times import Times
from verify.verdict import Facts, Finding, doubt, failure, note

_CLAIMED: Final = re.compile(r"D:(\d{14})(?:Z|([+-])(\d{2})'?(\d{2})'?)")  # ISO 32000-2 7.9.4, with a zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One time on hold: from ``start`` up to, not including, ``end``; None while it lasts. Aware times."""

    start: datetime
    end: datetime | None

    def has(self, moment: datetime) -> bool:
        """Whether ``moment`` lies in it."""
        return self.start <= moment and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A revocation for good: when it was recorded, since when the certificate is not to be trusted, and why."""

    time: datetime
    effective: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHistory:
    """Holds in order, and the revocation, if there is one. Empty where no log was at hand."""

    holds: tuple[Hold, ...] = ()
    ended: Ended | None = None

    @classmethod
    def of(cls, status: Facts) -> Self:
        """Read the members ``holds`` and ``revoked`` of a status. Raises ``ValueError`` for what is none of ours."""
        try:
            holds = tuple(_hold(start, end) for start, end in status.get("holds") or ())
            told = status.get("revoked")
            return cls(holds=holds, ended=None if told is None else _ended(told))
        except (TypeError, KeyError) as error:
            raise ValueError("the history of the certificate cannot be read") from error


def _hold(start: str, end: str | None) -> Hold:
    return Hold(start=from_text(start), end=None if end is None else from_text(end))


def _ended(told: Facts) -> Ended:
    time = from_text(told["time"])
    return Ended(time=time, effective=min(time, from_text(told["effective"])), reason=str(told["reason"]))


def history_of(status: Facts) -> tuple[KeyHistory, tuple[Finding, ...]]:
    """The history in a status, or a doubt that there is one which cannot be read."""
    try:
        return KeyHistory.of(status), ()
    except ValueError:
        return KeyHistory(), (_UNREADABLE,)


def judge_holds(holds: Sequence[Hold], times: Times, claimed: str | None) -> Iterator[Finding]:
    """Whether the certificate was on hold when it was used.

    The time is the ledger's, or an earlier one that is proven. Whoever holds only a proof that the signature existed
    at some time cannot tell whether a hold that began before had begun when it was made (EN 319 102-1 5.2.6).
    """
    if not holds:
        return
    moment = _moment(times, claimed)
    held = [each for each in holds if moment is not None and each.has(moment)]
    if held and moment is not None:
        yield _while_held(held[0], moment)
    elif times.recorded is None and not _proven_before(holds, times):
        yield _CANNOT_TELL
    else:
        yield _at_another_time(holds)


def _moment(times: Times, claimed: str | None) -> datetime | None:
    """When it was used, as well as it is known; of an outside proof alone only the latest time is."""
    if times.recorded is not None:
        proof = times.best
        return times.recorded if proof is None else min(times.recorded, proof.time)
    return claimed_moment(claimed) if times.best is None else None


def _proven_before(holds: Sequence[Hold], times: Times) -> bool:
    return times.best is not None and times.best.time < min(each.start for each in holds)


def claimed_moment(text: str | None) -> datetime | None:
    """The time that a PDF date with a zone tells; None for anything else."""
    matched = _CLAIMED.fullmatch(text or "")
    if matched is None:
        return None
    try:
        local = datetime.strptime(matched[1], "%Y%m%d%H%M%S")  # noqa: DTZ007  its zone stands beside it
        ahead = timedelta(hours=int(matched[3] or 0), minutes=int(matched[4] or 0))
        return local.replace(tzinfo=timezone(-ahead if matched[2] == "-" else ahead)).astimezone(UTC)
    except ValueError:
        return None


def shown(hold: Hold) -> tuple[str, str]:
    """The interval in Chinese and English."""
    start = to_text(hold.start)
    if hold.end is None:
        return f"{start} 起（未恢复）", f"since {start} (not resumed)"
    return f"{start} 至 {to_text(hold.end)}", f"from {start} to {to_text(hold.end)}"


def shown_end(ended: Ended) -> tuple[str, str]:
    """The revocation in Chinese and English."""
    when, since, reason = to_text(ended.time), to_text(ended.effective), ended.reason
    if ended.effective == ended.time:
        return f"{when} 吊销（{reason}）", f"at {when} ({reason})"
    return f"{when} 吊销，自 {since} 起失效（{reason}）", f"at {when} with effect from {since} ({reason})"


def _while_held(hold: Hold, moment: datetime) -> Finding:
    zh, en = shown(hold)
    return failure(
        "sealed_while_held",
        f"签名时间 {to_text(moment)} 在证书暂停期间（{zh}）：其后恢复不使其有效",
        f"signed at {to_text(moment)}, while the certificate was on hold ({en}): that it was resumed does not mend it",
        "REVOKED",
    )


def _at_another_time(holds: Sequence[Hold]) -> Finding:
    listed = [shown(each) for each in holds]
    return note(
        "held_at_another_time",
        f"证书曾暂停：{'；'.join(zh for zh, _ in listed)}；本签名不在其间",
        f"the certificate was on hold {'; '.join(en for _, en in listed)}; this signature was made at another time",
    )


_CANNOT_TELL: Final = doubt(
    "held_at_unknown_time",
    "证书曾暂停，而签名在暂停之前、期间还是之后无从判断：请提供回执",
    "the certificate was on hold at times, and whether this signature was made then cannot be told: give the receipt",
    "REVOKED_NO_POE",
)
_UNREADABLE: Final = doubt(
    "status_unreadable",
    "台账所述的证书暂停、吊销情况不可读",
    "what the log says of holds and revocation of the certificate cannot be read",
)
