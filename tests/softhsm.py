"""A SoftHSM token of a test's own: a folder with its configuration, its objects, and the PIN in a private file."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

MODULE = next(
    (
        path
        for path in map(Path, ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"))
        if path.exists()
    ),
    Path("/usr/lib/softhsm/libsofthsm2.so"),
)
CONFIGURATION = "SOFTHSM2_CONF"
"""SoftHSM reads the name of its configuration from here, once, when a process first loads it."""

_TOKEN_FLAGS = (0x8000534B).to_bytes(8) + (2).to_bytes(8)
"""In `token.object`: the attribute's name (vendor's CKA_OS_TOKENFLAGS) and its type (a number)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftToken:
    """One initialised token. Everything of it lies in ``folder``."""

    folder: Path
    label: str
    serial: str
    pin: str
    so_pin: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs in its environment before it loads the module."""
        return {CONFIGURATION: str(self.folder / "softhsm2.conf")}

    @property
    def pin_file(self) -> Path:
        return self.folder / "pin"

    @property
    def uri(self) -> str:
        """The keystore's address (RFC 7512), with the PIN in a file."""
        return self.uri_with(str(self.pin_file))

    def uri_with(self, pin_source: str) -> str:
        source = quote(pin_source, safe="/:")
        return f"pkcs11:token={quote(self.label)};serial={self.serial}?module-path={MODULE}&pin-source={source}"

    @contextmanager
    def unplugged(self) -> Iterator[None]:
        """While the block runs, the module cannot find the token's objects."""
        there, away = self.folder / "tokens", self.folder / "away"
        there.rename(away)
        there.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(there)
            away.rename(there)

    def raise_flags(self, flags: int) -> None:
        """Set bits of CK_TOKEN_INFO.flags in SoftHSM's own file; seen after the module has started again."""
        (path,) = self.folder.glob("tokens/*/token.object")
        content = path.read_bytes()
        place = content.index(_TOKEN_FLAGS) + len(_TOKEN_FLAGS)
        changed = int.from_bytes(content[place : place + 8]) | flags
        path.write_bytes(content[:place] + changed.to_bytes(8) + content[place + 8 :])

    @property
    def objects(self) -> int:
        """How many objects lie in the token, as files."""
        return len([each for each in self.folder.glob("tokens/*/*.object") if each.name != "token.object"])

    @contextmanager
    def configured(self) -> Iterator["SoftToken"]:
        """This process, and those it starts, find the token while the block runs."""
        with pytest.MonkeyPatch.context() as environment:
            for name, value in self.environment.items():
                environment.setenv(name, value)
            yield self


def make_token(folder: Path, *, label: str = "yinxin test") -> SoftToken:
    """Initialise a token in ``folder`` (made if missing), with random PINs."""
    pin, so_pin = f"{secrets.randbelow(10**8):08}", f"{secrets.randbelow(10**8):08}"
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    pin_file = folder / "pin"
    pin_file.touch(mode=0o600)
    pin_file.write_text(f"{pin}\n")
    environment = {**os.environ, CONFIGURATION: str(folder / "softhsm2.conf")}
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", so_pin]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    shown = subprocess.run(
        ["softhsm2-util", "--show-slots"], env=environment, check=True, capture_output=True, text=True
    )
    serial = re.search(r"Serial number:\s+([0-9a-f]+)", shown.stdout)
    assert serial is not None, shown.stdout
    return SoftToken(folder=folder, label=label, serial=serial[1], pin=pin, so_pin=so_pin)
