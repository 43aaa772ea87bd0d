"""Signed statements: JWS compact serialisation, ES256, one header shape, canonical payload.

A person may sign with a passkey instead: the same three parts, ``typ`` says so, and the third part is the assertion
whose challenge is the digest of the statement (:mod:`registry.passkeys`).

Everything an attacker could steer in JOSE is closed: only ``alg``, ``kid`` and ``typ`` may
stand in the header, the algorithm is fixed, the key is looked up by the caller among the keys it
registered, and a payload that is not the canonical form of its own content is refused (so duplicate
names, fractions and unusual spellings cannot be read in two ways).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from joserfc import jws
from joserfc.jwk import ECKey

from ledger.canonical import canonical, parse
from ledger.errors import NotCanonicalError
from ledger.ids import is_id
from registry.base64url import from_base64url, to_base64url
from registry.errors import EvidenceError
from registry.passkeys import Assertion, Passkey, check_assertion

KeyKind = Literal["organ", "person", "client"]
"""Who a registered key belongs to."""

_ALGORITHM = "ES256"
_MEMBERS = ["alg", "kid", "typ"]
_LIMIT = 65_536
_SIGNATURE_LENGTH = 64
_PLAIN, _ASSERTED = "+jws", "+webauthn"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A public key as registered: whose it is, and when it may be used."""

    id: str
    kind: KeyKind
    holder: str  # organ code, person id or client id
    public_key: bytes  # SubjectPublicKeyInfo, DER
    valid_from: datetime
    valid_until: datetime | None
    passkey: Passkey | None = None  # None: a key that signs plain JWS

    def valid_at(self, moment: datetime) -> bool:
        """Whether the key could be used at ``moment``."""
        return self.valid_from <= moment and (self.valid_until is None or moment < self.valid_until)


FindKey = Callable[[str], RegisteredKey | None]
"""From the ``kid`` of a statement to the key registered under this id for the expected holder, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedStatement:
    """A statement whose signature was checked."""

    payload: dict[str, Any]
    key: RegisteredKey


def check_public_key(public_key: bytes) -> None:
    """Accept a SubjectPublicKeyInfo (DER) on P-256 only. Raises :class:`EvidenceError` ``key-unsuitable``."""
    _p256(public_key)


def _p256(public_key: bytes) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(public_key)
    except ValueError as error:
        raise _refuse("key-unsuitable", "公钥不可读", "the public key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _refuse("key-unsuitable", "公钥须为 P-256", "the public key must be on P-256")
    return key


def sign_statement(payload: dict[str, Any], *, typ: str, kid: str, key: ec.EllipticCurvePrivateKey) -> str:
    """The compact JWS over ``canonical(payload)``."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    header = {"alg": _ALGORITHM, "kid": kid, "typ": typ}
    return jws.serialize_compact(header, canonical(payload), ECKey.import_key(pem), algorithms=[_ALGORITHM])


def asserted_typ(typ: str) -> str:
    """The ``typ`` of the same statement when a passkey signs it: ``yinxin-approval+webauthn``."""
    return typ.removesuffix(_PLAIN) + _ASSERTED


def challenge_of(payload: dict[str, Any], *, typ: str) -> bytes:
    """What a passkey signs: SHA-256 (32 bytes) of ``typ``, a full stop and the payload as base64url.

    ``typ`` stands in it, so no approval can be read as another statement; the key's id does not, because a browser
    tells which key was taken only afterwards.
    """
    return _challenge(asserted_typ(typ), to_base64url(canonical(payload)))


def _challenge(typ: str, payload: str) -> bytes:
    return sha256(f"{typ}.{payload}".encode("ascii")).digest()


def asserted_statement(payload: dict[str, Any], *, typ: str, kid: str, assertion: Assertion) -> str:
    """The statement that the passkey registered under ``kid`` signed; nothing is checked here."""
    header = {"alg": _ALGORITHM, "kid": kid, "typ": asserted_typ(typ)}
    return ".".join(to_base64url(each) for each in (canonical(header), canonical(payload), assertion.to_bytes()))


def open_statement(statement: str, *, typ: str, find_key: FindKey) -> OpenedStatement:
    """Check form, header, key and signature, and give the payload.

    Raises :class:`EvidenceError` with one of ``statement-malformed``, ``statement-header-refused``,
    ``statement-key-unknown``, ``statement-key-other-kind``, ``statement-signature-wrong``,
    ``statement-not-canonical``, and for passkeys those of :func:`registry.passkeys.check_assertion`. Source:
    RFC 7515 7.1, RFC 8725 3.1, 3.11.
    """
    if not isinstance(statement, str) or len(statement) > _LIMIT or statement.count(".") != 2:  # noqa: PLR2004  three parts
        raise _refuse(
            "statement-malformed",
            f"应为 JWS 紧凑格式（三段，不超过 {_LIMIT} 字节）",
            f"expected a JWS in compact form (three parts, at most {_LIMIT} bytes)",
        )
    header, payload, signature = _parts(statement)
    named = _header(header, typ)
    key, verifying = _find(named["kid"], find_key)
    if named["typ"] == typ:
        _verify(statement, signature, key, verifying)
    else:
        _verify_assertion(statement, signature, key, verifying)
    try:
        content = parse(payload)
    except NotCanonicalError as error:
        raise _refuse(
            "statement-not-canonical",
            f"载荷不是规范 JSON：{error}",
            f"the payload is not canonical JSON: {error}",
        ) from error
    if not isinstance(content, dict):
        raise _refuse("statement-not-canonical", "载荷应为 JSON 对象", "the payload must be a JSON object")
    return OpenedStatement(payload=content, key=key)


def named_key(statement: str) -> str:
    """The ``kid`` in the header of a statement that was opened before; nothing is checked again."""
    return str(json.loads(_segments(statement)[0])["kid"])


def _parts(statement: str) -> list[bytes]:
    try:
        return _segments(statement)
    except ValueError as error:
        raise _refuse("statement-malformed", "JWS 不可读", "the JWS cannot be read") from error


def _header(text: bytes, typ: str) -> dict[str, str]:
    try:
        pairs = json.loads(text, object_pairs_hook=list)
        header = dict(pairs)
    except (TypeError, ValueError) as error:
        raise _refuse("statement-malformed", "JWS 不可读", "the JWS cannot be read") from error
    if sorted(name for name, _ in pairs) != _MEMBERS or not all(isinstance(each, str) for each in header.values()):
        found = ", ".join(sorted(name for name, _ in pairs))
        raise _refuse(
            "statement-header-refused",
            f"JWS 头只许有 alg、kid、typ，实为 {found}",
            f"the JWS header may hold alg, kid and typ only, found {found}",
        )
    if header["alg"] != _ALGORITHM or header["typ"] not in {typ, asserted_typ(typ)}:
        raise _refuse(
            "statement-header-refused",
            f"JWS 头应为 alg {_ALGORITHM}、typ {typ}，实为 {header['alg']}、{header['typ']}",
            f"expected alg {_ALGORITHM} and typ {typ}, found {header['alg']} and {header['typ']}",
        )
    return header


def _segments(statement: str) -> list[bytes]:
    """The three decoded parts. Raises ``ValueError`` unless each has exactly one spelling (RFC 7515 2)."""
    return [from_base64url(part) for part in statement.split(".")]


def _find(kid: str, find_key: FindKey) -> tuple[RegisteredKey, ec.EllipticCurvePublicKey]:
    key = find_key(kid) if is_id(kid) else None  # a kid is the sender's text; only an id goes to the database
    if key is None or key.id != kid:
        raise _refuse("statement-key-unknown", f"密钥 {kid!a:.60} 未登记", f"no key is registered under {kid!a:.60}")
    return key, _p256(key.public_key)


def _verify(statement: str, signature: bytes, key: RegisteredKey, verifying: ec.EllipticCurvePublicKey) -> None:
    """ES256 (RFC 7518 3.4): r and s of 32 bytes each, over the first two parts as they stand."""
    if key.passkey is not None:
        raise _refuse(
            "statement-key-other-kind",
            f"密钥 {key.id} 是通行密钥，不能作普通签名",
            f"key {key.id} is a passkey; it signs by assertion only",
        )
    half = _SIGNATURE_LENGTH // 2
    encoded = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
    try:
        verifying.verify(encoded, statement.rpartition(".")[0].encode("ascii"), ec.ECDSA(SHA256()))
        good = len(signature) == _SIGNATURE_LENGTH
    except InvalidSignature:
        good = False
    if not good:
        raise _refuse(
            "statement-signature-wrong",
            f"签名与登记的密钥 {key.id} 不符",
            f"the signature does not verify with the registered key {key.id}",
        )


def _verify_assertion(statement: str, content: bytes, key: RegisteredKey, verifying: ec.EllipticCurvePublicKey) -> None:
    if key.passkey is None:
        raise _refuse(
            "statement-key-other-kind",
            f"密钥 {key.id} 不是通行密钥，不能以断言签名",
            f"key {key.id} is no passkey; it cannot sign by assertion",
        )
    header, payload, _ = statement.split(".")
    typ = json.loads(from_base64url(header))["typ"]
    check_assertion(
        Assertion.from_bytes(content),
        challenge=_challenge(typ, payload),
        passkey=key.passkey,
        public_key=verifying,
    )


def _refuse(code: str, zh: str, en: str) -> EvidenceError:
    return EvidenceError(code, zh, en)
