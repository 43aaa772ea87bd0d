"""The witnesses of this service, as an operator lists them: one a line, verifier key, blank, URL prefix."""

import re
from dataclasses import dataclass
from pathlib import Path

from ledger.cosignature import WitnessIdentity
from ledger.errors import CheckpointError
from outbound.client import authority_of
from outbound.errors import OutboundError
from sealing.errors import InstallationError

MOST = 64
_LINE = re.compile(r"(\S+)\s+(\S+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One witness: whose cosignatures count, and the submission prefix under which it is asked (C2SP tlog-witness)."""

    identity: WitnessIdentity
    url: str


def read_witnesses(path: Path | None, *, needed: int) -> tuple[Witness, ...]:
    """The witnesses of a list; empty lines and those that begin with # say nothing.

    Raises :class:`InstallationError` for a line that is none, a witness that stands there twice, and a list with fewer
    than ``needed``.
    """
    lines = [] if path is None else _lines(path)
    found = tuple(_witness(line) for line in lines if line and not line.startswith("#"))
    if len({each.identity for each in found}) != len(found) or not needed <= len(found) <= MOST:
        raise InstallationError(
            "witnesses-unclear",
            f"见证人名单有 {len(found)} 行；应各不相同，至少 {needed} 个，至多 {MOST} 个",
            f"the list of witnesses has {len(found)} lines; {needed} to {MOST} different ones expected",
        )
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InstallationError(
            "witnesses-unreadable", f"见证人名单 {path} 无法读取", f"the list of witnesses {path} cannot be read"
        ) from error


def _witness(line: str) -> Witness:
    match = _LINE.fullmatch(line)
    try:
        if match is not None:
            authority_of(match[2])
            return Witness(identity=WitnessIdentity.from_vkey(match[1]), url=match[2].rstrip("/"))
    except (CheckpointError, OutboundError) as error:
        raise _malformed(line, str(error)) from error
    raise _malformed(line, "verifier key, blank, URL")


def _malformed(line: str, why: str) -> InstallationError:
    return InstallationError(
        "witness-malformed", f"见证人名单中的一行不对：{line!r}（{why}）", f"no line of a witness: {line!r} ({why})"
    )
