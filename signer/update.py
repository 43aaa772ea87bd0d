"""Our own incremental update: objects appended to a PDF with a cross-reference of the kind it already has.

ISO 32000-2 7.5.6. The update is small (kilobytes) and built in memory; the file it continues is not touched.
"""

from dataclasses import dataclass, field
from zlib import compress

from pikepdf import Object

from signer.structure import Structure


@dataclass(slots=True)
class Update:
    """Collects new and replaced objects, then writes them out as one revision."""

    structure: Structure
    _objects: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _next: int = field(init=False)

    def __post_init__(self) -> None:
        self._next = self.structure.size

    def reserve(self) -> bytes:
        """A reference to a new object whose body is given later by :meth:`fill`."""
        number = self._next
        self._next += 1
        return b"%d 0 R" % number

    def fill(self, ref: bytes, body: bytes) -> None:
        """Give the body of an object from :meth:`reserve`."""
        key = (int(ref.split()[0]), 0)
        self._objects[key] = _object(key, body)

    def add(self, body: bytes) -> bytes:
        """Append a new object and return the reference to it."""
        ref = self.reserve()
        self.fill(ref, body)
        return ref

    def add_stream(self, entries: bytes, data: bytes, *, deflated: bool = False) -> bytes:
        """Append a stream; ``deflated`` says that ``data`` is compressed already."""
        coding = b" /Filter /FlateDecode" if deflated else b""
        return self.add(b"<< %s%s /Length %d >>\nstream\n%s\nendstream" % (entries, coding, len(data), data))

    def replace(self, existing: Object, body: bytes) -> None:
        """Write a new version of an existing indirect object, under its number and generation."""
        self._objects[existing.objgen] = _object(existing.objgen, body)

    def offset_of(self, ref: bytes) -> int:
        """Where the object will begin in the whole file, in bytes."""
        return self._offsets()[int(ref.split()[0]), 0]

    def _lead(self) -> bytes:
        return b"" if self.structure.ends_with_newline else b"\n"

    def _offsets(self) -> dict[tuple[int, int], int]:
        offsets, position = {}, self.structure.length + len(self._lead())
        for key in sorted(self._objects):
            offsets[key] = position
            position += len(self._objects[key])
        return offsets

    def assemble(self, identifier: bytes) -> bytes:
        """The bytes to append. ``identifier`` becomes the second half of the file identifier, if any."""
        offsets = self._offsets()
        body = self._lead() + b"".join(self._objects[key] for key in sorted(self._objects))
        at = self.structure.length + len(body)
        trailer = self._trailer(identifier)
        section = self._stream(offsets, at, trailer) if self.structure.xref_stream else self._table(offsets, trailer)
        return b"%s%sstartxref\n%d\n%%%%EOF\n" % (body, section, at)

    def _trailer(self, identifier: bytes) -> bytes:
        parts = self.structure.identifier()
        given = b" /ID [<%s> <%s>]" % (parts[0].hex().encode(), identifier.hex().encode()) if parts else b""
        return b"%s%s /Prev %d" % (self.structure.trailer(), given, self.structure.startxref)

    def _table(self, offsets: dict[tuple[int, int], int], trailer: bytes) -> bytes:
        lines = [b"xref\n"]
        for run in _runs(sorted(offsets)):
            lines.append(b"%d %d\n" % (run[0][0], len(run)))
            lines += [b"%010d %05d n \n" % (offsets[key], key[1]) for key in run]
        return b"%strailer\n<< %s /Size %d >>\n" % (b"".join(lines), trailer, self._next)

    def _stream(self, offsets: dict[tuple[int, int], int], at: int, trailer: bytes) -> bytes:
        """A cross-reference stream, which lists itself (ISO 32000-2 7.5.8)."""
        own = (self._next, 0)
        offsets = {**offsets, own: at}
        width = (at.bit_length() + 7) // 8
        runs = _runs(sorted(offsets))
        index = b" ".join(b"%d %d" % (run[0][0], len(run)) for run in runs)
        rows = b"".join(
            b"\x01" + offsets[key].to_bytes(width, "big") + key[1].to_bytes(2, "big") for run in runs for key in run
        )
        data = compress(rows)
        entries = b"/Type /XRef /W [1 %d 2] /Index [%s] /Filter /FlateDecode /Length %d %s /Size %d" % (
            width, index, len(data), trailer, own[0] + 1,
        )  # fmt: skip
        return _object(own, b"<< %s >>\nstream\n%s\nendstream" % (entries, data))


def _object(key: tuple[int, int], body: bytes) -> bytes:
    return b"%d %d obj\n%s\nendobj\n" % (*key, body)


def _runs(keys: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Split sorted object keys where their numbers leave a gap."""
    runs: list[list[tuple[int, int]]] = []
    for key in keys:
        if runs and key[0] == runs[-1][-1][0] + 1:
            runs[-1].append(key)
        else:
            runs.append([key])
    return runs


def text_string(text: str) -> bytes:
    """A PDF text string (ISO 32000-2 7.9.2.2): literal when ASCII, else UTF-16BE with byte-order mark."""
    if text.isascii() and text.isprintable():
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        return b"(%s)" % escaped.encode()
    return b"<FEFF%s>" % text.encode("utf-16-be").hex().upper().encode()


def number(value: float) -> bytes:
    """A PDF number to a ten-thousandth of a point, without exponent."""
    written = f"{value:.4f}".rstrip("0").rstrip(".")
    return b"0" if written in {"-0", ""} else written.encode()


def numbers(*values: float) -> bytes:
    """Several numbers in a row."""
    return b" ".join(number(value) for value in values)
