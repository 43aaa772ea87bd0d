"""Where the keys of an installation are: in the custody process, or, where settings say so, in this process."""

from pathlib import Path

from custody.client import CustodyKeystore
from custody.connection import LINGER_SECONDS, on_demand, to_address
from custody.settings import Address, ProcessSettings
from keystore.interface import Connected, Keystore
from sealing.settings import Settings


def open_keystore_for(settings: Settings) -> Keystore:
    """The keystore of the settings. Raises ``keystore`` errors, ``custody.errors.CustodyAddressError`` among them."""
    if settings.unsafe_in_process_keys:
        return _in_process(settings)
    if settings.custody:
        connecting = to_address(Address.read(settings.custody), tls=settings.custody_tls)
    else:
        connecting = on_demand(process_settings(settings, linger=LINGER_SECONDS))
    return CustodyKeystore(connecting, seconds=settings.custody_seconds)


def close_keystore(keystore: Keystore) -> None:
    """Let go of connections; what has none is left as it is."""
    if isinstance(keystore, Connected):
        keystore.close()


def check_keystore(keystore: Keystore, ref: str) -> None:
    """Raises ``keystore`` errors unless the key can be had, and the process that holds it answers."""
    keystore.open(ref)
    if isinstance(keystore, CustodyKeystore):
        keystore.ping()


def process_settings(
    settings: Settings,
    *,
    listen: str | None = None,
    users: tuple[int, ...] = (),
    linger: float | None = None,
    foreground: bool = False,
) -> ProcessSettings:
    """What the custody process of this installation is started with."""
    return ProcessSettings(
        home=_absolute(settings.data / "custody"),
        keystore=settings.keystore_uri,
        key_encryption_key=_absolute(settings.key_encryption_key_path),
        log_origin=settings.log_origin,
        listen=listen or str(_absolute(settings.data / "run" / "custody.sock")),
        tls=settings.custody_tls and _absolute(settings.custody_tls),
        users=users,
        pins=settings.custody_pins,
        seconds=settings.custody_seconds,
        linger=linger,
        foreground=foreground,
    )


def _in_process(settings: Settings) -> Keystore:
    from keystore.open import open_keystore  # noqa: PLC0415  what holds private keys is loaded only where they may be

    if settings.keystore_uri.startswith("file:") and not (settings.data / "installation.json").exists():
        _create_key_encryption_key(settings.key_encryption_key_path)
    return open_keystore(settings.keystore_uri, key_encryption_key=settings.key_encryption_key_path)


def _create_key_encryption_key(path: Path) -> None:
    from keystore.files import FileKeystore  # noqa: PLC0415  as above

    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        FileKeystore.create_key_encryption_key(path)


def _absolute(path: Path) -> Path:
    return path.absolute()
