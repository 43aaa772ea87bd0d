"""From a data folder to an open installation, and who acts in it: the login at this console."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.console import SettingsError, UsageError

if TYPE_CHECKING:
    from registry.store import Act
    from sealing.settings import Settings
    from sealing.workshop import Workshop


def read_settings(data: Path | None, **chosen: Any) -> "Settings":  # noqa: ANN401  judged by the settings
    """The settings of the environment, with what the command line says. Raises :class:`SettingsError`."""
    from pydantic import ValidationError  # noqa: PLC0415  only where settings are read

    from registry.record import reasons  # noqa: PLC0415  as above
    from sealing.settings import Settings  # noqa: PLC0415  as above

    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(**given) if data is None else Settings(data=data, **given)
    except ValidationError as error:
        zh, en = reasons(error)
        raise SettingsError("settings-invalid", f"设置有误：{zh}", f"the settings are wrong: {en}") from error


@contextmanager
def opened(data: Path | None) -> Iterator["Workshop"]:
    """The installation in ``data``, open. Raises :class:`SettingsError` and as ``open_workshop``."""
    from sealing.workshop import open_workshop  # noqa: PLC0415  loads the database and the keys

    with open_workshop(read_settings(data)) as shop:
        yield shop


def act(why: str, *, organ: str | None = None) -> "Act":
    """Something the login at this console does now. The same login has the same id in every entry."""
    from registry.record import derived_id  # noqa: PLC0415  only where something is changed
    from registry.store import Act, Actor  # noqa: PLC0415  as above

    login = getpass.getuser()
    by = Actor(id=derived_id("opr", login), name=f"控制台 {login}", organ=organ)
    return Act(by=by, why=why, now=now())


def now() -> datetime:
    """The present moment."""
    from sealing.clock import utc_now  # noqa: PLC0415  the one place where the clock is read

    return utc_now()


def moment(text: str | None) -> datetime | None:
    """A time from the command line (RFC 3339) in UTC. Raises :class:`UsageError` ``time-unreadable``."""
    if text is None:
        return None
    from datetime import UTC  # noqa: PLC0415  beside its only use

    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = datetime.min  # noqa: DTZ901  refused below, as every time without a zone
    if read.tzinfo is None:
        raise UsageError(
            "time-unreadable",
            f"时间 {text!r} 应为带时区的 RFC 3339，例如 2026-11-23T09:00:00+08:00",
            f"the time {text!r} should be RFC 3339 with a zone, e.g. 2026-11-23T09:00:00+08:00",
        )
    return read.astimezone(UTC)


def moment_text(time: datetime | None) -> str | None:
    """The time as records have it, RFC 3339 in UTC with microseconds; None stays None."""
    from ledger.moments import to_text  # noqa: PLC0415  beside its only use

    return None if time is None else to_text(time)


def read_json(path: Path) -> Any:  # noqa: ANN401  any JSON
    """JSON from a file. Raises :class:`UsageError` ``json-unreadable``."""
    import json  # noqa: PLC0415  beside its only use

    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            "json-unreadable", f"{path} 不是 UTF-8 的 JSON：{error}", f"{path} is not JSON in UTF-8: {error}"
        ) from error


def read_public_key(path: Path) -> bytes:
    """A public key (PEM) as SubjectPublicKeyInfo, DER. Raises :class:`UsageError`, also for a private key."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  only where keys are registered
        Encoding,
        PublicFormat,
        load_pem_public_key,
    )

    pem = path.read_bytes()
    if b"PRIVATE KEY" in pem:
        raise UsageError(
            "private-key-given",
            f"{path} 含有私钥；只登记公钥，私钥不得离开其持有人",
            f"{path} holds a private key; only public keys are registered, the private one stays with its holder",
        )
    try:
        return load_pem_public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as error:
        raise UsageError(
            "public-key-unreadable", f"{path} 不是 PEM 公钥", f"{path} is not a public key in PEM"
        ) from error
