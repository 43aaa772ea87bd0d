"""Frames between client and custody process: four bytes of length, big-endian, then JSON in ASCII, without floats.

Both ends read a frame with this module alone, so its bytes need no canonical form; what is hashed or signed of it is
brought into that form by whoever hashes it.

A file goes along with a frame: over a local socket as an open descriptor, which the kernel passes on (SCM_RIGHTS,
unix(7)), so that nothing is copied; over TLS as its bytes behind the frame, whose length the member ``file`` tells.
"""

import array
import json
import os
import select
import socket
import stat
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NoReturn

from custody.errors import FrameError
from ledger.canonical import JsonValue

HEADER = struct.Struct(">I")
LONGEST_FRAME = 32 * 1024 * 1024  # a revocation list of some 500,000 lines, in base64
LONGEST_FILE = 1_100_000_000  # the largest PDF that settings allow, with its seal
_CHUNK = 1 << 20
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False)
_DESCRIPTOR = struct.Struct("i")


class Channel:
    """One connection, used by one thread at a time. ``folder`` is where files that come over TLS are kept, unnamed."""

    __slots__ = ("_folder", "_local", "socket")

    def __init__(self, connected: socket.socket, folder: Path | None = None) -> None:
        self.socket = connected
        self._local = connected.family == socket.AF_UNIX
        self._folder = folder

    def send(self, value: Mapping[str, JsonValue], file: BinaryIO | None = None) -> bool:
        """Send a frame; False when the connection was closed before any of it was taken, so that nothing happened.

        Raises :class:`FrameError` for a value that is too long, ``OSError`` when the connection ends within.
        """
        told = value if file is None else {**value, "file": os.fstat(file.fileno()).st_size}
        body = _ENCODER.encode(told).encode("ascii")
        if len(body) > LONGEST_FRAME:
            raise FrameError(f"a frame of {len(body)} bytes, at most {LONGEST_FRAME} are taken")
        frame = HEADER.pack(len(body)) + body
        try:
            sent = self._send_first(frame, file)
        except (BrokenPipeError, ConnectionResetError):
            return False
        if sent < len(frame):  # sending nothing to one that has just ended would be an error, and its answer lost
            self.socket.sendall(memoryview(frame)[sent:])
        if file is not None and not self._local:
            file.seek(0)
            self.socket.sendfile(file)
        return True

    def _send_first(self, frame: bytes, file: BinaryIO | None) -> int:
        if not self._local:
            return self.socket.send(frame)
        if file is None:
            return self.socket.send(frame, socket.MSG_NOSIGNAL)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file.fileno()]))]
        return self.socket.sendmsg([frame], rights, socket.MSG_NOSIGNAL)

    def receive(self) -> tuple[dict[str, Any], BinaryIO | None] | None:
        """The next frame and its file, or None when the other end closed between two frames.

        Raises :class:`FrameError`, and ``OSError`` (``TimeoutError`` with a timeout on the socket).
        """
        descriptors: list[int] = []
        try:
            head = self._receive_head(descriptors)
            if not head:
                return None
            (length,) = HEADER.unpack(head)
            if length > LONGEST_FRAME:
                raise FrameError(f"a frame of {length} bytes, at most {LONGEST_FRAME} are taken")
            value = _object(self._exactly(length))
            return value, self._file(value.pop("file", None), descriptors)
        finally:
            for each in descriptors:
                os.close(each)

    def closed_by_peer(self) -> bool:
        """Whether the other end has closed the idle connection already: it sends nothing that was not asked for."""
        ready = select.poll()
        ready.register(self.socket, select.POLLIN)
        return bool(ready.poll(0))

    def close(self) -> None:
        """Close the connection."""
        with suppress(OSError):
            self.socket.close()

    def _receive_head(self, descriptors: list[int]) -> bytes:
        if not self._local:
            first = self.socket.recv(HEADER.size)
        else:
            space = socket.CMSG_SPACE(_DESCRIPTOR.size)
            first, rights, _, _ = self.socket.recvmsg(HEADER.size, space, socket.MSG_CMSG_CLOEXEC)
            for level, kind, data in rights:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    whole = len(data) - len(data) % _DESCRIPTOR.size
                    descriptors += (each for (each,) in _DESCRIPTOR.iter_unpack(data[:whole]))
        return first + self._exactly(HEADER.size - len(first)) if first else b""

    def _exactly(self, length: int) -> bytes:
        got = bytearray(length)
        view, at = memoryview(got), 0
        while at < length:
            read = self.socket.recv_into(view[at:])
            if not read:
                raise FrameError(f"the connection ended after {at} of {length} bytes")
            at += read
        return bytes(got)

    def _file(self, told: object, descriptors: list[int]) -> BinaryIO | None:
        if told is None:
            return None
        if type(told) is not int or not 0 <= told <= LONGEST_FILE:
            raise FrameError(f"a file of {told!r} bytes, at most {LONGEST_FILE} are taken")
        if not self._local:
            return self._copied(told)
        if not descriptors:
            raise FrameError("the frame speaks of a file, and none came with it")
        return _regular(descriptors.pop())

    def _copied(self, length: int) -> BinaryIO:
        file: BinaryIO = TemporaryFile(dir=self._folder)  # noqa: SIM115  handed to the caller, who closes it
        try:
            while length:
                data = self.socket.recv(min(length, _CHUNK))
                if not data:
                    raise FrameError("the connection ended within a file")  # noqa: TRY301  closes the file below
                file.write(data)
                length -= len(data)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("ascii"), parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise FrameError("a frame that is not JSON in ASCII without floats") from error
    if not isinstance(value, dict):
        raise FrameError("a frame that is no JSON object")
    return value


def _refuse_number(spelling: str) -> NoReturn:
    raise ValueError(f"number {spelling[:24]} is not an integer")


def _regular(descriptor: int) -> BinaryIO:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # reading a pipe could last for ever
        os.close(descriptor)
        raise FrameError("the descriptor that came is no regular file")
    file = os.fdopen(descriptor, "rb")
    file.seek(0)
    return file
