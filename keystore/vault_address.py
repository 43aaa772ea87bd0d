"""The address of a mounted transit engine: ``vault+https://host:port/mount?token-file=/path&roots=/path``."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import parse_qsl, urlsplit

from keystore.interface import KeystoreAddressError

SCHEME: Final = "vault+https"
SECONDS: Final = 8.0
_PORT: Final = 8200  # the port HashiCorp Vault listens on unless told otherwise
_LONGEST: Final = 60.0
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_MOUNT: Final = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9_-]*)+")
_OPTIONS: Final = {"token-file", "roots", "seconds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultAddress:
    """Where the engine is and what the client needs to talk to it; holds no secret."""

    host: str
    port: int
    mount: str  # path of the engine, without slashes at its ends
    token_file: Path
    roots: Path | None = None  # PEM file of TLS roots; the system's if None
    seconds: float = SECONDS  # for a whole call


def parse_address(uri: str) -> VaultAddress:
    """Read the address. Raises :class:`KeystoreAddressError`, which never quotes it: a token may stand in it."""
    try:
        parts = urlsplit(uri)
        port = parts.port
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
    except ValueError:
        _wrong("无法解析", "it cannot be read")
    host = parts.hostname or ""
    if parts.scheme != SCHEME or not _HOST.fullmatch(host):
        _wrong("缺少主机名", "it names no host")
    if parts.username is not None or parts.fragment:
        _wrong("不得含凭据或片段", "it holds credentials or a fragment")
    if not _MOUNT.fullmatch(parts.path):
        _wrong("缺少引擎的挂载路径", "it names no path where the engine is mounted")
    return _with_options(host, port or _PORT, parts.path.strip("/"), options)


def _with_options(host: str, port: int, mount: str, options: list[tuple[str, str]]) -> VaultAddress:
    given = dict(options)
    if len(given) != len(options) or not given.keys() <= _OPTIONS:
        _wrong("参数重复或未知", "an option is unknown or given twice")
    if "token-file" not in given:
        _wrong("缺少 token-file", "it names no token-file")
    return VaultAddress(
        host=host,
        port=port,
        mount=mount,
        token_file=_path(given["token-file"]),
        roots=_path(given["roots"]) if "roots" in given else None,
        seconds=_seconds(given.get("seconds", str(SECONDS))),
    )


def _path(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        _wrong("文件路径应为绝对路径", "the path of a file is not absolute")
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        _wrong(f"seconds 应大于 0 且不超过 {_LONGEST:g}", f"seconds is not above 0 and at most {_LONGEST:g}")
    return seconds


def _wrong(zh: str, en: str) -> NoReturn:
    form = f"{SCHEME}://host:port/mount?token-file=/absolute/path&roots=/absolute/path"
    raise KeystoreAddressError(
        f"密钥服务地址不正确：{zh}；应为 {form}", f"the address of the key service is wrong: {en}; expected {form}"
    ) from None
