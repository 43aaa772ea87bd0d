"""The address of a token: a PKCS #11 URI (RFC 7512) that names one token, its module and where the PIN is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import unquote

from keystore.interface import KeystoreAddressError
from keystore.pin import PinSource

SCHEME: Final = "pkcs11"
_TOKEN: Final = ("token", "serial", "manufacturer", "model")
_QUERY: Final = ("module-path", "pin-source")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAddress:
    """What was asked for. An attribute that is None was not given and is not compared."""

    module: Path
    pin_source: PinSource
    token: str | None = None  # CK_TOKEN_INFO.label
    serial: str | None = None
    manufacturer: str | None = None
    model: str | None = None

    @property
    def wanted(self) -> Mapping[str, str]:
        """The attributes a token is compared with, by their names in the URI."""
        given = {name: getattr(self, name) for name in _TOKEN}
        return {name: value for name, value in given.items() if value is not None}

    def __str__(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.wanted.items())


def read_address(uri: str) -> TokenAddress:
    """The address in ``uri``, e.g. ``pkcs11:token=seals?module-path=/usr/lib/x.so&pin-source=file:/etc/pin``.

    Raises :class:`KeystoreAddressError`, which repeats no value of the URI: one may be a PIN by mistake.
    """
    path, _, query = uri.removeprefix(f"{SCHEME}:").partition("?")
    token = _attributes(path.split(";") if path else [], _TOKEN)
    how = _attributes(query.split("&") if query else [], _QUERY)
    if not {"token", "serial"} & token.keys():
        _refuse("应给出 token= 或 serial=", "token= or serial= is expected")
    for name in _QUERY:
        if name not in how:
            _refuse(f"缺少 {name}=", f"{name}= is missing")
    module = Path(how["module-path"])
    if not module.is_absolute():
        _refuse("module-path 应为绝对路径", "module-path should be an absolute path")
    return TokenAddress(module=module, pin_source=PinSource(how["pin-source"]), **token)


def _attributes(parts: Collection[str], known: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if name == "pin-value":
            _refuse(
                "地址中不得写 PIN（pin-value），应使用 pin-source", "no PIN in an address (pin-value), use pin-source"
            )
        if name not in known:
            names = "、".join(known)
            _refuse(f"含未知属性，此处可用：{names}", f"an unknown attribute; known here: {', '.join(known)}")
        if not equals or not value or name in found:
            _refuse(f"属性 {name} 应恰好给出一次且非空", f"the attribute {name} should be given once and not be empty")
        found[name] = _decode(name, value)
    return found


def _decode(name: str, value: str) -> str:
    try:
        text = unquote(value, errors="strict")
    except UnicodeDecodeError:
        text = ""
    if not text.isprintable() or not text:
        _refuse(f"属性 {name} 不是 UTF-8 的可见文字", f"the attribute {name} is no printable text in UTF-8")
    return text


def _refuse(zh: str, en: str) -> NoReturn:
    raise KeystoreAddressError(f"PKCS#11 地址：{zh}", f"the PKCS #11 address: {en}")
