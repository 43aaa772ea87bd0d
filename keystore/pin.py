"""Where the PIN of a token comes from. The PIN itself is in no address, no text form and no error."""

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import NoReturn

from keystore.interface import KeystoreAddressError, KeyUnreadableError, PinWrongError
from keystore.private_file import read_private

_LONGEST = 256  # bytes; PKCS #11 leaves the limit to the token, 255 is the most that is met


class PinSource:
    """A file of mode 0600, an environment variable (``env:NAME``) or a question at the terminal (``prompt``)."""

    __slots__ = ("_answer", "_told")

    def __init__(self, source: str) -> None:
        """``source`` is ``/absolute/path``, ``file:/absolute/path``, ``env:NAME`` or ``prompt``.

        Raises :class:`KeystoreAddressError`.
        """
        self._told = source.removeprefix("file:")
        self._answer: str | None = None
        if not (source == "prompt" or self._told.startswith("/") or source.removeprefix("env:").isidentifier()):
            raise KeystoreAddressError(
                "pin-source 应为 file:/绝对路径、env:变量名 或 prompt",
                "the pin-source should be file:/absolute/path, env:NAME or prompt",
            )

    def read(self, token: str) -> str:
        """The PIN for the token of the label ``token``; file and variable are read anew each time.

        A person is asked once: the answer is kept, so that a token that was away can be logged in to again.
        Raises :class:`PinWrongError` where there is no PIN.
        """
        if self._told == "prompt":
            self._answer = self._answer or _ask(token)
            return self._answer
        pin = _from_environment(self._told) if self._told.startswith("env:") else _from_file(Path(self._told))
        if not pin:
            raise PinWrongError(f"{self._told} 中没有 PIN", f"there is no PIN in {self._told}")
        return pin

    def version(self) -> tuple[int, int] | None:
        """Changes whenever the PIN's file is written or replaced; None for another source, or without a file."""
        try:
            status = Path(self._told).stat() if self._told.startswith("/") else None
        except OSError:
            status = None
        return None if status is None else (status.st_ino, status.st_mtime_ns)

    def __repr__(self) -> str:
        return f"PinSource({self._told!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a PIN is never copied or pickled")


def _from_environment(told: str) -> str:
    return os.environ.get(told.removeprefix("env:"), "")


def _from_file(path: Path) -> str:
    try:
        content = read_private(path, limit=_LONGEST, error=KeyUnreadableError)
    except FileNotFoundError:
        raise PinWrongError(f"找不到 PIN 文件 {path}", f"the PIN file {path} does not exist") from None
    try:
        return content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise PinWrongError(f"PIN 文件 {path} 不是 UTF-8", f"the PIN file {path} is not UTF-8") from None


def _ask(token: str) -> str:
    if not sys.stdin.isatty():
        raise PinWrongError(
            f"没有终端可输入令牌 {token} 的 PIN", f"there is no terminal to ask for the PIN of token {token}"
        )
    try:
        return getpass(f"令牌 {token} 的 PIN / PIN of token {token}: ")
    except EOFError:
        raise PinWrongError(f"未输入令牌 {token} 的 PIN", f"no PIN was given for token {token}") from None
