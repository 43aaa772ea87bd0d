"""Checkpoints: signed tree heads as C2SP tlog-checkpoint, in the signed-note format with Ed25519.

A note has room for signatures of others (witness cosignatures): lines by unknown keys are kept and not
judged here.
"""

import re
from base64 import b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keystore.interface import Grounds, Permit, SigningKey
from ledger import signed_note
from ledger.merkle import HASH_LENGTH
from ledger.signed_note import Note, SignatureLine, from_base64, read_note, refuse

ED25519 = b"\x01"  # signature type of C2SP signed-note
BODY_LINES = 3  # origin, size, root; extension lines may follow (C2SP tlog-checkpoint)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIdentity:
    """Who a log is: its origin line and its raw 32-byte Ed25519 public key."""

    origin: str
    public_key: bytes

    def __post_init__(self) -> None:
        signed_note.check_key(self.origin, self.public_key)

    @classmethod
    def of_key(cls, origin: str, key: SigningKey) -> "LogIdentity":
        """The identity of the log that signs with ``key``.

        Raises :class:`CheckpointError` unless it is Ed25519.
        """
        return cls(origin=origin, public_key=signed_note.raw_ed25519(key.algorithm, key.public_key))

    @classmethod
    def from_vkey(cls, text: str) -> "LogIdentity":
        """Read a verifier key of C2SP signed-note. Raises :class:`CheckpointError`."""
        origin, public_key = signed_note.read_vkey(text, ED25519)
        return cls(origin=origin, public_key=public_key)

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which a note names this key."""
        return signed_note.key_hash(self.origin, ED25519, self.public_key)

    @property
    def vkey(self) -> str:
        """The verifier key text, ``origin+hash+base64``, for configuration and for public tools."""
        return signed_note.to_vkey(self.origin, ED25519, self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head: how many entries the log had, and the root over them."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(
    checkpoint: Checkpoint, identity: LogIdentity, key: SigningKey, grounds: Grounds | None = None
) -> str:
    """The signed note, checked before it is returned. Raises KeystoreError, :class:`CheckpointError`."""
    message = checkpoint.body().encode()
    signature = key.sign(Permit.to_sign(key, message, grounds), message)
    line = SignatureLine(name=identity.origin, key_hash=identity.key_hash, signature=signature)
    note = str(Note(text=checkpoint.body(), signatures=(line,)))
    open_checkpoint(note, identity)
    return note


def open_checkpoint(note: str, identity: LogIdentity) -> Checkpoint:
    """The checkpoint in ``note``, signed by ``identity``. Raises :class:`CheckpointError`."""
    parts = read_note(note)
    check_signature(parts, identity)
    checkpoint = read_checkpoint(parts.text)
    if checkpoint.origin != identity.origin:
        refuse("检查点属于另一日志", f"checkpoint of {checkpoint.origin!r}; {identity.origin!r} expected")
    return checkpoint


def check_signature(note: Note, identity: LogIdentity) -> None:
    """Raises :class:`CheckpointError` unless ``identity`` signed, and all lines under its name and key are good."""
    found = note.by(identity.origin, identity.key_hash)
    for signature in found:
        try:
            Ed25519PublicKey.from_public_bytes(identity.public_key).verify(signature, note.text.encode())
        except InvalidSignature:
            refuse("检查点签名无效", f"checkpoint: the signature by {identity.origin} is not valid")
    if not found:
        refuse(
            f"检查点没有 {identity.origin} 的签名",
            f"checkpoint: no signature by {identity.origin} with key hash {identity.key_hash.hex()}",
        )


def read_checkpoint(text: str) -> Checkpoint:
    """What the text of a note says; who signed it is not judged. Raises :class:`CheckpointError`."""
    lines = text[:-1].split("\n")
    if len(lines) < BODY_LINES or "" in lines or not _SIZE.fullmatch(lines[1]):
        refuse("检查点正文格式不对；应为名称、大小、树根", "checkpoint: origin, size and root lines expected")
    root = from_base64(lines[2])
    if len(root) != HASH_LENGTH:
        refuse("检查点树根长度不对", f"checkpoint: root of {len(root)} bytes; 32 expected")
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root)
