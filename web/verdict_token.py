"""A verdict that travels with the page in a hidden field, signed and short-lived.

So nothing that was uploaded is kept, and any replica can make the reports of a verdict that another one gave.
"""

import json
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from api import jose
from api.errors import RequestError
from api.jose import NotATokenError
from keystore.interface import SigningKey
from verify.verdict import Verdict

TYP: Final = "yinxin-verdict+jwt"
LIFETIME: Final = timedelta(minutes=15)
LONGEST: Final = 512_000
"""Characters of one token; a form body may have 1 MB."""
_LONGEST_JSON: Final = 4_000_000
"""Bytes of the verdict once inflated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedVerdict:
    """What a token holds: the verdict, and the name its file was given by its holder."""

    verdict: Verdict
    name: str


class VerdictTokens:
    """Issues and reads the tokens of one installation; replicas share its key."""

    def __init__(self, key: SigningKey, public_url: str) -> None:
        """``key`` is that of the access tokens; ``typ`` and ``aud`` keep the two kinds apart (RFC 8725 3.11, 3.9)."""
        self._key = key
        self._issuer = public_url
        self._audience = f"{public_url}/verify"

    def issue(self, carried: CarriedVerdict, now: datetime) -> str | None:
        """The token, or None when the verdict is too long to travel. Raises ``KeystoreError``."""
        told = json.dumps(carried.verdict.to_json(), ensure_ascii=False, separators=(",", ":")).encode()
        packed = b64encode(zlib.compress(told, 9)).decode()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "exp": int((now + LIFETIME).timestamp()),
            "name": carried.name,
            "verdict": packed,
        }
        if len(told) > _LONGEST_JSON or len(packed) * 4 // 3 > LONGEST - jose.LONGEST:
            return None
        return jose.sign({"typ": TYP, "kid": self._key.ref}, claims, self._key)

    def read(self, token: str, now: datetime) -> CarriedVerdict:
        """What an unexpired token of ours holds. Raises :class:`RequestError`."""
        try:
            jose.header_of(token, {TYP}, kid=self._key.ref, longest=LONGEST)
            claims = jose.claims_of(token, self._key.public_key)
        except NotATokenError as error:
            raise _invalid() from error
        if (claims.get("iss"), claims.get("aud")) != (self._issuer, self._audience):
            raise _invalid()
        if type(claims.get("exp")) is not int or claims["exp"] <= now.timestamp():
            raise RequestError(
                "verdict-expired",
                "核验结果已超过 15 分钟，请重新上传文件查验",
                "the verdict is older than 15 minutes; upload the file again",
            )
        return _carried(claims)


def _carried(claims: dict[str, Any]) -> CarriedVerdict:
    try:
        told = _inflated(b64decode(claims["verdict"], validate=True))
        return CarriedVerdict(verdict=Verdict.from_json(json.loads(told)), name=str(claims["name"]))
    except (KeyError, TypeError, ValueError, zlib.error) as error:
        raise _invalid() from error


def _inflated(packed: bytes) -> bytes:
    """Never more than a verdict has. Raises ``zlib.error``, ``ValueError``."""
    inflater = zlib.decompressobj()
    told = inflater.decompress(packed, _LONGEST_JSON)
    if not inflater.eof:
        raise ValueError("the verdict is longer than a verdict can be")
    return told


def _invalid() -> RequestError:
    return RequestError(
        "verdict-token-invalid",
        "这不是本服务给出的核验结果，请重新上传文件查验",
        "this is no verdict that this service gave; upload the file again",
    )
