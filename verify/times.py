"""By when something existed: proofs of time, the best of them, and whether a path held then.

EN 319 102-1 clause 5.6 in the form that PAdES needs: a proof of existence is a time-stamp, or a witness's
cosignature, over something that covers the signature. The operator's own time-stamp proves no more than that the
operator says so; it is kept apart from what others say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509

from authority.chain import Problem, check_chain
from verify.path import Path

Basis = Literal["outside_time_stamp", "witnessed", "operator_time_stamp"]
OUTSIDE: frozenset[Basis] = frozenset({"outside_time_stamp", "witnessed"})
CLOCKS_DIFFER = timedelta(minutes=5)
OUT_OF_BOUNDS = frozenset({"expired", "not-yet-valid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Something existed at ``time`` at the latest (aware), by the word of whoever ``basis`` names."""

    time: datetime
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """All that is known of when a signature was made. ``recorded`` is the ledger's time, the operator's word."""

    proofs: tuple[Proof, ...] = ()
    recorded: datetime | None = None

    @property
    def outside(self) -> Proof | None:
        """The earliest proof by others than the operator."""
        return min((each for each in self.proofs if each.basis in OUTSIDE), key=_when, default=None)

    @property
    def operator(self) -> Proof | None:
        """The earliest proof by the operator's own time-stamps."""
        return min((each for each in self.proofs if each.basis not in OUTSIDE), key=_when, default=None)

    @property
    def best(self) -> Proof | None:
        """The outside proof, or else the operator's."""
        return self.outside or self.operator

    @property
    def used_at(self) -> datetime | None:
        """The time to ask revocation data about: the best proof's, or else the ledger's."""
        return self.best.time if self.best else self.recorded

    @property
    def basis(self) -> str:
        """What the time rests on: that of the best proof, ``operator_only`` (the ledger) or ``claimed_only``."""
        if self.best:
            return self.best.basis
        return "operator_only" if self.recorded else "claimed_only"


def _when(proof: Proof) -> datetime:
    return proof.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Whether a path holds. ``by`` is the proof that was needed, because by now it has run out."""

    problems: tuple[Problem, ...]
    by: Proof | None = None


def held(path: Path, roots: Iterable[x509.Certificate], *, now: datetime, times: Times) -> Held:
    """Whether ``path`` holds now, or else did at the best proven time (EN 319 102-1 5.5.4)."""
    known = tuple(roots)
    problems = tuple(check_chain(path.chain, known, now))
    if not problems or not {each.code for each in problems} <= OUT_OF_BOUNDS:
        return Held(problems=problems)
    for proof in (times.outside, times.operator):
        if proof is not None and not check_chain(path.chain, known, proof.time):
            return Held(problems=(), by=proof)
    return Held(problems=problems)
