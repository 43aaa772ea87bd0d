"""Passwords: what one must be, and how it is kept (argon2id, RFC 9106).

Hashing takes memory by intent, so no more than two are at work at once in a process: a crowd that signs in must
not take the machine from sealing.
"""

import unicodedata
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accounts.errors import ChoiceError
from policies.folding import fold

SHORTEST: Final = 12
LONGEST: Final = 200
"""Characters, after NFKC."""
FEWEST_DIFFERENT: Final = 5
"""Different characters that a password has at least."""
_AT_ONCE: Final = 2

_COMMONEST: Final = frozenset(
    {
        "1234567890ab",
        "1234567890qwe",
        "123456789012",
        "1234567891011",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv",
        "abcdefghijkl",
        "admin1234567",
        "administrator",
        "administrator1",
        "changeme1234",
        "hello123456789",
        "iloveyou1234",
        "iloveyou1314520",
        "letmein123456",
        "mima12345678",
        "nihao123456789",
        "p@ssw0rd1234",
        "p@ssw0rdp@ssw0rd",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "q1w2e3r4t5y6",
        "qazwsxedcrfv",
        "qwer1234asdf",
        "qwerty123456",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopasdf",
        "welcome12345",
        "woaini1314520",
        "woaini5201314",
        "zaq12wsxcde3",
        "zxcvbnm12345",
    }
)


class Passwords:
    """Makes and checks what is stored of passwords. Shared by threads."""

    def __init__(self, *, rounds: int = 3, memory: int = 65_536, lanes: int = 4) -> None:
        """``memory`` in KiB; the defaults are the second choice of RFC 9106 4, for a host that does other work too."""
        self._hasher = PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=lanes)
        self._turns = BoundedSemaphore(_AT_ONCE)
        self._nobodys = self._hasher.hash("the password of no account")

    def make(self, password: str, sign_in_name: str) -> str:
        """What is stored of a new password. Raises :class:`ChoiceError` as :func:`check_choice`."""
        check_choice(password, sign_in_name)
        with self._turns:
            return self._hasher.hash(_normal(password))

    def matches(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` is the one. With ``stored`` None as much work is done for a certain no."""
        text = password if len(password) <= LONGEST else ""  # as much work for what cannot be one
        with self._turns:
            try:
                self._hasher.verify(self._nobodys if stored is None else stored, _normal(text))
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def stale(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's, so that it should be made again."""
        return self._hasher.check_needs_rehash(stored)

    def remake(self, password: str) -> str:
        """What is stored of a password that was right, with today's parameters."""
        with self._turns:
            return self._hasher.hash(_normal(password))


def check_choice(password: str, sign_in_name: str) -> None:
    """Raise :class:`ChoiceError` ``password-refused`` unless ``password`` may be one."""
    normal = _normal(password)
    if not SHORTEST <= len(normal) <= LONGEST:
        raise _refused(
            f"长 {len(normal)} 个字符，应为 {SHORTEST} 至 {LONGEST} 个",
            f"has {len(normal)} characters, {SHORTEST} to {LONGEST} expected",
        )
    if any(unicodedata.category(each) in {"Cc", "Cs", "Cn"} for each in normal):
        raise _refused("含控制字符或未定义的字符", "holds a control character or an unassigned one")
    if fold(normal) == fold(sign_in_name):
        raise _refused("与登录名相同", "is the sign-in name")
    if len(set(normal)) < FEWEST_DIFFERENT:
        raise _refused(f"不同字符少于 {FEWEST_DIFFERENT} 个", f"has fewer than {FEWEST_DIFFERENT} different characters")
    if fold(normal) in _COMMONEST:
        raise _refused("是最常见的密码之一，容易被猜到", "is one of the commonest and easily guessed")


def _normal(password: str) -> str:
    """One form for what can be typed in several ways: NFKC. Lone surrogates, which UTF-8 has none of, become ``?``."""
    return unicodedata.normalize("NFKC", password.encode("utf-8", "replace").decode("utf-8"))


def _refused(zh: str, en: str) -> ChoiceError:
    return ChoiceError("password-refused", f"密码{zh}", f"the password {en}")
