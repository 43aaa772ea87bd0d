"""Multipart bodies, streamed: files go straight to disk and are hashed on the way; nothing large stays in memory."""

import errno
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from api.body_limit import raise_limit
from api.errors import MediaTypeError, RequestError, TooLargeError
from api.service import Serving
from sealing.errors import StorageError
from sealing.settings import Settings

FIELD_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one part that is not a file: an order, an approval, a receipt."""
_OVERHEAD: Final = 64 * 1024
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """One file part: a private file of ours, the digest and length of its bytes, and what its sender called it."""

    path: Path
    digest: str
    length: int
    name: str = ""
    """As the caller named it: never a path of ours, and for people only; empty when no file was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """The parts of one request."""

    file: UploadedFile
    fields: dict[str, bytes]

    def text(self, name: str) -> str | None:
        """A part as text without outer blanks. Raises :class:`RequestError` when it is not UTF-8."""
        if name not in self.fields:
            return None
        try:
            return self.fields[name].decode().strip()
        except UnicodeDecodeError:
            raise RequestError(
                "part-not-utf8", f"{name} 部分不是 UTF-8 文字", f"the part {name} is not text in UTF-8"
            ) from None


class Parts:
    """A dependency that reads the parts it names. Declared after the caller, so strangers upload nothing."""

    def __init__(
        self,
        file: str,
        *,
        required: tuple[str, ...] = (),
        optional: tuple[str, ...] = (),
        suffix: str = ".pdf",
        most: Callable[[Settings], int] = lambda settings: settings.max_pdf_bytes,
    ) -> None:
        """``file`` is the name of the file part, the others are fields; ``suffix`` is that of our own file.

        ``most`` tells from the settings how many bytes the file may have.
        """
        self.file, self.required, self.optional, self.suffix, self.most = file, required, optional, suffix, most

    async def __call__(self, request: Request, service: Serving) -> AsyncIterator[Upload]:
        """Receive the body; the file is removed once the request has ended, unless somebody took it over."""
        most = self.most(service.shop.settings)
        raise_limit(request, most + FIELD_LIMIT * len((*self.required, *self.optional)) + _OVERHEAD)
        path = service.shop.documents.unused(self.suffix)
        try:
            yield (await self._received(request, path, most)).upload(path, self.required)
        finally:
            path.unlink(missing_ok=True)

    async def _received(self, request: Request, path: Path, most: int) -> "_Reader":
        try:
            with _new_file(path) as target:
                names = (*self.required, *self.optional)
                reader = _Reader(file_name=self.file, names=names, target=target, most=most)
                await _pump(request, reader)
        except OSError as error:
            raise _not_stored(error) from error
        return reader


@dataclass(slots=True)
class _Reader:
    """The state between the parser's callbacks."""

    file_name: str
    names: tuple[str, ...]
    target: BinaryIO
    most: int
    fields: dict[str, bytearray] = field(default_factory=dict)
    length: int | None = None
    given_name: str = ""
    ended: bool = False
    _digest: Any = field(default_factory=sha256)
    _headers: dict[str, bytearray] = field(default_factory=dict)
    _name: bytearray = field(default_factory=bytearray)
    _part: str = ""

    def on_part_begin(self) -> None:
        self._headers, self._name = {}, bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._headers.setdefault(self._name.decode("latin-1").lower(), bytearray()).extend(data[start:end])

    def on_header_end(self) -> None:
        self._name = bytearray()

    def on_headers_finished(self) -> None:
        _, options = parse_options_header(bytes(self._headers.get("content-disposition", b"")))
        self._part = options.get(b"name", b"").decode("utf-8", "replace")
        if self._part not in {self.file_name, *self.names}:
            raise _part_unknown(self._part, (self.file_name, *self.names))
        if self._part in self.fields or (self._part == self.file_name and self.length is not None):
            raise RequestError("part-twice", f"{self._part} 部分出现两次", f"the part {self._part} stands twice")
        if self._part == self.file_name:
            self.length = 0
            self.given_name = _plain_name(options.get(b"filename", b""))
        else:
            self.fields[self._part] = bytearray()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part == self.file_name:
            self._to_file(memoryview(data)[start:end])
            return
        kept = self.fields[self._part]
        kept += data[start:end]
        if len(kept) > FIELD_LIMIT:
            raise TooLargeError(
                "part-too-large",
                f"{self._part} 部分超过 {FIELD_LIMIT} 字节",
                f"the part {self._part} is longer than {FIELD_LIMIT} bytes",
            )

    def on_end(self) -> None:
        self.ended = True

    def _to_file(self, data: memoryview) -> None:
        self.length = (self.length or 0) + len(data)
        if self.length > self.most:
            raise TooLargeError(
                "document-too-large",
                f"文件超过 {self.most} 字节",
                f"the document is longer than {self.most} bytes",
            )
        self._digest.update(data)
        self.target.write(data)

    def upload(self, path: Path, required: tuple[str, ...]) -> Upload:
        """What was received. Raises :class:`RequestError` for a part that is missing."""
        missing = [name for name in required if name not in self.fields]
        if self.length is None:
            missing.insert(0, self.file_name)
        if missing:
            raise RequestError(
                "part-missing",
                f"缺少 {'、'.join(missing)} 部分",
                f"the request lacks the parts {', '.join(missing)}",
            )
        digest = f"sha256:{self._digest.hexdigest()}"
        file = UploadedFile(path=path, digest=digest, length=self.length or 0, name=self.given_name)
        return Upload(file=file, fields={name: bytes(value) for name, value in self.fields.items()})


async def _pump(request: Request, reader: _Reader) -> None:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise MediaTypeError(
            "multipart-expected", "正文应为 multipart/form-data", "a multipart/form-data body is expected"
        )
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.on_part_begin,
                "on_header_field": reader.on_header_field,
                "on_header_value": reader.on_header_value,
                "on_header_end": reader.on_header_end,
                "on_headers_finished": reader.on_headers_finished,
                "on_part_data": reader.on_part_data,
                "on_end": reader.on_end,
            },
        )
        async for chunk in request.stream():
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        raise _malformed() from error
    if not reader.ended:
        raise _malformed()


def _plain_name(given: bytes) -> str:
    """The last step of a path, without what cannot be seen: safe to be shown, never used as a path."""
    name = given.decode("utf-8", "replace").replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in name if each.isprintable())[:_LONGEST_NAME]


def _new_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def _part_unknown(found: str, expected: tuple[str, ...]) -> RequestError:
    return RequestError(
        "part-unknown",
        f"没有 {found[:80]!r} 部分；可有 {'、'.join(expected)}",
        f"there is no part {found[:80]!r}; expected {', '.join(expected)}",
    )


def _malformed() -> RequestError:
    return RequestError(
        "multipart-malformed", "multipart 正文不完整或格式有误", "the multipart body is incomplete or malformed"
    )


def _not_stored(error: OSError) -> StorageError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError("disk-full", "磁盘已满，未接收文件", "the disk is full; the document was not received")
    return StorageError(
        "document-store-failed", f"文件未能接收：{error.strerror}", f"the document was not received: {error.strerror}"
    )
