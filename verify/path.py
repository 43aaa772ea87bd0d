"""A certificate path: from a signer through whatever certificates are at hand to a root that is trusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from authority.certificates import is_embedded
from authority.chain import LONGEST_CHAIN, issued_by

_MOST_TRIED = 64
"""Signatures checked for one path: a hostile file can hold many certificates with one name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The chain as far as it could be built, the signer's first; ``root`` only when it is a trusted one."""

    chain: tuple[x509.Certificate, ...]
    root: x509.Certificate | None

    @property
    def embedded(self) -> bool:
        """Whether an authority without a licence issued the signer's certificate."""
        return any(is_embedded(certificate) for certificate in self.chain)

    @property
    def links(self) -> tuple[tuple[x509.Certificate, x509.Certificate], ...]:
        """Each certificate below the root with its issuer, the signer's first."""
        whole = self.chain if self.root is None or self.chain[-1] == self.root else (*self.chain, self.root)
        return tuple(pairwise(whole))


def build_path(
    signer: x509.Certificate, others: Iterable[x509.Certificate], roots: Sequence[x509.Certificate], *, at: datetime
) -> Path:
    """Follow the issuers from ``signer`` among ``others`` until a trusted root issued the last.

    Where several certificates of one authority would do, those valid at ``at`` come first. Nothing is fetched.
    """
    ordered = sorted(dict.fromkeys(others), key=lambda each: not _valid(each, at))
    search = _Search(others=tuple(ordered), roots=tuple(roots))
    found = search.from_((signer,))
    return found or Path(chain=search.longest, root=None)


class _Search:
    """Depth first, within a budget of signature checks."""

    def __init__(self, *, others: tuple[x509.Certificate, ...], roots: tuple[x509.Certificate, ...]) -> None:
        self.others, self.roots, self.left = others, roots, _MOST_TRIED
        self.longest: tuple[x509.Certificate, ...] = ()

    def from_(self, chain: tuple[x509.Certificate, ...]) -> Path | None:
        """The first path that leads from ``chain`` to a root."""
        if len(chain) > len(self.longest):
            self.longest = chain
        root = next((each for each in self.roots if chain[-1] == each or self._issued(chain[-1], each)), None)
        if root is not None:
            return Path(chain=chain, root=root)
        if len(chain) == LONGEST_CHAIN:
            return None
        above = (each for each in self.others if each not in chain and self._issued(chain[-1], each))
        return next((found for each in above if (found := self.from_((*chain, each)))), None)

    def _issued(self, subject: x509.Certificate, issuer: x509.Certificate) -> bool:
        try:
            fits = subject.issuer == issuer.subject
        except ValueError:  # a name that cannot be read, which the library finds out only now
            return False
        if not fits or self.left <= 0:
            return False
        self.left -= 1
        return issued_by(subject, issuer)


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
