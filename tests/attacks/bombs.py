"""Files made to exhaust or confuse a reader. They may end as "cannot tell", never as passed, and never take long."""

import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO

import pikepdf
from attacks.base import Base
from attacks.case import FAILED, UNCLEAR, Case
from attacks.incremental import Update, startxref, stream
from attacks.places import byte_range, cms_of, with_byte_range

BOMB = ("judging_failed", "pdf_broken", "pdf_unreadable", "uncovered_bytes", "changed_after_sealing",
        "later_changes_unclear", "signature_malformed", "rendering_not_compared", "signature_unreachable")  # fmt: skip
DIGITS = 2_000_000
ZEROS = 300_000_000


def _hex_bomb(base: Base) -> bytes:
    """Two million digits in Contents, under a ByteRange that fits them."""
    data = base.final
    first, length, second, rest = byte_range(data)
    value = b"<" + cms_of(data).hex().encode().ljust(DIGITS, b"0") + b">"
    return with_byte_range(
        data[:length] + value + data[second:], b"[%d %d %d %d]" % (first, length, length + len(value), rest)
    )


def _deflated(content: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        content = zlib.compress(content, 9)
    return content


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9)
    parts = [packer.compress(b"\0" * 1_000_000) for _ in range(ZEROS // 1_000_000)]
    return b"".join([*parts, packer.flush()])


def _appended(edit: Callable[[Update], None]) -> Callable[[Base], bytes]:
    def make(base: Base) -> bytes:
        update = Update(base.final)
        edit(update)
        return update.write()

    return make


def _object_stream(base: Base) -> bytes:
    """The page is said to lie in an object stream that unpacks to 300 MB."""
    update = Update(base["packed"].data)
    page = update.page.objgen[0]
    first = update.add(b"")
    at = len(update.data)
    head = b"%d 0 obj\n%s\nendobj\n" % (first, stream(b"/Type /ObjStm /N 1 /First 6 /Filter /FlateDecode", _bomb()))
    section = at + len(head)
    rows = [(2, first, 0), (1, at, 0), (1, section, 0)]
    table = b"".join(b"%c%s%c" % (kind, place.to_bytes(4, "big"), more) for kind, place, more in rows)
    entries = b"/Type /XRef /Size %d /W [1 4 1] /Index [%d 1 %d 2] /Root %s /Prev %d" % (
        first + 2, page, first, update.pdf.trailer["/Root"].unparse(), startxref(update.data),
    )  # fmt: skip
    body = b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (first + 1, stream(entries, table), section)
    return update.data + head + body


def _nested_filters(update: Update) -> None:
    packed = _deflated(_bomb(), 2)
    _as_content(update, stream(b"/Filter [/FlateDecode /FlateDecode /FlateDecode]", packed))


def _content_bomb(update: Update) -> None:
    _as_content(update, stream(b"/Filter /FlateDecode", _bomb()))


def _as_content(update: Update, body: bytes) -> None:
    number = update.add(body)
    page = update.page
    old = page.unparse(resolved=True)
    update.objects[page.objgen[0]] = old.replace(b"/Contents " + page.Contents.unparse(), b"/Contents %d 0 R" % number)


def _page_tree_loop(update: Update) -> None:
    tree = update.pdf.Root.Pages
    own = b"%d 0 R" % tree.objgen[0]
    update.objects[tree.objgen[0]] = b"<< /Type /Pages /Count 5 /Kids [%s] >>" % b" ".join([own] * 5)


def _page_tree_bomb(update: Update) -> None:
    """Twelve levels with ten times the level below each: a million million pages in a few objects."""
    below = update.page.unparse()
    count = 1
    for _ in range(12):
        count *= 10
        number = update.add(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, b" ".join([below] * 10)))
        below = b"%d 0 R" % number
    root = update.pdf.Root
    body = root.unparse(resolved=True).replace(b"/Pages " + root.Pages.unparse(), b"/Pages " + below)
    update.objects[root.objgen[0]] = body


def _object_loop(update: Update) -> None:
    first = update.add(b"")
    second = update.add(b"%d 0 R" % first)
    update.objects[first] = b"%d 0 R" % second
    page = update.page
    old = page.unparse(resolved=True)
    update.objects[page.objgen[0]] = old.replace(b"/Contents " + page.Contents.unparse(), b"/Contents %d 0 R" % first)


def _length_loop(update: Update) -> None:
    number = update.add(b"")
    update.objects[number] = b"<< /Length %d 0 R >>\nstream\nx\nendstream" % number


def _field_loop(update: Update) -> None:
    seal = update.seal
    body = seal.unparse(resolved=True)
    update.objects[seal.objgen[0]] = body[: body.rindex(b">>")] + b"/Kids [%s] >>" % seal.unparse()


def _parent_loop(update: Update) -> None:
    seal = update.seal
    body = seal.unparse(resolved=True)
    update.objects[seal.objgen[0]] = body[: body.rindex(b">>")] + b"/Parent %s >>" % seal.unparse()


def _deep(opening: bytes, closing: bytes, levels: int) -> Callable[[Update], None]:
    def edit(update: Update) -> None:
        _named(update, opening * levels + closing * levels)

    return edit


def _many_objects(update: Update) -> None:
    numbers = [update.add(b"[%d]" % number) for number in range(15_000)]
    _named(update, b"[%s]" % b" ".join(b"%d 0 R" % each for each in numbers))


def _named(update: Update, value: bytes) -> None:
    """Something that the catalog refers to."""
    root = update.pdf.Root
    body = root.unparse(resolved=True)
    update.objects[root.objgen[0]] = body[: body.rindex(b">>")] + b" /Names << /Evil %d 0 R >> >>" % update.add(value)


def _many_marks(update: Update) -> None:
    page = update.page
    one = b"<</Type/Annot/Subtype/Square/Rect[1 1 9 9]>>"
    body = page.unparse(resolved=True)
    old = b"/Annots " + page.Annots.unparse()
    update.objects[page.objgen[0]] = body.replace(old, b"/Annots [" + one * 4_000 + b"]")


def _huge_page(update: Update) -> None:
    page = update.page
    page.MediaBox = pikepdf.Array([0, 0, 10**9, 10**9])
    update.put(page)


def _huge_table(base: Base) -> bytes:
    """A cross-reference section that claims a thousand million entries."""
    data = base.final
    at = len(data)
    return data + b"xref\n0 999999999\ntrailer\n<< /Size 999999999 >>\nstartxref\n%d\n%%%%EOF\n" % at


def _many_byte_ranges(base: Base) -> bytes:
    return base.final + b"/ByteRange [0 1 2 3]\n" * 50_000


def _encrypted(base: Base) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(base.final)) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user=""))
    return out.getvalue()


def _encryption_claimed(base: Base) -> bytes:
    update = Update(base.final)
    update.add(b"<< /Note true >>")
    written = update.write()
    at = written.rindex(b"/Root ")
    return written[:at] + b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (x) /P 0 >> " + written[at:]


def cases() -> Iterator[Case]:
    """Bombs, loops, depth, counts and encryption."""
    made: dict[str, tuple[str, Callable[[Base], bytes], str]] = {
        "hex": ("bomb", _hex_bomb, FAILED),
        "object-stream": ("bomb", _object_stream, UNCLEAR),
        "nested-filters": ("bomb", _appended(_nested_filters), UNCLEAR),
        "page-content": ("bomb", _appended(_content_bomb), UNCLEAR),
        "page-tree": ("bomb", _appended(_page_tree_bomb), FAILED),
        "page-size": ("bomb", _appended(_huge_page), FAILED),
        "table-size": ("bomb", _huge_table, FAILED),
        "many-objects": ("bomb", _appended(_many_objects), FAILED),
        "many-annotations": ("bomb", _appended(_many_marks), FAILED),
        "many-byte-ranges": ("bomb", _many_byte_ranges, FAILED),
        "page-tree-of-itself": ("loop", _appended(_page_tree_loop), FAILED),
        "references": ("loop", _appended(_object_loop), FAILED),
        "stream-length": ("loop", _appended(_length_loop), FAILED),
        "field-kids": ("loop", _appended(_field_loop), FAILED),
        "field-parent": ("loop", _appended(_parent_loop), FAILED),
        "arrays": ("deep-nesting", _appended(_deep(b"[", b"]", 20_000)), FAILED),
        "dictionaries": ("deep-nesting", _appended(_deep(b"<</A ", b">>", 20_000)), FAILED),
        "strings": ("deep-nesting", _appended(_deep(b"(", b")", 200_000)), FAILED),
    }
    for name, (family, make, expected) in made.items():
        yield Case(
            family=family,
            name=name,
            make=make,
            codes=BOMB,
            expected=expected,
            bounded=True,
            of="packed" if name == "object-stream" else "final",
        )
    yield Case(family="encrypted", name="whole-file", make=_encrypted, codes=("encrypted", "signature_unreachable",
               "pdf_broken", "receipt_of_another_file"), expected=FAILED)  # fmt: skip
    yield Case(family="encrypted", name="claimed-by-an-update", make=_encryption_claimed,
               codes=("encrypted", *BOMB), expected=FAILED)  # fmt: skip
