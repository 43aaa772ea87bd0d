"""A small authenticator: keys on P-256, authenticator data, client data, signatures as WebAuthn defines them."""

import json
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftwareAuthenticator:
    """One passkey, at a browser that stands on ``origin``. What it says can be bent by the fields."""

    def __init__(self, rp_id: str, origin: str) -> None:
        self.rp_id, self.origin = rp_id, origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.user_handle = b""
        self.flags = PRESENT | VERIFIED
        self.sign_count = 0
        self.client: dict[str, Any] = {}
        """Members of the client data that differ from an honest browser's."""

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.key.public_key()

    def register(self, challenge: bytes, user_id: bytes) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives, as JSON."""
        self.user_handle = user_id
        client_data = self._client_data("webauthn.create", challenge)
        data = self._authenticator_data(ATTESTED) + bytes(16) + len(self.credential_id).to_bytes(2)
        data += self.credential_id + self._cose()
        attestation = (
            b"\xa3" + _text("fmt") + _text("none") + _text("attStmt") + b"\xa0" + _text("authData") + _bytes(data)
        )
        response = {"clientDataJSON": encoded(client_data), "attestationObject": encoded(attestation)}
        return self._credential(response)

    def sign(self, challenge: bytes) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives, as JSON."""
        self.sign_count += 1
        client_data, data = self._client_data("webauthn.get", challenge), self._authenticator_data(0)
        signature = self.key.sign(data + sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": encoded(client_data),
                "authenticatorData": encoded(data),
                "signature": encoded(signature),
                "userHandle": encoded(self.user_handle),
            }
        )

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = encoded(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}

    def _client_data(self, kind: str, challenge: bytes) -> bytes:
        told = {"type": kind, "challenge": encoded(challenge), "origin": self.origin, "crossOrigin": False}
        return json.dumps(told | self.client).encode()

    def _authenticator_data(self, more: int) -> bytes:
        return sha256(self.rp_id.encode()).digest() + bytes([self.flags | more]) + self.sign_count.to_bytes(4)

    def _cose(self) -> bytes:
        """The public key as COSE_Key (RFC 9053 7.1.1): kty EC2, alg ES256, crv P-256, x, y."""
        numbers = self.public_key.public_numbers()
        return (
            b"\xa5\x01\x02\x03\x26\x20\x01"
            b"\x21" + _bytes(numbers.x.to_bytes(32)) + b"\x22" + _bytes(numbers.y.to_bytes(32))
        )


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _text(text: str) -> bytes:
    return bytes([0x60 + len(text)]) + text.encode()


def _bytes(content: bytes) -> bytes:
    length = len(content)
    return (bytes([0x58, length]) if length < 256 else b"\x59" + length.to_bytes(2)) + content
