"""Where the last signature of a file stands, and the file with it changed."""

import re

from asn1crypto.cms import ContentInfo

_BYTE_RANGE = re.compile(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\] *")


def byte_range(data: bytes) -> tuple[int, int, int, int]:
    """The four numbers of the last ByteRange."""
    first, length, second, rest = (int(each) for each in _BYTE_RANGE.findall(data)[-1])
    return first, length, second, rest


def with_byte_range(data: bytes, written: bytes) -> bytes:
    """The last ByteRange written otherwise, in the same room."""
    found = list(_BYTE_RANGE.finditer(data))[-1]
    room = found.end() - found.start()
    new = (b"/ByteRange " + written).ljust(room)
    if len(new) > room:
        raise AssertionError(f"{written!r} does not fit in {room}")
    return data[: found.start()] + new + data[found.end() :]


def with_contents(data: bytes, written: bytes) -> bytes:
    """The value of the last Contents written otherwise, in the same room."""
    _, length, second, _ = byte_range(data)
    return data[:length] + written.ljust(second - length) + data[second:]


def with_cms(data: bytes, cms: ContentInfo | bytes) -> bytes:
    """Another CMS in the last Contents, padded with zeros."""
    _, length, second, _ = byte_range(data)
    der = cms if isinstance(cms, bytes) else cms.dump(force=True)
    digits = der.hex().encode()
    return data[:length] + b"<" + digits.ljust(second - length - 2, b"0") + b">" + data[second:]


def cms_of(data: bytes) -> bytes:
    """The DER in the last Contents, without the padding."""
    _, length, second, _ = byte_range(data)
    padded = bytes.fromhex(data[length + 1 : second - 1].decode())
    return bytes(ContentInfo.load(padded).dump())


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """The last ``old`` replaced by a ``new`` of the same length."""
    at = data.rindex(old)
    if len(old) != len(new):
        raise AssertionError(f"{old!r} and {new!r} differ in length")
    return data[:at] + new + data[at + len(old) :]
