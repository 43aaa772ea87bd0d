"""Time-stamps, revocation answers and access tokens: each of its one form, and of this hour by this clock."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from asn1crypto import ocsp, tsp

from custody.checks.refusal import refuse, refuse_unless
from custody.checks.revocation_list import NEAR, key_identifier
from custody.checks.signed_attributes import certificate_of, decoded, signed_attributes_of
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue

_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
_AGREED: Final = timedelta(seconds=30)
"""How far a time-stamp's time may be from this process' own clock."""
_TOKEN_HEADER: Final = {"alg", "kid", "typ"}
TOKEN_TYPES: Final = frozenset({"yinxin-access+jwt"})
_LONGEST_TOKEN: Final = timedelta(hours=24)
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


def check_timestamp(request: UseRequest, _state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a time-stamp (RFC 3161 2.4.2) whose time this process' clock agrees with."""
    attributes = signed_attributes_of(request, _TST_INFO)
    certificate_of(request, attributes)
    content = decoded(request, "content")
    refuse_unless(
        sha256(content).digest() == attributes.message_digest,
        "签名属性指的是另一个时间戳",
        "the attributes are about another time-stamp than the one that came along",
    )
    try:
        info = tsp.TSTInfo.load(content, strict=True)
        time: datetime = info["gen_time"].native
        serial: int = info["serial_number"].native
    except _UNREADABLE:
        refuse("时间戳不可读", "the time-stamp cannot be read")
    refuse_unless(
        abs(time - now) <= _AGREED,
        f"时间戳时间为 {time:%F %T}，本进程时钟为 {now:%F %T}（UTC）",
        f"the time-stamp says {time:%F %T}, the clock here {now:%F %T} UTC; expected within {_AGREED.seconds} s",
    )
    return {"form": "timestamp", "serial": f"{serial:x}"}


def check_ocsp(request: UseRequest, _state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a revocation answer (RFC 6960 4.2.1). What it answers is not judged here."""
    try:
        data = ocsp.ResponseData.load(request.message, strict=True)
        responder = data["responder_id"].chosen.native
        produced: datetime = data["produced_at"].native
        answers = len(data["responses"])
    except _UNREADABLE:
        refuse("要签名的不是吊销查询答复", "not the data of a revocation answer")
    refuse_unless(
        responder == key_identifier(request.public_key) and answers > 0,
        "吊销查询答复不是本密钥的",
        "the answer does not name this key as its responder",
    )
    refuse_unless(
        abs(produced - now) <= NEAR,
        f"答复时间为 {produced:%F %T}，本进程时钟为 {now:%F %T}（UTC）",
        f"the answer is of {produced:%F %T}, the clock here says {now:%F %T} UTC",
    )
    return {"form": "answer", "answers": answers}


def check_token(request: UseRequest, _state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of an access token (JWS signing input, RFC 7515 5.1)."""
    header, claims = _parts(request.message)
    refuse_unless(
        header.keys() == _TOKEN_HEADER
        and header["alg"] == "ES256"
        and header["kid"] == request.key_ref
        and header["typ"] in TOKEN_TYPES,
        "令牌头不是本系统的",
        "the token's header is not one of ours",
    )
    issued, expires = _second(claims, "iat"), _second(claims, "exp")
    refuse_unless(
        abs(issued - now) <= NEAR and timedelta(0) < expires - issued <= _LONGEST_TOKEN,
        f"令牌有效期 {issued:%F %T} 至 {expires:%F %T} 不合规",
        f"the token holds from {issued:%F %T} to {expires:%F %T}; expected from now, {_LONGEST_TOKEN} at most",
    )
    return {"form": "token", "typ": str(header["typ"])}


def _parts(message: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header, claims = (json.loads(_decoded(part)) for part in message.split(b"."))
    except (ValueError, TypeError):
        header = claims = None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        refuse("要签名的不是令牌", "not the signing input of a token")
    return header, claims


def _second(claims: dict[str, Any], name: str) -> datetime:
    found = claims.get(name)
    if type(found) is not int or not 0 <= found < 2**34:
        refuse(f"令牌的 {name} 不是时间", f"the token's {name} is no time")
    return datetime.fromtimestamp(found, UTC)


def _decoded(part: bytes) -> bytes:
    found = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if urlsafe_b64encode(found).rstrip(b"=") != part:
        raise ValueError("not base64url")
    return found
