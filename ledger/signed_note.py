"""Signed notes (C2SP signed-note): a text, an empty line, and lines by which keys sign the text.

Pure; what the text says and whether a signature is good is judged by the modules that know the kind of key.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn

from ledger.errors import CheckpointError

KEY_LENGTH = 32  # RFC 8032 5.1.5
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")  # RFC 8410 4: what stands before the 32 bytes of the key
MOST_SIGNATURES = 100  # at least 16 must be taken (C2SP signed-note, Format)
_NAME = re.compile(r"[^\s+]{1,200}")
_SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureLine:
    """One line: who signed by which key, and the signature, whose form is the key type's own."""

    name: str
    key_hash: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"— {self.name} {b64encode(self.key_hash + self.signature).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The signed text, with its last newline, and all signature lines; none of them judged."""

    text: str
    signatures: tuple[SignatureLine, ...]

    def by(self, name: str, key_hash: bytes) -> tuple[bytes, ...]:
        """The signatures that claim to be by this key."""
        return tuple(each.signature for each in self.signatures if (each.name, each.key_hash) == (name, key_hash))

    def __str__(self) -> str:
        return f"{self.text}\n" + "".join(f"{line}\n" for line in self.signatures)


def read_note(note: str) -> Note:
    """Take a note apart. Raises :class:`CheckpointError` when it is not one."""
    text, separator, lines = note.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        refuse("检查点缺少签名部分", "checkpoint: text, an empty line and signature lines expected")
    if any(character < " " and character != "\n" for character in note):
        refuse("检查点含控制字符", "checkpoint: a control character stands in the text")
    return Note(text=f"{text}\n", signatures=read_signature_lines(lines))


def read_signature_lines(lines: str) -> tuple[SignatureLine, ...]:
    """Signature lines, each ended by a newline. Raises :class:`CheckpointError`."""
    rows = lines[:-1].split("\n")
    if not lines.endswith("\n") or len(rows) > MOST_SIGNATURES:
        refuse("检查点签名行数不对", f"checkpoint: 1 to {MOST_SIGNATURES} signature lines expected")
    return tuple(_signature_line(row) for row in rows)


def _signature_line(line: str) -> SignatureLine:
    match = _SIGNATURE_LINE.fullmatch(line)
    if not match:
        refuse("检查点签名行格式不对", "checkpoint: a signature line is malformed")
    data = from_base64(match[2])
    return SignatureLine(name=match[1], key_hash=data[:4], signature=data[4:])


def key_hash(name: str, kind: bytes, public_key: bytes) -> bytes:
    """The four bytes by which a note names a key; ``kind`` is the byte of the signature type."""
    return sha256(name.encode() + b"\n" + kind + public_key).digest()[:4]


def to_vkey(name: str, kind: bytes, public_key: bytes) -> str:
    """The verifier key text, ``name+hash+base64``."""
    return f"{name}+{key_hash(name, kind, public_key).hex()}+{b64encode(kind + public_key).decode()}"


def read_vkey(text: str, kind: bytes) -> tuple[str, bytes]:
    """Name and raw public key of a verifier key of this signature type. Raises :class:`CheckpointError`."""
    name, _, rest = text.strip().partition("+")
    claimed, _, encoded = rest.partition("+")
    data = from_base64(encoded)
    if data[:1] != kind:
        refuse(f"校验公钥不是第 {kind[0]} 类（Ed25519）", f"verifier key: signature type {kind[0]} (Ed25519) expected")
    check_key(name, data[1:])
    expected = key_hash(name, kind, data[1:]).hex()
    if expected != claimed:
        refuse("校验公钥与其指纹不符", f"verifier key: hash {expected} expected")
    return name, data[1:]


def check_key(name: str, public_key: bytes) -> None:
    """Raises :class:`CheckpointError` unless both are of the form that notes can hold."""
    if not _NAME.fullmatch(name):
        refuse("名称含空白或加号，或为空", "key name: text without white space and plus sign expected")
    if len(public_key) != KEY_LENGTH:
        refuse("公钥长度不对；应为 32 字节", f"key of {len(public_key)} bytes; 32 expected")


def raw_ed25519(algorithm: str, subject_public_key_info: bytes) -> bytes:
    """The 32 bytes of an Ed25519 key. Raises :class:`CheckpointError` for a key of another algorithm."""
    if algorithm != "ed25519" or not subject_public_key_info.startswith(SPKI_ED25519):
        refuse(f"密钥算法为 {algorithm}；应为 ed25519", f"the key is {algorithm}; ed25519 expected")
    return subject_public_key_info[len(SPKI_ED25519) :]


def from_base64(text: str) -> bytes:
    """Bytes in canonical base64 (RFC 4648 4). Raises :class:`CheckpointError`."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        data = b""
    if not data or b64encode(data).decode() != text:
        refuse("base64 写法不规范", "checkpoint: canonical base64 (RFC 4648 4) expected")
    return data


def refuse(zh: str, en: str) -> NoReturn:
    """Raise :class:`CheckpointError`."""
    raise CheckpointError(zh, en)
