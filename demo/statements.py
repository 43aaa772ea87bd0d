"""What organs and approval systems sign: canonical JSON under a compact JWS.

Written from the pages docs/approval-statement.md, docs/agreement-terms.md and docs/proposals.md, as any approval system
would: none of the service's code is used.
"""

import json
import secrets
from base64 import b32encode, b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey

APPROVAL = "yinxin-approval+jws"
AGREEMENT = "yinxin-agreement+jws"
PROPOSAL = "yinxin-proposal+jws"
DECISION = "yinxin-decision+jws"


def canonical(value: object) -> bytes:
    """RFC 8785 for values without fractions whose member names are ASCII, as all statements here have them."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(data: bytes) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{sha256(data).hexdigest()}"


def terms_digest(terms: dict[str, Any]) -> str:
    """What both organs sign of an agreement's terms."""
    return digest(canonical({"d": "yinxin/agreement-terms/v1", "v": terms}))


def moment(time: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id(prefix: str) -> str:
    """128 random bits as 26 base32 letters behind ``prefix``."""
    return f"{prefix}-{b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"


@dataclass(slots=True)
class SigningKey:
    """A P-256 key that stays with its holder; ``id`` is what the service registered its public half under."""

    id: str = ""
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> str:
        """SubjectPublicKeyInfo, DER in base64."""
        public = self.private.public_key()
        return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    def sign(self, payload: dict[str, Any], typ: str) -> str:
        """A compact JWS over the canonical payload."""
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        header = {"alg": "ES256", "kid": self.id, "typ": typ}
        return jws.serialize_compact(header, canonical(payload), ECKey.import_key(pem), algorithms=["ES256"])
