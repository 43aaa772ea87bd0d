"""A person's own approval passkey (W3C Web Authentication, Level 2): what it signs, and how that is checked by anyone.

The challenge is the digest of the statement, so the authenticator's signature is over exactly this statement. The
relying party and origin of the approval pages are registered with the key: an assertion that was made to sign in
somewhere, or on another page, is none. Only ``cryptography`` is needed to check one, no server and no clock.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import StringConstraints

from ledger.canonical import canonical, parse
from ledger.errors import NotCanonicalError
from registry.base64url import from_base64url, to_base64url
from registry.errors import EvidenceError
from registry.record import Part

USER_PRESENT: Final = 0x01
USER_VERIFIED: Final = 0x04
"""Flags of the authenticator data, WebAuthn 6.1."""
_FLAGS_AT: Final = 32
_SHORTEST: Final = 37
"""Bytes: digest of the relying party's id, flags, counter."""
_MEMBERS: Final = {"authenticator_data", "client_data", "signature"}


class Passkey(Part):
    """Where a passkey may be used, and its name at the browser."""

    rp_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$")]
    origin: Annotated[str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$", max_length=300)]
    credential_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,1400}$")]  # base64url


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What an authenticator gave: its data, what the browser says it was asked, and the signature over both."""

    authenticator_data: bytes
    client_data: bytes
    signature: bytes  # DER, ECDSA with SHA-256

    def to_bytes(self) -> bytes:
        """The one byte form in which a statement carries it: canonical JSON of base64url texts."""
        return canonical({name: to_base64url(getattr(self, name)) for name in sorted(_MEMBERS)})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Assertion":
        """Read :meth:`to_bytes`. Raises :class:`EvidenceError` ``assertion-malformed``."""
        try:
            members = parse(content)
            if not isinstance(members, dict) or members.keys() != _MEMBERS:
                raise ValueError("members")  # noqa: TRY301  one refusal for all that is not this form
            parts = {name: from_base64url(str(text)) for name, text in members.items()}
        except (NotCanonicalError, ValueError):
            raise EvidenceError(
                "assertion-malformed",
                "通行密钥签名应含 authenticator_data、client_data、signature 三项（规范 JSON，base64url）",
                "a passkey's signature has authenticator_data, client_data and signature (canonical JSON, base64url)",
            ) from None
        return cls(**parts)


def check_assertion(
    assertion: Assertion, *, challenge: bytes, passkey: Passkey, public_key: ec.EllipticCurvePublicKey
) -> None:
    """Check that the holder of the passkey, present and verified, signed ``challenge`` on the approval pages.

    Raises :class:`EvidenceError` ``assertion-malformed``, ``assertion-refused`` naming what differs, or
    ``statement-signature-wrong``. Source: WebAuthn Level 2, 7.2 steps 11 to 20.
    """
    told = _client_data(assertion.client_data)
    data = assertion.authenticator_data
    if len(data) < _SHORTEST:
        _malformed(f"authenticator data has {len(data)} bytes, expected {_SHORTEST} or more")
    flags = data[_FLAGS_AT]
    expected = (
        ("type", told.get("type"), "webauthn.get"),
        ("challenge", told.get("challenge"), to_base64url(challenge)),
        ("origin", told.get("origin"), passkey.origin),
        ("crossOrigin", told.get("crossOrigin", False), False),
        ("topOrigin", told.get("topOrigin"), None),
        ("rpIdHash", data[:_FLAGS_AT], sha256(passkey.rp_id.encode()).digest()),
        ("user present", bool(flags & USER_PRESENT), True),
        ("user verified", bool(flags & USER_VERIFIED), True),
    )
    wrong = [name for name, found, wanted in expected if found is not wanted and found != wanted]
    if wrong:
        raise EvidenceError(
            "assertion-refused",
            f"通行密钥签名与本声明不符：{'、'.join(wrong)}",
            f"the passkey's signature is not for this statement: {', '.join(wrong)} differ",
        )
    try:
        public_key.verify(assertion.signature, data + sha256(assertion.client_data).digest(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise EvidenceError(
            "statement-signature-wrong",
            "签名与登记的通行密钥不符",
            "the signature does not verify with the registered passkey",
        ) from None


def _client_data(content: bytes) -> dict[str, Any]:
    """The browser's JSON. A name that stands twice could be read in two ways, so it is refused."""
    try:
        told = json.loads(content.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        _malformed("client data is no JSON object")
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _malformed(en: str) -> NoReturn:
    raise EvidenceError("assertion-malformed", f"通行密钥签名不可读（{en}）", f"the passkey's signature: {en}")
