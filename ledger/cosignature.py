"""Cosignatures of witnesses under a checkpoint: C2SP tlog-cosignature, ``cosignature/v1`` with Ed25519.

A cosignature says: at this time, this was the largest tree of this log that the witness had seen, and it extends
all that it had seen before. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keystore.interface import Permit, SigningKey
from ledger import signed_note
from ledger.signed_note import Note, SignatureLine, read_note

COSIGNATURE_V1 = b"\x04"  # signature type of C2SP tlog-cosignature, Ed25519
_TIME_LENGTH = 8
_LENGTH = _TIME_LENGTH + 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessIdentity:
    """Who a witness is: its name and its raw 32-byte Ed25519 public key."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        signed_note.check_key(self.name, self.public_key)

    @classmethod
    def of_key(cls, name: str, key: SigningKey) -> "WitnessIdentity":
        """The identity of the witness that signs with ``key``. Raises :class:`CheckpointError` unless Ed25519."""
        return cls(name=name, public_key=signed_note.raw_ed25519(key.algorithm, key.public_key))

    @classmethod
    def from_vkey(cls, text: str) -> "WitnessIdentity":
        """Read a verifier key of signature type 4. Raises :class:`CheckpointError`."""
        name, public_key = signed_note.read_vkey(text, COSIGNATURE_V1)
        return cls(name=name, public_key=public_key)

    @property
    def key_hash(self) -> bytes:
        """The four bytes by which a note names this key."""
        return signed_note.key_hash(self.name, COSIGNATURE_V1, self.public_key)

    @property
    def vkey(self) -> str:
        """The verifier key text, ``name+hash+base64``, for configuration and for public tools."""
        return signed_note.to_vkey(self.name, COSIGNATURE_V1, self.public_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A good cosignature: by whom, and when by the witness's clock (whole seconds, UTC)."""

    witness: WitnessIdentity
    time: datetime


def cosign(note: str, identity: WitnessIdentity, key: SigningKey, time: datetime) -> str:
    """The signature line of ``identity`` under ``note``, without newline; checked before it is returned.

    That the tree extends what the witness knows is the caller's to check. Raises :class:`CheckpointError`,
    KeystoreError.
    """
    text = read_note(note).text
    seconds = (time - _EPOCH) // timedelta(seconds=1)
    message = _message(text, seconds)
    signature = key.sign(Permit.to_sign(key, message), message)
    stamped = seconds.to_bytes(_TIME_LENGTH, "big") + signature
    line = SignatureLine(name=identity.name, key_hash=identity.key_hash, signature=stamped)
    if not _good(Note(text=text, signatures=(line,)), identity):
        signed_note.refuse("见证密钥与公钥不符", f"cosignature: the key is not that of {identity.name}")
    return str(line)


def read_cosignatures(note: str, witnesses: Sequence[WitnessIdentity]) -> tuple[Cosignature, ...]:
    """The good cosignatures by ``witnesses``, one for each (its earliest), in their order.

    A line by somebody else, and one that does not verify, counts for nothing. Raises :class:`CheckpointError`
    when ``note`` is no note; who signed the checkpoint itself is not judged.
    """
    parts = read_note(note)
    found = ((witness, _good(parts, witness)) for witness in witnesses)
    return tuple(Cosignature(witness=witness, time=min(times)) for witness, times in found if times)


def merge(note: str, lines: str) -> str:
    """``note`` with those signature lines behind its own that it does not have. Raises :class:`CheckpointError`."""
    parts = read_note(note)
    added = [each for each in signed_note.read_signature_lines(lines) if each not in parts.signatures]
    return str(Note(text=parts.text, signatures=(*parts.signatures, *dict.fromkeys(added))))


def _good(note: Note, identity: WitnessIdentity) -> list[datetime]:
    key = Ed25519PublicKey.from_public_bytes(identity.public_key)
    times = list[datetime]()
    for stamped in note.by(identity.name, identity.key_hash):
        if len(stamped) != _LENGTH:
            continue
        seconds = int.from_bytes(stamped[:_TIME_LENGTH], "big")
        try:
            key.verify(stamped[_TIME_LENGTH:], _message(note.text, seconds))
            times.append(_EPOCH + timedelta(seconds=seconds))
        except (InvalidSignature, OverflowError):  # a time behind the year 9999 is nobody's
            continue
    return times


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
