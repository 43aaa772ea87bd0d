"""The two steps around the key: measure what is to be signed, and embed the signature.

The file is read once. No PDF is parsed here, so this may stand beside keys.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from signer.byte_layout import RESERVED_HEX_DIGITS, Layout
from signer.cms import longest_signed_data, signed_attributes, signed_data, verify_signature
from signer.errors import PreparedFileError, ReserveOverflowError

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK_BYTES = 1 << 18
_STATED_BEFORE = 100
"""Bytes before the contents in which the prepared file states its byte range."""
_HOLE = b"<%s>" % (b"0" * RESERVED_HEX_DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A measured file. ``to_be_signed`` is the message for the key; ``chain`` is DER, the signer's first."""

    path: Path
    layout: Layout
    source_digest: bytes
    byte_range_digest: bytes
    to_be_signed: bytes
    chain: tuple[bytes, ...]
    algorithm: str
    before_contents: "_Hash"
    after_contents: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A sealed file. Digests are SHA-256: of all its bytes, of the approved prefix, of its ByteRange."""

    path: Path
    digest: bytes
    length: int
    source_digest: bytes
    source_length: int
    byte_range_digest: bytes


def measure(target: Path, layout: Layout, *, source_digest: bytes, chain: Sequence[bytes], algorithm: str) -> Prepared:
    """Read the prepared file once and say what the key must sign.

    ``source_digest`` is the SHA-256 of the approved bytes, ``algorithm`` that of the key. Raises
    ``PreparedFileError`` (``layout-mismatch``, ``source-changed``), ``ReserveOverflowError`` and
    ``SignerError`` (``certificate-unreadable``, ``algorithm-unknown``), all before any key is used.
    """
    with target.open("rb") as file:
        _check_layout(layout, os.fstat(file.fileno()).st_size)
        prefix = sha256()
        _hash(file, prefix, layout.source_length)
        if prefix.digest() != source_digest:
            raise PreparedFileError(
                "source-changed",
                f"原文摘要为 {prefix.hexdigest()}，批准的是 {source_digest.hex()}",
                f"the prefix has the digest {prefix.hexdigest()}, approved was {source_digest.hex()}",
            )
        _hash(file, prefix, layout.contents_offset - layout.source_length)
        hole, rest = file.read(layout.contents_length), file.read()
        stated = os.pread(file.fileno(), _STATED_BEFORE, layout.contents_offset - _STATED_BEFORE)
    if b"/ByteRange [%d %d %d %d]" % layout.byte_range not in stated:
        raise _layout_mismatch("文件中的 /ByteRange 与记录不符", "the file states another /ByteRange than recorded")
    if hole != _HOLE:
        raise _layout_mismatch("签名值的位置不是空的", "the place of the signature is not empty")
    covered = prefix.copy()
    covered.update(rest)
    attributes = signed_attributes(covered.digest(), chain[0])
    _check_reserve(longest_signed_data(tuple(chain), algorithm))
    return Prepared(
        path=target,
        layout=layout,
        source_digest=source_digest,
        byte_range_digest=covered.digest(),
        to_be_signed=attributes,
        chain=tuple(chain),
        algorithm=algorithm,
        before_contents=prefix,
        after_contents=rest,
    )


def embed(prepared: Prepared, signature: bytes) -> SealedFile:
    """Check ``signature`` with the certificate's key, then write it into its place.

    Raises ``SignatureMismatchError`` and leaves the file as it was when the signature does not verify.
    """
    verify_signature(signature, prepared.to_be_signed, prepared.chain[0], prepared.algorithm)
    layout = prepared.layout
    cms = signed_data(prepared.to_be_signed, signature, prepared.chain, prepared.algorithm)
    contents = b"<%s>" % cms.hex().encode().ljust(RESERVED_HEX_DIGITS, b"0")
    with prepared.path.open("r+b") as file:
        file.seek(layout.contents_offset)
        file.write(contents)
    whole = prepared.before_contents.copy()
    whole.update(contents)
    whole.update(prepared.after_contents)
    return SealedFile(
        path=prepared.path,
        digest=whole.digest(),
        length=layout.length,
        source_digest=prepared.source_digest,
        source_length=layout.source_length,
        byte_range_digest=prepared.byte_range_digest,
    )


def _hash(file: BinaryIO, digest: "_Hash", length: int) -> None:
    buffer = memoryview(bytearray(min(_BLOCK_BYTES, length)))
    while length:
        block = buffer[: min(len(buffer), length)]
        count = file.readinto(block)  # type: ignore[attr-defined]  # BufferedReader has it
        if not count:
            raise _layout_mismatch("文件比记录的短", "the file is shorter than recorded")
        digest.update(block[:count])
        length -= count


def _check_layout(layout: Layout, length: int) -> None:
    if length != layout.length:
        raise _layout_mismatch(
            f"文件长 {length} 字节，记录为 {layout.length}",
            f"the file has {length} bytes, recorded are {layout.length}",
        )
    if not layout.consistent():
        raise _layout_mismatch(
            "签名范围没有覆盖签名值以外的全部字节",
            "the byte range does not cover all but the signature's contents",
        )


def _check_reserve(needed: int) -> None:
    reserved = RESERVED_HEX_DIGITS // 2
    if needed > reserved:
        raise ReserveOverflowError(
            "reserve-overflow",
            f"签名及证书链需要 {needed} 字节，预留 {reserved} 字节",
            f"signature and certificates need {needed} bytes, reserved are {reserved}",
        )


def _layout_mismatch(zh: str, en: str) -> PreparedFileError:
    return PreparedFileError("layout-mismatch", zh, en)
