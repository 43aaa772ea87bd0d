"""How a machine client proves itself at the token endpoint: its secret, or an assertion by its own key."""

import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote_plus

from api import jose
from api.jose import NotATokenError
from ledger.ids import is_id
from registry.records import Client
from sealing import token_ids
from sealing.administration.clients import secret_hash
from sealing.workshop import Workshop

TOKEN_PATH = "/oauth/token"  # noqa: S105  a path
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TYPES = {"JWT", "client-authentication+jwt"}
LONGEST_LIFE = timedelta(minutes=5)
_CLOCK_SKEW = timedelta(seconds=30)
_LONGEST_JTI = 200
_NO_HASH = "sha256:" + "0" * 64


class OAuthError(Exception):
    """An error of RFC 6749 5.2; ``description`` is for the client's developer and holds no secret."""

    def __init__(self, error: str, zh: str, en: str) -> None:
        """``error`` is one of the codes of RFC 6749 5.2."""
        super().__init__(f"{error}: {en}")
        self.error, self.zh, self.en = error, zh, en


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a token request brought: the ``Authorization`` header and the form's parameters."""

    authorization: str | None
    form: dict[str, str]


def authenticate(shop: Workshop, credentials: Credentials, now: datetime) -> Client:
    """The active client that proved itself, in one way only (RFC 6749 2.3). Raises :class:`OAuthError`."""
    form = credentials.form
    if "client_secret" in form:
        raise OAuthError(
            "invalid_request",
            "密钥须放在 Authorization 头中，不得放在正文",
            "the secret belongs into the Authorization header, not into the body",
        )
    asserts = "client_assertion" in form or "client_assertion_type" in form
    if asserts == (credentials.authorization is not None):
        raise _failed("应以密钥或断言之一证明身份", "exactly one of HTTP Basic and a client assertion is expected")
    client = _by_assertion(shop, form, now) if asserts else _by_secret(shop, credentials.authorization or "")
    if form.get("client_id", client.id) != client.id:
        raise _failed("client_id 与凭证不符", "client_id names another client than the credential")
    if client.state != "active":
        raise _failed("该系统已停用", "this client is not active")
    return client


def _by_secret(shop: Workshop, authorization: str) -> Client:
    name, secret = _basic(authorization)
    client = _client(shop, name)
    stored = client.secret_hash if client is not None else None
    # Compared also when there is no such client: the time taken does not tell which ids exist.
    same = secrets.compare_digest(secret_hash(secret), stored or _NO_HASH)
    if client is None or stored is None or not same:
        raise _failed("系统编号或密钥不对", "unknown client or wrong secret")
    return client


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise _failed("应为 HTTP Basic", "HTTP Basic is expected")
    try:
        name, colon, secret = b64decode(encoded, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError, ValueError):
        name, colon, secret = "", "", ""
    if not colon:
        raise _failed("HTTP Basic 内容不可读", "the HTTP Basic credential cannot be read")
    return unquote_plus(name), unquote_plus(secret)  # RFC 6749 2.3.1: form-encoded first


def _by_assertion(shop: Workshop, form: dict[str, str], now: datetime) -> Client:
    """RFC 7523 3: signed by the client's registered key, for this endpoint, short-lived, used once."""
    token = form.get("client_assertion", "")
    if form.get("client_assertion_type") != ASSERTION:
        raise _failed("client_assertion_type 不对", f"client_assertion_type {ASSERTION} is expected")
    try:
        client, public_key = _asserting(shop, token)
        claims = jose.claims_of(token, public_key)
        expires = _judged(claims, client, shop.settings.public_url + TOKEN_PATH, now)
    except NotATokenError as error:
        raise _failed("断言无效", f"the client assertion is not valid: {error}") from error
    with shop.database.write() as connection:
        first = token_ids.use_once(connection, issuer=client.id, jti=str(claims["jti"]), expires=expires, now=now)
    if not first:
        raise _failed("断言已使用过", "the client assertion was used before")
    return client


def _asserting(shop: Workshop, token: str) -> tuple[Client, bytes]:
    """The client that the assertion claims to be from, and its registered key; nothing is proven yet."""
    header = jose.header_of(token, ASSERTION_TYPES)
    client = _client(shop, str(jose.unproven_claims(token).get("iss", "")))
    if client is None or client.public_key is None or header.get("kid", client.id) != client.id:
        raise NotATokenError("no key is registered for this client; kid, if given, is the client's id")
    return client, b64decode(client.public_key)


def _judged(claims: dict[str, Any], client: Client, audience: str, now: datetime) -> datetime:
    if (claims.get("iss"), claims.get("sub")) != (client.id, client.id) or claims.get("aud") not in (
        audience,
        [audience],
    ):
        raise NotATokenError(f"iss and sub must be the client's id, aud must be {audience}")
    jti, expires, begins = claims.get("jti"), claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not jti.isascii():
        raise NotATokenError(f"a jti of 1 to {_LONGEST_JTI} ASCII characters is expected")
    if type(expires) is not int or type(begins) is not int:
        raise NotATokenError("exp must be a whole number of seconds, and nbf if it is given")
    left = expires - int(now.timestamp())  # whole numbers: a huge one must not overflow
    if left <= 0 or left > int((LONGEST_LIFE + _CLOCK_SKEW).total_seconds()):
        raise NotATokenError(f"exp must lie in the next {int(LONGEST_LIFE.total_seconds())} seconds")
    if begins > (now + _CLOCK_SKEW).timestamp():
        raise NotATokenError("nbf lies in the future")
    return datetime.fromtimestamp(expires, UTC)


def _client(shop: Workshop, name: str) -> Client | None:
    if not is_id(name):
        return None
    with shop.database.read() as connection:
        found = shop.registry.look(connection, Client, name)
    return None if found is None else found.record


def _failed(zh: str, en: str) -> OAuthError:
    return OAuthError("invalid_client", zh, en)
