"""Reading a prepared file once and filling its empty place. No PDF is parsed here, so this may stand beside keys."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from signer.byte_layout import HOLE, RESERVED_HEX_DIGITS, Layout
from signer.errors import PreparedFileError, ReserveOverflowError

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK_BYTES = 1 << 18
_STATED_BEFORE = 100
"""Bytes before the contents in which the prepared file states its byte range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A prepared file as it was read. ``source_digest`` is the SHA-256 of its prefix, ``digest`` of its ByteRange."""

    path: Path
    layout: Layout
    source_digest: bytes
    digest: bytes
    before_contents: "_Hash"
    after_contents: bytes


def read_prepared(target: Path, layout: Layout, source_digest: bytes) -> PreparedFile:
    """Read the file once. ``source_digest`` is the SHA-256 that its first ``source_length`` bytes must have.

    Raises ``PreparedFileError``: ``layout-mismatch``, ``source-changed``.
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
    _check_place(layout, stated, hole)
    covered = prefix.copy()
    covered.update(rest)
    return PreparedFile(
        path=target,
        layout=layout,
        source_digest=source_digest,
        digest=covered.digest(),
        before_contents=prefix,
        after_contents=rest,
    )


def digests(file: BinaryIO, layout: Layout) -> tuple[bytes, bytes]:
    """The SHA-256 of the prefix and of the ByteRange of an open prepared file, read once, in blocks.

    Raises ``PreparedFileError`` (``layout-mismatch``) unless the file is laid out so, states this ``/ByteRange``
    and has its empty place there.
    """
    _check_layout(layout, file.seek(0, os.SEEK_END))
    file.seek(0)
    covered = sha256()
    _hash(file, covered, layout.source_length)
    prefix = covered.digest()
    stated_from = max(layout.source_length, layout.contents_offset - _STATED_BEFORE)
    _hash(file, covered, stated_from - layout.source_length)
    stated, hole = file.read(layout.contents_offset - stated_from), file.read(layout.contents_length)
    covered.update(stated)
    _check_place(layout, stated, hole)
    _hash(file, covered, layout.byte_range[3])
    return prefix, covered.digest()


def fill(prepared: PreparedFile, der: bytes) -> bytes:
    """Write ``der`` into the empty place and answer the SHA-256 of the whole file.

    Raises ``ReserveOverflowError`` before anything is written.
    """
    check_reserve(len(der))
    contents = b"<%s>" % der.hex().encode().ljust(RESERVED_HEX_DIGITS, b"0")
    with prepared.path.open("r+b") as file:
        file.seek(prepared.layout.contents_offset)
        file.write(contents)
    whole = prepared.before_contents.copy()
    whole.update(contents)
    whole.update(prepared.after_contents)
    return whole.digest()


def check_reserve(needed: int) -> None:
    """Raise ``ReserveOverflowError`` (``reserve-overflow``) when ``needed`` bytes do not fit into the place."""
    reserved = RESERVED_HEX_DIGITS // 2
    if needed > reserved:
        raise ReserveOverflowError(
            "reserve-overflow",
            f"签名、证书链和时间戳需要 {needed} 字节，预留 {reserved} 字节",
            f"signature, certificates and time-stamp need {needed} bytes, reserved are {reserved}",
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


def _check_place(layout: Layout, stated: bytes, hole: bytes) -> None:
    if b"/ByteRange [%d %d %d %d]" % layout.byte_range not in stated:
        raise _layout_mismatch("文件中的 /ByteRange 与记录不符", "the file states another /ByteRange than recorded")
    if hole != HOLE:
        raise _layout_mismatch("签名值的位置不是空的", "the place of the signature is not empty")


def _layout_mismatch(zh: str, en: str) -> PreparedFileError:
    return PreparedFileError("layout-mismatch", zh, en)
