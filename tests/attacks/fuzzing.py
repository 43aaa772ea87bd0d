"""Fuzz targets: the judgement of an upload, the readers of CMS and time-stamp tokens, the reader of upload bodies.

A fault is an exception, a changed file that passes, or one that takes too long. A judgement that only says that a
parser stumbled (INDETERMINATE ``judging_failed``) is honest, but a better name is wanted: such seeds are told apart.

The rule for a changed file: it may never be TOTAL_PASSED. The one exception is a change that only appends a whole
revision which refers to nothing that was there (then the signed part, its prefix, is byte for byte the original).
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from asn1crypto.cms import ContentInfo
from attacks.base import NOW, Base
from attacks.fuzzing_bodies import multipart
from attacks.mutation import mutated, mutated_der
from attacks.places import byte_range, cms_of, with_cms

from authority.errors import AuthorityError
from authority.timestamp_token import read_token
from verify.judge import judge
from verify.verdict import Indication

SLOWEST = 30.0  # seconds, on a busy machine, for what takes a tenth of one
Target = Callable[[Base, int], None]


@dataclass(slots=True)
class Run:
    """What was run: seeds from ``first`` on, and what went wrong with which seed."""

    first: int
    count: int = 0
    faults: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)


class UnnamedError(Exception):
    """The judgement says that a parser stumbled, and no more."""


def upload(base: Base, seed: int) -> None:
    """A changed sealed file, judged with its receipt and without."""
    chance = Random(seed)
    name = chance.choice(("final", "packed", "unlocked", "twice"))
    sealed = base[name]
    source = base.stamped if seed % 5 == 0 and name == "final" else sealed.data
    data = mutated(source, chance)
    if data == source:
        return
    receipt = sealed.receipt if chance.random() < 0.5 else None
    _never_passed(base, data, sealed.data, receipt, f"{name} {seed}")


def signature(base: Base, seed: int) -> None:
    """A sealed file with a changed CMS, which fits its room."""
    chance = Random(seed)
    sealed = base["final"]
    cms = cms_of(sealed.data)
    changed = mutated_der(cms, chance)
    _, length, second, _ = byte_range(sealed.data)
    if changed == cms or len(changed) * 2 > second - length - 2:
        return
    receipt = sealed.receipt if chance.random() < 0.5 else None
    _never_passed(base, with_cms(sealed.data, changed), sealed.data, receipt, f"cms {seed}")


def token(base: Base, seed: int) -> None:
    """A changed time-stamp token: read, or refused with a typed error."""
    chance = Random(seed)
    stamped = base.stamped
    changed = mutated_der(cms_of(stamped), chance)
    try:
        read_token(changed)
        ContentInfo.load(changed)
    except (AuthorityError, ValueError):
        return


def _never_passed(base: Base, data: bytes, original: bytes, receipt: object, what: str) -> None:
    path = base.folder / "fuzzed.pdf"
    path.write_bytes(data)
    began = monotonic()
    verdict = judge(path, receipt=receipt, trust=base.trust, now=NOW)  # type: ignore[arg-type]  a receipt or None
    took = monotonic() - began
    if took > SLOWEST:
        raise AssertionError(f"{what}: {took:.0f} s")
    if verdict.indication is Indication.TOTAL_PASSED and not data.startswith(original):
        raise AssertionError(f"{what}: a changed file passed")
    if any(each.code == "judging_failed" for each in verdict.all_findings):
        kinds = [each.en for each in verdict.all_findings if each.code == "judging_failed"]
        raise UnnamedError(f"{what}: {kinds}")


def body(_base: Base, seed: int) -> None:
    """A changed upload body: read, or refused with a typed error."""
    multipart(seed)


TARGETS: dict[str, Target] = {"upload": upload, "signature": signature, "token": token, "body": body}


def run(base: Base, target: Target, *, seconds: float, first: int, keep: Path | None = None) -> Run:
    """Seed after seed until the time is over; the faulty files go to ``keep``, for sealed files differ each time."""
    done = Run(first)
    until = monotonic() + seconds
    while monotonic() < until:
        try:
            target(base, first + done.count)
        except UnnamedError as error:
            done.unnamed.append(f"seed {first + done.count}: {error}")
        except Exception as error:  # noqa: BLE001  whatever comes out of a parser is a fault
            seed = first + done.count
            done.faults.append(f"seed {seed}: {type(error).__name__}: {error}")
            if keep is not None and (base.folder / "fuzzed.pdf").exists():
                shutil.copy(base.folder / "fuzzed.pdf", keep / f"fault-{seed}.pdf")
        done.count += 1
    return done
