"""One tar inside age: written and read as a stream, so that neither side holds more than a block in memory.

Only plain files with short relative names stand in it. The reader parses the blocks itself and takes nothing else:
no links, devices, long-name or extended headers, no name that leaves the folder, no more bytes than were allowed.
"""

import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Thread
from typing import IO

import pyrage  # type: ignore[import-untyped]  # compiled, without stubs

from sealing.errors import BackupError

BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
_LONGEST_NAME = 100  # beyond that tar needs a second header, which the reader refuses
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(/{_PART})*")


class ArchiveWriter:
    """Adds files to an open stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def add(self, name: str, source: IO[bytes], size: int) -> str:
        """Add ``size`` bytes of ``source`` under ``name``; their SHA-256 in hex. Raises :class:`BackupError`."""
        check_name(name)
        header = tarfile.TarInfo(name)
        header.size, header.mode = size, 0o600
        self._stream.write(header.tobuf(tarfile.GNU_FORMAT))
        digest, left = sha256(), size
        while left:
            chunk = source.read(min(left, _CHUNK))
            if not chunk:
                raise _malformed(f"{name} 变短", f"{name} became shorter while it was read")
            digest.update(chunk)
            self._stream.write(chunk)
            left -= len(chunk)
        self._stream.write(bytes(-size % BLOCK))
        return digest.hexdigest()

    def end(self) -> None:
        """The two empty blocks that end a tar."""
        self._stream.write(bytes(2 * BLOCK))


class Member:
    """One file in an archive that is being read; read or skipped before the next."""

    def __init__(self, name: str, size: int, stream: IO[bytes]) -> None:
        self.name, self.size = name, size
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        """The content. Raises :class:`BackupError` when the archive ends before it."""
        left = self.size
        while left:
            chunk = self._stream.read(min(left, _CHUNK))
            if not chunk:
                raise _malformed("归档不完整", "the archive ends inside a file")
            left -= len(chunk)
            yield chunk
        _exactly(self._stream, -self.size % BLOCK)


def members(stream: IO[bytes], *, most_bytes: int) -> Iterator[Member]:
    """The files of an archive in their order; each must be consumed. Raises :class:`BackupError`."""
    total, seen = 0, set[str]()
    while any(block := _exactly(stream, BLOCK)):
        member = _member(block, stream)
        total += member.size
        if member.name in seen:
            raise _malformed(f"{member.name} 出现两次", f"{member.name} stands in the archive twice")
        if total > most_bytes:
            raise BackupError(
                "backup-too-large",
                f"备份内容超过可用的 {most_bytes} 字节",
                f"the backup holds more than the {most_bytes} bytes there is room for",
            )
        seen.add(member.name)
        yield member
    if any(_exactly(stream, BLOCK)) or stream.read(1):
        raise _malformed("归档末尾之后还有内容", "something follows the end of the archive")


def _member(block: bytes, stream: IO[bytes]) -> Member:
    try:
        header = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError) as error:
        raise _malformed("归档头无法读取", "a header of the archive cannot be read") from error
    if header.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or header.size < 0:
        raise _malformed(
            f"{header.name!a:.100} 不是普通文件", f"{header.name!a:.100} is no plain file (type {header.type!r})"
        )
    check_name(header.name)
    return Member(header.name, header.size, stream)


def check_name(name: str) -> None:
    """Raises :class:`BackupError` unless ``name`` is a short relative path, no part beginning with a dot."""
    if len(name) > _LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise _malformed(
            f"归档中的文件名不合规：{name!a:.120}", f"a file name in the archive is refused: {name!a:.120}"
        )


@contextmanager
def encrypting(target: IO[bytes], recipients: list[str]) -> Iterator[IO[bytes]]:
    """A stream whose bytes arrive in ``target``, encrypted to age recipients. Raises :class:`BackupError`."""
    keys = [_recipient(each) for each in recipients]
    with _piped(lambda source: pyrage.encrypt_io(source, target, keys), into=True) as stream:
        yield stream


@contextmanager
def decrypting(source: IO[bytes], identity_file: bytes) -> Iterator[IO[bytes]]:
    """The plain bytes of an age file. Raises :class:`BackupError`: another key, or a file changed or cut."""
    keys = _identities(identity_file)
    with _piped(lambda target: pyrage.decrypt_io(source, target, keys), into=False) as stream:
        yield stream


@contextmanager
def _piped(work: Callable[[IO[bytes]], None], *, into: bool) -> Iterator[IO[bytes]]:
    """Run ``work`` in a thread at the other end of a pipe; what it raises is raised here."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def run() -> None:
        try:
            with open(reading if into else writing, "rb" if into else "wb") as end:  # noqa: PTH123  a descriptor
                work(end)
        except Exception as error:  # noqa: BLE001  told to the thread that waits
            failed.append(error)

    thread = Thread(target=run, name="age", daemon=True)
    thread.start()
    mine = open(writing if into else reading, "wb" if into else "rb")  # noqa: PTH123, SIM115  as above
    raised: Exception | None = None
    try:
        yield mine
    except Exception as error:  # noqa: BLE001  the other end may know the cause
        raised = error
    try:
        mine.close()
    except BrokenPipeError:
        raised = raised or BrokenPipeError()
    thread.join()
    if failed and not isinstance(failed[0], BrokenPipeError):
        raise _age_failed(failed[0]) from failed[0]
    if raised is not None:
        raise raised


def _age_failed(error: Exception) -> Exception:
    if isinstance(error, OSError) and error.errno:
        return error
    return BackupError(
        "backup-unreadable",
        "备份无法解密：密钥不符，或文件被改动、不完整",
        "the backup cannot be decrypted: another key, or the file was changed or cut",
    )


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise BackupError(
            "recipient-unreadable", f"接收者应为 age1… 公钥：{text[:80]}", f"a recipient is an age1… key: {text[:80]}"
        ) from None


def _identities(content: bytes) -> list[pyrage.x25519.Identity]:
    lines = (line.strip() for line in content.decode("ascii", "replace").splitlines())
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise BackupError(
            "identity-unreadable",
            "身份文件中没有可用的 AGE-SECRET-KEY-1…",
            "the identity file holds no usable AGE-SECRET-KEY-1… line",
        )
    return found


def _exactly(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) != size:
        raise _malformed("归档不完整", "the archive ends too early")
    return found


def _malformed(zh: str, en: str) -> BackupError:
    return BackupError("backup-malformed", zh, en)
