"""Our own look at the bytes: which of them a signature covers, and whether the rest is a well-formed revision.

Libraries judge the covered part and are lenient about the rest, and readers follow an update that ends in a malformed
end-of-file line. So what stands behind the last signature is read here, byte by byte, and nothing is forgiven.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verify.pdf_syntax import FileBytes, Value, fault, read_value, skip_space

_ESCAPABLE = b"".join(b"(?:%c|#%02x|#%02X)" % (each, each, each) for each in b"ByteRange")
_BYTE_RANGE = re.compile(b"/" + _ESCAPABLE + rb"(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")
_OBJECT = re.compile(rb"(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]+obj(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_START = re.compile(rb"startxref(?:\r\n|\n|\r)(\d{1,15})(?:\r\n|\n|\r)%%EOF")
_SECTION = re.compile(rb"(\d{1,10}) (\d{1,8}) ?(?:\r\n|\n|\r)")
_ENTRY = re.compile(rb"\d{10} \d{5} [nf](?: \r| \n|\r\n)")
_END = re.compile(rb"startxref[\x00\t\n\x0c\r ]+(\d{1,15})[\x00\t\n\x0c\r ]+%%EOF(?:\r\n|\n|\r)?\Z")
_NEAR_END = re.compile(rb"startxref[\x00\t\n\x0c\r ]*\d{1,15}[\x00\t\n\x0c\r ]*%%EOF")
_NAMED = re.compile(rb"startxref[\x00\t\n\x0c\r ]*([+-]?\d{1,40})")
_SEARCHED = 2048
_LINE_END = re.compile(rb"\r\n|\n|\r")
_HOLE = re.compile(rb"<[0-9A-Fa-f]*>\Z")
_PADDING_UNIT = 2
_TAIL = 64
_FOUR = 4


@dataclass(frozen=True, slots=True)
class SignatureObject:
    """A signature dictionary as it stands in the file; ``contents`` is the CMS and its padding."""

    start: int
    end: int
    members: Mapping[bytes, Value]
    byte_range: tuple[int, int, int, int]
    contents: bytes

    def name(self, key: bytes) -> str:
        """A name that is written directly in the dictionary, with its slash; else an empty text."""
        value = self.members.get(key)
        return "/" + value.text.decode("latin-1") if value is not None and value.kind == "name" else ""

    @property
    def covered_end(self) -> int:
        """The offset behind the last covered byte."""
        return self.byte_range[2] + self.byte_range[3]


@dataclass(frozen=True, slots=True)
class LaterRevision:
    """A well-formed revision behind the last signature: where each of its objects stands, and its ``startxref``."""

    start: int
    end: int
    objects: dict[tuple[int, int], int]
    startxref: int


def byte_range_places(data: FileBytes) -> list[int]:
    """Every place where a ``/ByteRange`` is written, ``#xx`` escapes included, in all revisions."""
    return [found.start() for found in _BYTE_RANGE.finditer(data)]


def has_end(data: FileBytes) -> bool:
    """Whether ``startxref`` and ``%%EOF`` stand near the end, and the last ``startxref`` names a place in the file.

    Libraries look for them byte by byte, and for long, and go wherever the number says.
    """
    near = max(0, len(data) - _SEARCHED)
    named = _NAMED.match(data, max(near, data.rfind(b"startxref", near)))
    outside = named is not None and not 0 < int(named[1]) < len(data)
    return not outside and _NEAR_END.search(data, near) is not None


def read_signature_object(data: FileBytes, offset: int) -> SignatureObject:
    """The signature dictionary whose object begins at ``offset``.

    Raises :class:`SyntaxFaultError` unless the ByteRange begins at 0, leaves out exactly the hexadecimal string of
    ``/Contents`` with its brackets, and ends where a revision ends; zeros alone may stand behind the signature.
    """
    header = _OBJECT.match(data, skip_space(data, offset))
    if not header:
        fault(offset, "the object of a signature")
    body = read_value(data, header.end())
    numbers, contents = body.members.get(b"ByteRange"), body.members.get(b"Contents")
    if numbers is None or contents is None:
        fault(body.start, "a dictionary with /ByteRange and /Contents")
    byte_range = _four(numbers)
    _check_hole(data, byte_range, contents)
    _check_end(data, byte_range[2] + byte_range[3])
    return SignatureObject(body.start, body.end, body.members, byte_range, bytes.fromhex(contents.text.decode()))


def _four(value: Value) -> tuple[int, int, int, int]:
    if value.kind != "array" or len(value.items) != _FOUR:
        fault(value.start, "a /ByteRange of two ranges")
    first, length, second, rest = (item.integer() for item in value.items)
    return first, length, second, rest


def _check_hole(data: FileBytes, byte_range: tuple[int, int, int, int], contents: Value) -> None:
    first, length, second, rest = byte_range
    if first != 0 or second + rest > len(data):
        fault(contents.start, "a /ByteRange from 0 within the file")
    if contents.kind != "hex" or (length, second) != (contents.start, contents.end):
        fault(contents.start, "a /ByteRange that leaves out exactly the value of /Contents")
    if not _HOLE.match(data[length:second]) or len(contents.text) % _PADDING_UNIT:
        fault(contents.start, "hexadecimal digits only in /Contents")


def _check_end(data: FileBytes, end: int) -> None:
    if not _END.search(data[max(0, end - _TAIL) : end]):
        fault(end, "a ByteRange that ends where a revision ends")


def later_revisions(data: FileBytes, start: int) -> list[LaterRevision]:
    """What stands from ``start`` to the end of the file, as revisions with nothing between them.

    Raises :class:`SyntaxFaultError` at the first byte that belongs to none.
    """
    at = start
    if data[start - 1 : start] not in {b"\n", b"\r"} or (data[start - 1 : start + 1] == b"\r\n"):
        line_end = _LINE_END.match(data, start)
        at = line_end.end() if line_end else start
    found: list[LaterRevision] = []
    while at < len(data):
        found.append(_revision(data, at))
        at = found[-1].end
    return found


def _revision(data: FileBytes, start: int) -> LaterRevision:
    objects: dict[tuple[int, int], int] = {}
    at = skip_space(data, start)
    last = -1
    while header := _OBJECT.match(data, at):
        key = (int(header[1]), int(header[2]))
        if key in objects:
            fault(at, "each object once in a revision")
        objects[key] = last = at
        at = skip_space(data, _object_end(data, header.end()))
    section = last
    if data[at : at + 4] == b"xref":
        section = at
        at = skip_space(data, _table_end(data, at))
    found = _START.match(data, at)
    if not found or int(found[1]) != section:
        fault(at, f"startxref {section} and %%EOF")
    line_end = _LINE_END.match(data, found.end())
    return LaterRevision(start, line_end.end() if line_end else found.end(), objects, int(found[1]))


def _object_end(data: FileBytes, at: int) -> int:
    value = read_value(data, at)
    at = skip_space(data, value.end)
    if found := _STREAM.match(data, at):
        length = value.members.get(b"Length")
        if value.kind != "dictionary" or length is None:
            fault(at, "a stream dictionary with its /Length")
        at = skip_space(data, found.end() + _length(data, length))
        if data[at : at + 9] != b"endstream":
            fault(at, "endstream")
        at = skip_space(data, at + 9)
    if data[at : at + 6] != b"endobj":
        fault(at, "endobj")
    return at + 6


def _length(data: FileBytes, length: Value) -> int:
    """The length of a stream; where it is an object of its own, the one that follows in the same file part."""
    if length.kind != "reference":
        return length.integer()
    number, generation = length.text.split()
    pattern = re.compile(rb"(?<!\d)%s %s obj\s+(\d{1,12})\s+endobj" % (number, generation))
    found = pattern.search(data, length.end)
    if not found:
        fault(length.start, "a stream length that stands behind it")
    return int(found[1])


def _table_end(data: FileBytes, at: int) -> int:
    at = skip_space(data, at + 4)
    while section := _SECTION.match(data, at):
        at = section.end()
        for _ in range(int(section[2])):
            entry = _ENTRY.match(data, at)
            if not entry:
                fault(at, "a cross-reference entry of 20 bytes")
            at = entry.end()
    at = skip_space(data, at)
    if data[at : at + 7] != b"trailer":
        fault(at, "trailer")
    trailer = read_value(data, at + 7)
    if trailer.kind != "dictionary" or b"XRefStm" in trailer.members:
        fault(trailer.start, "a trailer dictionary without /XRefStm")
    return trailer.end


def unreached(places: Sequence[int], reached: Sequence[SignatureObject]) -> list[int]:
    """The places of ``/ByteRange`` that belong to no signature which a form field reaches."""
    return [at for at in places if not any(one.start <= at < one.end for one in reached)]
