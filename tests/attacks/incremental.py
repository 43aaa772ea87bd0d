"""An incremental update written by hand, well formed or not (ISO 32000-2 7.5.6)."""

import re
from io import BytesIO
from typing import Any

import pikepdf


def startxref(data: bytes) -> int:
    """The newest one."""
    return int(re.findall(rb"startxref\s+(\d+)", data)[-1])


class Update:
    """Objects to append to ``data``. ``pdf`` is the file as it is; change a copy of an object and ``put`` it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pdf = pikepdf.open(BytesIO(data))
        self.objects: dict[int, bytes] = {}
        self._next = int(self.pdf.trailer["/Size"])

    @property
    def page(self) -> Any:
        """The first page."""
        return self.pdf.pages[0].obj

    @property
    def seal(self) -> Any:
        """The widget of the last signature field."""
        return self.pdf.Root.AcroForm.Fields[-1]

    def put(self, changed: Any) -> None:
        """An object of the file in its changed form."""
        self.objects[changed.objgen[0]] = changed.unparse(resolved=True)

    def put_stream(self, number: int, entries: bytes, content: bytes) -> int:
        self.objects[number] = stream(entries, content)
        return number

    def add(self, body: bytes) -> int:
        """A new object; its number."""
        number, self._next = self._next, self._next + 1
        self.objects[number] = body
        return number

    def add_form(self, content: bytes, box: tuple[int, int, int, int] = (0, 0, 300, 100)) -> int:
        """A form XObject."""
        entries = b"/Type /XObject /Subtype /Form /BBox [%d %d %d %d] /Resources << >>" % box
        return self.add(stream(entries, content))

    def annotate(self, number: int) -> None:
        """The first page gets one annotation more."""
        page = self.page
        listed = b" ".join(each.unparse() for each in page.get("/Annots", ()))
        body = page.unparse(resolved=True)
        before = page.get("/Annots")
        written = b"/Annots [ %s %d 0 R ]" % (listed, number)
        if before is None:
            body = body[: body.rindex(b">>")] + written + b" >>"
        else:
            old = b"/Annots " + before.unparse()
            if old not in body:
                raise AssertionError("the page's annotations are where they were not expected")
            body = body.replace(old, written)
        self.objects[page.objgen[0]] = body

    def write(
        self,
        *,
        before: bytes = b"",
        table: bool = True,
        trailer: bool = True,
        start: bytes | None = None,
        end: bytes = b"%%EOF\n",
        previous: bytes | None = None,
        unlisted: tuple[int, ...] = (),
    ) -> bytes:
        """The file with the update. ``start``: what stands for the offset behind ``startxref``."""
        out = bytearray(self.data + before)
        places = {}
        for number, body in sorted(self.objects.items()):
            places[number] = len(out)
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        section = len(out)
        if table:
            out += b"xref\n"
            for number, at in places.items():
                if number not in unlisted:
                    out += b"%d 1\n%010d 00000 n \n" % (number, at)
        if trailer:
            root = self.pdf.trailer.get("/Root").unparse()
            info = b" /Info " + self.pdf.trailer["/Info"].unparse() if "/Info" in self.pdf.trailer else b""
            prev = b"%d" % startxref(self.data) if previous is None else previous
            out += b"trailer\n<< /Size %d /Root %s%s /Prev %s >>\n" % (self._next, root, info, prev)
        if start != b"":
            out += b"startxref\n%s\n" % (b"%d" % section if start is None else start)
        return bytes(out + end)


def stream(entries: bytes, content: bytes) -> bytes:
    """The body of a stream object."""
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(content), content)
