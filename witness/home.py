"""The folder of a witness: its name and key, its state, and a lock so that one process at a time uses them."""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from keystore.files import FileKeystore
from keystore.interface import Keystore, SigningKey
from keystore.open import open_keystore
from keystore.private_file import write_private
from ledger.checkpoint import LogIdentity
from ledger.cosignature import WitnessIdentity
from ledger.errors import CheckpointError
from witness.cosigner import Cosigner
from witness.errors import HomeError
from witness.state import State

FORM = "yinxin/witness/v1"


@contextmanager
def open_witness(folder: Path, logs: Path, *, name: str | None = None) -> Iterator[Cosigner]:
    """The witness of ``folder``, made when there is none and ``name`` is given.

    ``logs`` has one verifier key a line (C2SP signed-note); empty lines and those that begin with # say nothing.
    Raises :class:`HomeError`, KeystoreError, :class:`CheckpointError`.
    """
    followed = read_logs(logs)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder):
        if not _about(folder).exists():
            _create(folder, name)
        identity, key = _open(folder, name)
        yield Cosigner(identity, key, followed, State.read(_state(folder)))


def read_logs(path: Path) -> Mapping[str, LogIdentity]:
    """The logs of a list, by origin. Raises :class:`HomeError` when it cannot be used."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        logs = [LogIdentity.from_vkey(line) for line in lines if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError, CheckpointError) as error:
        raise HomeError(
            "logs-unreadable",
            f"日志清单 {path} 无法使用：{error}",
            f"the list of logs {path} cannot be used: {error}",
        ) from error
    by_origin = {each.origin: each for each in logs}
    if not logs or len(by_origin) != len(logs):
        raise HomeError(
            "logs-unclear",
            f"日志清单 {path} 为空，或同一日志出现两次",
            f"the list of logs {path} is empty or names a log twice",
        )
    return by_origin


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HomeError(
                "witness-running", f"{folder} 已有见证进程在用", f"another process uses the witness of {folder}"
            ) from None
        yield


def _create(folder: Path, name: str | None) -> None:
    if name is None:
        raise HomeError(
            "witness-unnamed",
            f"{folder} 中没有见证；首次启动须用 --name 命名",
            f"there is no witness in {folder}; the first start names it with --name",
        )
    if not _key_encryption_key(folder).exists():
        FileKeystore.create_key_encryption_key(_key_encryption_key(folder))
    key = _keystore(folder).generate("witness", "ed25519")
    identity = WitnessIdentity.of_key(name, key)
    if not _state(folder).exists():  # left by a first start that was cut short
        State.create(_state(folder))
    about = {"d": FORM, "name": identity.name, "key": key.ref}
    write_private(_about(folder), json.dumps(about, ensure_ascii=False).encode() + b"\n")


def _open(folder: Path, name: str | None) -> tuple[WitnessIdentity, SigningKey]:
    try:
        about = _read_about(json.loads(_about(folder).read_bytes()))
        key = _keystore(folder).open(about["key"])
        identity = WitnessIdentity.of_key(about["name"], key)
    except (OSError, ValueError, AttributeError, CheckpointError) as error:
        raise HomeError(
            "witness-unreadable", f"{_about(folder)} 无法使用", f"{_about(folder)} cannot be used"
        ) from error
    if name is not None and name != identity.name:
        raise HomeError(
            "witness-named-otherwise",
            f"{folder} 中的见证名为 {identity.name}，不是 {name}",
            f"the witness in {folder} is {identity.name}, not {name}",
        )
    return identity, key


def _read_about(about: dict[str, str]) -> dict[str, str]:
    if about.keys() != {"d", "name", "key"} or about["d"] != FORM:
        raise ValueError(f"members of {FORM} expected")
    return {name: str(value) for name, value in about.items()}


def _keystore(folder: Path) -> Keystore:
    return open_keystore(f"file:{(folder / 'keys').absolute()}", key_encryption_key=_key_encryption_key(folder))


def _about(folder: Path) -> Path:
    return folder / "identity.json"


def _state(folder: Path) -> Path:
    return folder / "state.json"


def _key_encryption_key(folder: Path) -> Path:
    return folder / "key-encryption-key"
