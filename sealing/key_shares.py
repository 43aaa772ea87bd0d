"""The key-encryption key in n shares, any m of which give it back (Shamir, as SLIP-0039 words).

A share is a line of words with checksum; fewer than m tell nothing of the key. Every share is written, read back and
proven by recombination before this counts as done.
"""

from collections.abc import Sequence
from pathlib import Path

import shamir_mnemonic
from shamir_mnemonic import MnemonicError

from keystore.at_rest import KEY_BYTES
from keystore.interface import KeyUnreadableError
from keystore.private_file import read_private
from sealing.errors import CeremonyError

MOST = 16  # SLIP-0039
_LONGEST_SHARE = 4096


def split(secret: bytes, *, needed: int, of: int) -> list[str]:
    """Shares of 32 bytes, proven: each is in a recombination that gives ``secret``. Raises :class:`CeremonyError`."""
    if len(secret) != KEY_BYTES or not 2 <= needed <= of <= MOST:  # noqa: PLR2004  one share would be the key itself
        raise CeremonyError(
            "shares-out-of-range",
            f"分片为 {of} 份中的 {needed} 份；应为 2 至 {MOST} 份",
            f"{needed} of {of} shares asked; expected 2 to {MOST}, needed not above all",
        )
    (shares,) = shamir_mnemonic.generate_mnemonics(1, [(needed, of)], secret)
    check(shares, secret, needed=needed)
    return list(shares)


def check(shares: Sequence[str], secret: bytes, *, needed: int) -> None:
    """Combine ``needed`` neighbours, from each share on. Raises :class:`CeremonyError` unless all give ``secret``."""
    ring = [*shares, *shares]
    for start in range(len(shares)):
        if combine(ring[start : start + needed]) != secret:
            raise CeremonyError(
                "shares-wrong", "分片合成的不是原密钥，未予采用", "the shares do not give the key back; none was kept"
            )


def combine(shares: Sequence[str]) -> bytes:
    """The secret of enough shares. Raises :class:`CeremonyError`, which says nothing of what a share holds."""
    try:
        return bytes(shamir_mnemonic.combine_mnemonics(shares))
    except (MnemonicError, ValueError) as error:
        raise CeremonyError(
            "shares-insufficient",
            "分片不足、有误或不属于同一密钥",
            "the shares are too few, mistyped, or not of one key",
        ) from error


def read_share(path: Path) -> str:
    """The words in a share's file (0600); lines that begin with # say nothing. Raises ``KeyUnreadableError``."""
    content = read_private(path, limit=_LONGEST_SHARE, error=KeyUnreadableError).decode("ascii", "replace")
    return " ".join(line.strip() for line in content.splitlines() if line.strip() and not line.startswith("#"))
