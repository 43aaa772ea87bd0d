"""A raw PDF writer: every byte of syntax is the test's own, so that names can be escaped and objects hidden.

A ``Sheet`` is a one-page document with one visible word; a test adds what it is about.
"""

import zlib
from dataclasses import dataclass, field

DEFAULT_CONTENT = b"BT /F1 24 Tf 100 700 Td (AB) Tj ET"


@dataclass(frozen=True)
class Stream:
    """A stream object: the inside of its dictionary, without /Length, and its data."""

    dictionary: bytes
    data: bytes


def flate(dictionary: bytes, data: bytes) -> Stream:
    return Stream(dictionary + b"/Filter/FlateDecode", zlib.compress(data))


Body = bytes | Stream


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Parts of the one-page document, raw. ``extra`` are objects from number 10 on."""

    catalog: bytes = b""
    page: bytes = b""
    resources: bytes = b""
    fonts: bytes = b""
    content: bytes = DEFAULT_CONTENT
    extra: dict[int, Body] = field(default_factory=dict)

    def objects(self) -> dict[int, Body]:
        return {
            1: b"<</Type/Catalog/Pages 2 0 R" + self.catalog + b">>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/Contents 4 0 R"
            + (b"" if b"/MediaBox" in self.page else b"/MediaBox[0 0 595 842]")
            + self.page
            + b"/Resources<</Font<</F1 5 0 R" + self.fonts + b">>" + self.resources + b">>>>",
            4: Stream(b"", self.content),
            5: b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/CharProcs"
            b"<</a 6 0 R>>/Encoding<</Type/Encoding/Differences[65/a/a]>>/FirstChar 65/LastChar 66"
            b"/Widths[800 800]/Resources<<>>/ToUnicode 7 0 R>>",
            6: Stream(b"", b"800 0 0 0 700 700 d1 0 0 700 700 re f"),
            7: Stream(
                b"",
                b"/CIDInit/ProcSet findresource begin begincmap /CMapType 2 def 1 begincodespacerange <00><ff> "
                b"endcodespacerange 2 beginbfchar <41><0041> <42><0042> endbfchar endcmap end",
            ),
            **self.extra,
        }  # fmt: skip


def body(value: Body) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (value.dictionary, len(value.data), value.data)


def plain(objects: dict[int, Body], *, root: int = 1, trailer: bytes = b"") -> bytes:
    """The objects in a file with a cross-reference table."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number, value in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body(value))
    return bytes(out) + _table(len(out), offsets, root=root, trailer=trailer)


def update(base: bytes, objects: dict[int, Body], *, listed: bool = True) -> bytes:
    """An incremental update with a table; with ``listed=False`` the table does not name the objects."""
    out = bytearray(base if base.endswith(b"\n") else base + b"\n")
    previous = int(base[base.rindex(b"startxref") + 9 : base.rindex(b"%%EOF")])
    offsets = {}
    for number, value in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body(value))
    named = offsets if listed else {}
    return bytes(out) + _table(len(out), named, root=1, trailer=b"/Prev %d" % previous)


def _table(start: int, offsets: dict[int, int], *, root: int, trailer: bytes) -> bytes:
    out = bytearray(b"xref\n0 1\n0000000000 65535 f \n")
    for number, offset in sorted(offsets.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer\n<</Size 100/Root %d 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (root, trailer, start)
    return bytes(out)


def compressed(objects: dict[int, Body], *, also: dict[int, bytes] | None = None) -> bytes:
    """The objects in a compressed object stream (number 90) and a cross-reference stream (number 91).

    ``also``: further definitions in that object stream that the cross-reference stream does not point to.
    """
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    inner = {number: value for number, value in objects.items() if isinstance(value, bytes)}
    packed = [*sorted(inner.items()), *(also or {}).items()]
    entries: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
    for number, value in sorted(objects.items()):
        if isinstance(value, Stream):
            entries[number] = (1, len(out), 0)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body(value))
    index, data = b"", b""
    for place, (number, value) in enumerate(packed):
        index += b"%d %d " % (number, len(data))
        data += value + b"\n"
        if place < len(inner):
            entries[number] = (2, 90, place)
    entries[90] = (1, len(out), 0)
    holder = flate(b"/Type/ObjStm/N %d/First %d" % (len(packed), len(index)), index + data)
    out += b"90 0 obj\n%s\nendobj\n" % body(holder)
    entries[91] = (1, len(out), 0)
    rows = b"".join(
        b"%c%s%s" % (kind, one.to_bytes(4, "big"), two.to_bytes(2, "big"))
        for kind, one, two in (entries.get(number, (0, 0, 0)) for number in range(92))
    )
    xref = flate(b"/Type/XRef/Size 92/W[1 4 2]/Root 1 0 R", rows)
    start = len(out)
    return bytes(out) + b"91 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (body(xref), start)


def hybrid(objects: dict[int, Body], hidden: dict[int, bytes]) -> bytes:
    """A table, and a cross-reference stream beside it that adds ``hidden``, as some office programs write."""
    base = plain(objects)
    out = bytearray(base)
    previous = int(base[base.rindex(b"startxref") + 9 : base.rindex(b"%%EOF")])
    numbers = sorted(hidden)
    index, data = b"", b""
    for number in numbers:
        index += b"%d %d " % (number, len(data))
        data += hidden[number] + b"\n"
    holder_at = len(out)
    out += b"90 0 obj\n%s\nendobj\n" % body(
        flate(b"/Type/ObjStm/N %d/First %d" % (len(hidden), len(index)), index + data)
    )
    rows = b"".join(b"\x02" + (90).to_bytes(4, "big") + place.to_bytes(2, "big") for place in range(len(numbers)))
    rows += b"\x01" + holder_at.to_bytes(4, "big") + bytes(2)
    ranges = b"".join(b"%d 1 " % number for number in [*numbers, 90])
    stream_at = len(out)
    out += b"91 0 obj\n%s\nendobj\n" % body(
        flate(b"/Type/XRef/Size 92/W[1 4 2]/Root 1 0 R/Index[" + ranges + b"]", rows)
    )
    return bytes(out) + _table(len(out), {}, root=1, trailer=b"/Prev %d/XRefStm %d" % (previous, stream_at))


def escaped(objects: dict[int, Body], names: tuple[bytes, ...]) -> dict[int, Body]:
    """The objects with one letter of each name written as ``#xx``, which readers decode."""

    def escape(text: bytes) -> bytes:
        for name in names:
            text = text.replace(
                name, name[:2] + b"#%02x" % name[2] + name[3:] if len(name) > 2 else b"/#%02x" % name[1]
            )
        return text

    return {
        number: Stream(escape(value.dictionary), value.data) if isinstance(value, Stream) else escape(value)
        for number, value in objects.items()
    }
