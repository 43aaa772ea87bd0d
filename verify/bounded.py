"""Judge foreign files in workers with limits of their own. Nothing here loads a parser of PDF."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import file_digest
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from ledger.moments import to_text
from sandbox.errors import SandboxError
from sandbox.pool import MIB, Pool
from verify.receipt import Receipt
from verify.trust import Trust
from verify.verdict import Finding, Verdict, doubt

_JUDGE = "verify.desk:judge_document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one file may cost: wall clock, and the worker's memory beside the file itself, which it maps."""

    seconds: float
    memory_bytes: int = 512 * MIB


def judge_bounded(path: Path, receipts: Sequence[Receipt], *, trust: Trust, now: datetime, limits: Limits) -> Verdict:
    """As ``verify.judge.judge``; a file that exceeds the limits is INDETERMINATE, with the reason.

    Raises ``OSError`` when the file cannot be read, ``ValueError`` when trust and receipts together exceed a request.
    """
    with pool_for([path], limits) as pool:
        return judge_in(pool, path, receipts, trust=trust, now=now)


@contextmanager
def pool_for(paths: Sequence[Path], limits: Limits) -> Iterator[Pool]:
    """A worker for :func:`judge_in` that may hold the largest of ``paths``."""
    memory = limits.memory_bytes + max((path.stat().st_size for path in paths if path.exists()), default=0)
    with Pool(1, allowed=(_JUDGE,), memory_bytes=memory, seconds=limits.seconds, warm=("verify.desk",)) as pool:
        yield pool


def judge_in(pool: Pool, path: Path, receipts: Sequence[Receipt], *, trust: Trust, now: datetime) -> Verdict:
    """As :func:`judge_bounded`, in a pool that other files use as well."""
    given = [each.to_json() for each in receipts]
    arguments = {
        "document": str(path.absolute()),
        "receipt": given[0] if given else None,
        "further_receipts": given[1:],
        "roots": [root.public_bytes(Encoding.PEM).decode() for root in trust.roots],
        "logs": [log.vkey for log in trust.logs],
        "crls": [b64encode(each).decode() for each in trust.crls],
        "ocsps": [b64encode(each).decode() for each in trust.ocsps],
        "timestamp_roots": [root.public_bytes(Encoding.PEM).decode() for root in trust.timestamp_roots],
        "witnesses": [each.vkey for each in trust.witnesses],
        "now": to_text(now),
    }
    try:
        return Verdict.from_json(pool.call(_JUDGE, arguments))
    except SandboxError as error:
        return told(path, now, failed(error.code, error.zh, error.en))


def failed(code: str, zh: str, en: str) -> Finding:
    """What is said where nothing could be judged, and why."""
    return doubt("judging_failed", f"核验中断（{code}）：{zh}", f"judging could not be completed ({code}): {en}")


def told(path: Path, now: datetime, finding: Finding) -> Verdict:
    """A verdict on a file of which nothing but ``finding`` can be said. Raises ``OSError``."""
    with path.open("rb") as file:
        digest, length = file_digest(file, "sha256").hexdigest(), file.tell()
    return Verdict(
        file_digest=f"sha256:{digest}",
        file_length=length,
        judged_at=to_text(now),
        findings=(finding,),
        signatures=(),
    )
