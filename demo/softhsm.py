"""A hardware module for the demonstration: a SoftHSM token with a PIN of its own in the demo's folder."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from demo.service import DemoError

_PROGRAM = "softhsm2-util"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
"""Where distributions put the module."""
_LABEL = "yinxin-demo"


def softhsm(folder: Path) -> dict[str, str]:
    """Make the token in ``folder``; the environment that makes the service keep its keys there.

    Raises :class:`DemoError` where SoftHSM is not installed or the token cannot be made.
    """
    program, module = shutil.which(_PROGRAM), next((each for each in _MODULES if Path(each).exists()), None)
    if program is None or module is None:
        raise DemoError(
            f"没有 SoftHSM（{_PROGRAM}）；Debian：apt install softhsm2 / SoftHSM is not installed, on Debian: softhsm2"
        )
    (folder / "tokens").mkdir(mode=0o700, parents=True)
    configuration, pin_file = folder / "softhsm2.conf", folder / "pin"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n", "utf-8")
    pin = secrets.token_hex(8)
    pin_file.touch(mode=0o600)
    pin_file.write_text(pin, "utf-8")
    surroundings = {"SOFTHSM2_CONF": str(configuration)}
    done = subprocess.run(
        [program, "--init-token", "--free", "--label", _LABEL, "--pin", pin, "--so-pin", secrets.token_hex(8)],
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DemoError(f"{_PROGRAM}: exit {done.returncode}")  # what it printed may hold the PIN
    return surroundings | {
        "YINXIN_KEYSTORE": f"pkcs11:token={_LABEL}?module-path={module}&pin-source=file:{pin_file}",
    }
