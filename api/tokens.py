"""Access tokens: short ES256 JWTs that say which client calls. What it may do is read from the registry each time."""

import secrets
from datetime import datetime, timedelta

from api import jose
from api.errors import AuthenticationError
from api.jose import NotATokenError
from keystore.interface import SigningKey

TYP = "yinxin-access+jwt"
_CLOCK_SKEW = timedelta(seconds=60)


class Tokens:
    """Issues and checks the access tokens of one installation; replicas share its key."""

    def __init__(self, key: SigningKey, public_url: str, lifetime: timedelta) -> None:
        """``public_url`` names the issuer; the audience is the API under it."""
        self._key = key
        self._issuer = public_url
        self._audience = f"{public_url}/v1"
        self.lifetime = lifetime

    def issue(self, client: str, now: datetime) -> str:
        """A token for ``client`` that holds for :attr:`lifetime`. Raises ``KeystoreError``."""
        issued = int(now.timestamp())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": client,
            "iat": issued,
            "exp": issued + int(self.lifetime.total_seconds()),
            "jti": secrets.token_urlsafe(16),
        }
        return jose.sign({"typ": TYP, "kid": self._key.ref}, claims, self._key)

    def client_of(self, token: str, now: datetime) -> str:
        """The client that ``token`` was issued to. Raises :class:`AuthenticationError`."""
        try:
            jose.header_of(token, {TYP}, kid=self._key.ref)
            claims = jose.claims_of(token, self._key.public_key)
        except NotATokenError as error:
            raise AuthenticationError(
                "token-invalid", "访问令牌无效", f"the access token is not valid: {error}"
            ) from error
        return self._judged(claims, now)

    def _judged(self, claims: dict[str, object], now: datetime) -> str:
        moment, client, expires, issued = now.timestamp(), claims.get("sub"), claims.get("exp"), claims.get("iat")
        if (claims.get("iss"), claims.get("aud")) != (self._issuer, self._audience) or not isinstance(client, str):
            raise AuthenticationError(
                "token-invalid", "访问令牌不是为本服务签发的", "the access token was not issued for this service"
            )
        if type(expires) is not int or expires <= moment:
            raise AuthenticationError("token-expired", "访问令牌已过期，请重新领取", "the access token has expired")
        if type(issued) is not int or issued > moment + _CLOCK_SKEW.total_seconds():
            raise AuthenticationError(
                "token-not-yet-valid",
                "访问令牌尚未生效，请核对时钟",
                "the access token is from the future; check the clocks",
            )
        return client
