"""Checkpoints: signed tree heads as C2SP tlog-checkpoint, in the signed-note format with Ed25519.

A note has room for signatures of others (witness cosignatures): lines by unknown keys are kept and not
judged here.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keystore.interface import Permit, SigningKey
from ledger.errors import CheckpointError
from ledger.merkle import HASH_LENGTH

ED25519 = b"\x01"  # signature type of C2SP signed-note
BODY_LINES = 3  # origin, size, root; extension lines may follow (C2SP tlog-checkpoint)
KEY_LENGTH = 32  # RFC 8032 5.1.5
_SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 4: what stands before the 32 bytes of the key
_ORIGIN = re.compile(r"[^\s+]{1,200}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIdentity:
    """Who a log is: its origin line and its raw 32-byte Ed25519 public key."""

    origin: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin):
            _refuse("日志名称含空白或加号，或为空", "log origin: text without white space and plus sign expected")
        if len(self.public_key) != KEY_LENGTH:
            _refuse("日志公钥长度不对；应为 32 字节", f"log key of {len(self.public_key)} bytes; 32 expected")

    @classmethod
    def of_key(cls, origin: str, key: SigningKey) -> "LogIdentity":
        """The identity of the log that signs with ``key``.

        Raises :class:`CheckpointError` unless it is Ed25519.
        """
        if key.algorithm != "ed25519" or not key.public_key.startswith(_SPKI_ED25519):
            _refuse(
                f"日志密钥算法为 {key.algorithm}；应为 ed25519",
                f"log key is {key.algorithm}; ed25519 expected",
            )
        return cls(origin=origin, public_key=key.public_key[len(_SPKI_ED25519) :])

    @classmethod
    def from_vkey(cls, text: str) -> "LogIdentity":
        """Read a verifier key of C2SP signed-note. Raises :class:`CheckpointError`."""
        origin, _, rest = text.strip().partition("+")
        key_hash, _, encoded = rest.partition("+")
        data = _from_base64(encoded)
        if data[:1] != ED25519:
            _refuse("校验公钥不是 Ed25519 类型", "verifier key: signature type 1 (Ed25519) expected")
        identity = cls(origin=origin, public_key=data[1:])
        if identity.key_hash.hex() != key_hash:
            _refuse("校验公钥与其指纹不符", f"verifier key: hash {identity.key_hash.hex()} expected")
        return identity

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which a note names this key."""
        return sha256(self.origin.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key text, ``origin+hash+base64``, for configuration and for public tools."""
        return f"{self.origin}+{self.key_hash.hex()}+{b64encode(ED25519 + self.public_key).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head: how many entries the log had, and the root over them."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, identity: LogIdentity, key: SigningKey) -> str:
    """The signed note, checked before it is returned. Raises KeystoreError, :class:`CheckpointError`."""
    message = checkpoint.body().encode()
    signature = key.sign(Permit.to_sign(key, message), message)
    line = b64encode(identity.key_hash + signature).decode()
    note = f"{checkpoint.body()}\n— {identity.origin} {line}\n"
    open_checkpoint(note, identity)
    return note


def open_checkpoint(note: str, identity: LogIdentity) -> Checkpoint:
    """The checkpoint in ``note``, signed by ``identity``. Raises :class:`CheckpointError`."""
    body, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        _refuse("检查点缺少签名部分", "checkpoint: text, an empty line and signature lines expected")
    body += "\n"
    _check_signature(body, signatures, identity)
    checkpoint = _read_body(body)
    if checkpoint.origin != identity.origin:
        _refuse("检查点属于另一日志", f"checkpoint of {checkpoint.origin!r}; {identity.origin!r} expected")
    return checkpoint


def _check_signature(body: str, signatures: str, identity: LogIdentity) -> None:
    ours = 0
    for line in signatures[:-1].split("\n"):
        match = _SIGNATURE_LINE.fullmatch(line)
        if not match:
            _refuse("检查点签名行格式不对", "checkpoint: a signature line is malformed")
        data = _from_base64(match[2])
        if (match[1], data[:4]) != (identity.origin, identity.key_hash):
            continue
        ours += 1
        try:
            Ed25519PublicKey.from_public_bytes(identity.public_key).verify(data[4:], body.encode())
        except InvalidSignature:
            _refuse("检查点签名无效", f"checkpoint: the signature by {identity.origin} is not valid")
    if not ours:
        _refuse(
            f"检查点没有 {identity.origin} 的签名",
            f"checkpoint: no signature by {identity.origin} with key hash {identity.key_hash.hex()}",
        )


def _read_body(body: str) -> Checkpoint:
    if any(character < " " and character != "\n" for character in body):
        _refuse("检查点含控制字符", "checkpoint: a control character stands in the text")
    lines = body[:-1].split("\n")
    if len(lines) < BODY_LINES or "" in lines or not _SIZE.fullmatch(lines[1]):
        _refuse("检查点正文格式不对；应为名称、大小、树根", "checkpoint: origin, size and root lines expected")
    root = _from_base64(lines[2])
    if len(root) != HASH_LENGTH:
        _refuse("检查点树根长度不对", f"checkpoint: root of {len(root)} bytes; 32 expected")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)


def _from_base64(text: str) -> bytes:
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        data = b""
    if not data or b64encode(data).decode() != text:
        _refuse("base64 写法不规范", "checkpoint: canonical base64 (RFC 4648 4) expected")
    return data


def _refuse(zh: str, en: str) -> NoReturn:
    raise CheckpointError(zh, en)
