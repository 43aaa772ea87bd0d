"""Compact JWTs with ES256 and nothing else (RFC 7515, 7519; RFC 8725).

What an attacker could steer is closed: the header may hold ``alg``, ``typ`` and ``kid`` only, each once; the
algorithm is fixed; the key is the caller's choice and never taken from the token.
"""

import base64
import json
from collections.abc import Collection
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from keystore.interface import Permit, SigningKey

ALGORITHM = "ES256"
LONGEST = 8192
_PARTS = 3
_HEADER = {"alg", "typ", "kid"}
_COORDINATE = 32  # bytes of r and of s on P-256 (RFC 7518 3.4)


class NotATokenError(Exception):
    """The text is no token of this kind, or its signature is wrong. Says in English which; holds no secret."""


def sign(header: dict[str, str], claims: dict[str, Any], key: SigningKey) -> str:
    """The compact JWS of ``claims``, signed by a keystore key on P-256. Raises ``KeystoreError``."""
    members = {"alg": ALGORITHM, **header}
    message = b".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (members, claims))
    r, s = decode_dss_signature(key.sign(Permit.to_sign(key, message), message))
    signature = r.to_bytes(_COORDINATE) + s.to_bytes(_COORDINATE)
    return b".".join((message, _encoded(signature))).decode()


def header_of(token: str, types: Collection[str], *, kid: str | None = None, longest: int = LONGEST) -> dict[str, str]:
    """The header, still unproven.

    Raises :class:`NotATokenError` unless it has the one shape, one of ``types``, and names the key ``kid``, if asked.
    """
    if len(token) > longest or not token.isascii() or token.count(".") != _PARTS - 1:
        raise NotATokenError(f"a compact JWS of at most {longest} characters is expected")
    header = _object(_decoded(token.split(".", maxsplit=1)[0]))
    if not header.keys() <= _HEADER or not all(isinstance(value, str) for value in header.values()):
        raise NotATokenError("the header may hold alg, typ and kid only")
    if header.get("alg") != ALGORITHM or header.get("typ") not in types:
        raise NotATokenError(f"alg {ALGORITHM} and typ {' or '.join(sorted(types))} are expected")
    if kid is not None and header.get("kid") != kid:
        raise NotATokenError("the header names another key")
    return header


def unproven_claims(token: str) -> dict[str, Any]:
    """The claims before any check of the signature, to find out whose key to use. Raises :class:`NotATokenError`."""
    return _object(_decoded(token.split(".")[1]))


def claims_of(token: str, public_key: bytes) -> dict[str, Any]:
    """The claims, after the signature was checked with ``public_key`` (SubjectPublicKeyInfo, DER).

    Raises :class:`NotATokenError`.
    """
    for part in token.split("."):
        _decoded(part)  # one spelling for each token: padding and spare bits are refused
    try:
        opened = jws.deserialize_compact(token, ECKey.import_key(public_key), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise NotATokenError("the signature does not verify with the registered key") from error
    return _object(opened.payload)


def _object(data: bytes) -> dict[str, Any]:
    try:
        pairs = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise NotATokenError("a JSON object with each name once is expected") from error
    if not isinstance(pairs, dict):
        raise NotATokenError("a JSON object is expected")
    return pairs


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decoded(part: str) -> bytes:
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise NotATokenError("a part is not base64url") from error
    if _encoded(data).decode() != part:
        raise NotATokenError("a part is not in the one base64url form")
    return data
