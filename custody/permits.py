"""Permits as they travel: for one key and one message, used once, short-lived, bound to one connection and one boot.

The secret is handed out when a connection opens and known to its two ends only, so a permit that was overheard,
stored or made on another connection is worth nothing.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NoReturn

from keystore.interface import PermitError
from ledger import moments
from ledger.canonical import JsonValue, canonical

LIFETIME = timedelta(seconds=30)
AHEAD = timedelta(seconds=5)
"""How far the clock of a caller on another host may be before ours."""
SECRET_BYTES = 32
_DOMAIN = b"yinxin/custody-permit/v1\n"
_MEMBERS = {"key", "purpose", "message", "number", "issued", "boot", "mac"}


def digest_text(message: bytes) -> str:
    """``sha256:<hex>`` of a message."""
    return "sha256:" + sha256(message).hexdigest()


def grant(secret: bytes, boot: str, *, key: str, purpose: str, message: bytes, now: datetime) -> dict[str, JsonValue]:
    """A permit to send with ``message``, made by the end that asks."""
    terms: dict[str, JsonValue] = {
        "key": key,
        "purpose": purpose,
        "message": digest_text(message),
        "number": secrets.token_hex(16),
        "issued": moments.to_text(now),
        "boot": boot,
    }
    return {**terms, "mac": _mac(secret, terms)}


class PermitDesk:
    """Judges the permits of one connection. Used by that connection's thread only."""

    def __init__(self, boot: str) -> None:
        """``boot`` names this start of the process."""
        self._boot = boot
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._redeemed: dict[str, datetime] = {}

    def secret_text(self) -> str:
        """The secret for the other end of this connection, base64."""
        return b64encode(self._secret).decode()

    def redeem(self, permit: object, key: str, message: bytes, now: datetime) -> str:
        """Use ``permit`` up for this key and message; the purpose it names. Raises :class:`PermitError`."""
        terms = self._genuine(permit)
        if terms["boot"] != self._boot:
            _refuse("许可属于密钥进程的另一次启动", "the permit was given for another start of the custody process")
        if terms["key"] != key:
            _refuse(f"许可针对密钥 {terms['key']}，实为 {key}", f"the permit is for key {terms['key']}, not for {key}")
        found = digest_text(message)
        if terms["message"] != found:
            _refuse(
                f"许可针对摘要 {terms['message']}，实为 {found}",
                f"the permit is for a message with digest {terms['message']}, not {found}",
            )
        self._once(terms["number"], _moment(terms["issued"]), now)
        return terms["purpose"]

    def _genuine(self, permit: object) -> Mapping[str, str]:
        if not isinstance(permit, dict) or permit.keys() != _MEMBERS:
            _refuse("请求没有附带许可", "the request came without a permit")
        if not all(isinstance(each, str) for each in permit.values()):
            _refuse("许可的内容不是文字", "the members of a permit are text")
        terms = {name: value for name, value in permit.items() if name != "mac"}
        if not hmac.compare_digest(_mac(self._secret, terms).encode(), permit["mac"].encode()):
            _refuse("许可并非由此连接签发", "the permit was not made on this connection")
        return terms

    def _once(self, number: str, issued: datetime, now: datetime) -> None:
        if not now - LIFETIME <= issued <= now + AHEAD:
            _refuse(
                f"许可签发于 {moments.to_text(issued)}，此刻为 {moments.to_text(now)}；有效 30 秒",
                f"the permit was issued at {moments.to_text(issued)}, it is {moments.to_text(now)};"
                " a permit is good for 30 seconds",
            )
        for each in [each for each, until in self._redeemed.items() if until < now]:
            del self._redeemed[each]
        if number in self._redeemed:
            _refuse(
                "许可已使用过；每份许可只能使用一次", "the permit was redeemed before; it is good for one signature"
            )
        self._redeemed[number] = issued + LIFETIME


def read_secret(text: object) -> bytes:
    """The secret of a connection from its hello. Raises ``ValueError``."""
    if not isinstance(text, str):
        raise ValueError("no secret")  # noqa: TRY004  a value that came over the wire
    secret = b64decode(text, validate=True)
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret of another length")
    return secret


def _mac(secret: bytes, terms: Mapping[str, Any]) -> str:
    return hmac.digest(secret, _DOMAIN + canonical(terms), "sha256").hex()


def _moment(text: str) -> datetime:
    try:
        return moments.from_text(text)
    except ValueError:
        _refuse("许可的签发时间无法读取", "the permit's time of issue cannot be read")


def _refuse(zh: str, en: str) -> NoReturn:
    raise PermitError(zh, en)
