"""Check codes: 80 random bits beside a seal's face, under which anybody may ask about the paper they hold.

Written in Crockford's base 32, which leaves out I, L, O and U, in four groups of four. Whoever has not seen the
document cannot guess a code; a code says nothing by itself.
"""

import re
import secrets
import unicodedata
from typing import Final

from registry.record import derived_id
from sealing.errors import OrderError

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BITS: Final = 80
_LENGTH: Final = RANDOM_BITS // 5
_GROUP: Final = 4
_LONGEST: Final = 100
_LOOK_ALIKES: Final = str.maketrans("OIL", "011")
_FILLING: Final = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def new_check_code() -> str:
    """A code that nobody has, ``XXXX-XXXX-XXXX-XXXX``, from the system's random source."""
    return _written("".join(secrets.choice(ALPHABET) for _ in range(_LENGTH)))


def parse_check_code(text: str) -> str:
    """The code as it was given out, from what a person typed off a paper.

    Case, blanks, dashes, full-width characters and look-alikes (O for 0, I and L for 1) do not matter. Raises
    :class:`sealing.errors.OrderError` ``check-code-malformed``.
    """
    if len(text) > _LONGEST:
        raise _malformed(f"{len(text)} 个字符", f"{len(text)} characters")
    folded = _FILLING.sub("", unicodedata.normalize("NFKC", text)).upper().translate(_LOOK_ALIKES)
    strange = sorted({each for each in folded if each not in ALPHABET})
    if strange:
        raise _malformed(f"字符 {' '.join(strange)}", f"the characters {' '.join(strange)}")
    if len(folded) != _LENGTH:
        raise _malformed(f"{len(folded)} 个字符", f"{len(folded)} characters")
    return _written(folded)


def check_subject(code: str) -> str:
    """The ledger subject of one code as it was given out; it tells nothing to anyone without the code."""
    return derived_id("chk", code)


def _written(characters: str) -> str:
    return "-".join(characters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _malformed(zh: str, en: str) -> OrderError:
    return OrderError(
        "check-code-malformed",
        f"查验码应为 {_LENGTH} 个字母或数字（不含 I、L、O、U），输入中有{zh}",
        f"a check code has {_LENGTH} letters and digits (without I, L, O, U); found {en}",
    )
