"""Incremental saving and signature wrapping ("1 Trillion Dollar Refund", 4.2 and 4.3)."""

from collections.abc import Callable, Iterator

from attacks.base import Base
from attacks.case import FAILED, Case
from attacks.incremental import Update, startxref, stream
from attacks.places import byte_range, with_byte_range

FORGED = b"1 g 0 0 600 850 re f 0 g 100 400 300 80 re f"
HIDDEN = ("uncovered_bytes", "pdf_broken")


def forged_page(data: bytes) -> Update:
    """An update that puts other content on the first page."""
    update = Update(data)
    put_content(update, FORGED)
    return update


def put_content(update: Update, content: bytes) -> None:
    number = update.add(stream(b"", content))
    page = update.page
    old = b"/Contents " + page.Contents.unparse()
    update.objects[page.objgen[0]] = page.unparse(resolved=True).replace(old, b"/Contents %d 0 R" % number)


def _saving() -> Iterator[tuple[str, Callable[[Base], bytes], tuple[str, ...]]]:
    changed = ("changed_after_sealing",)
    yield "complete", lambda base: forged_page(base.final).write(), changed
    yield "complete-unlocked", lambda base: forged_page(base.unlocked).write(), changed
    yield "without-xref", lambda base: forged_page(base.final).write(table=False), HIDDEN
    yield "without-trailer", lambda base: forged_page(base.final).write(trailer=False), HIDDEN
    yield "without-xref-and-trailer", lambda base: forged_page(base.final).write(table=False, trailer=False), HIDDEN
    yield (
        "objects-only",
        lambda base: forged_page(base.final).write(table=False, trailer=False, start=b"", end=b""),
        HIDDEN,
    )
    yield "trailer-only", lambda base: forged_page(base.final).write(table=False, start=b"", end=b""), HIDDEN
    ends = {
        "missing": b"", "cut": b"%%EO", "space": b"%%EOF \n", "two-lines": b"%%EOF\n\n", "misspelt": b"%%EOG\n",
        "lower-case": b"%%eof\n", "gap": b"%% EOF\n", "comment": b"%%EOF\n%", "twice": b"%%EOF\n%%EOF\n",
        "zero": b"%%EOF\0", "text": b"%%EOF\nHello",
    }  # fmt: skip
    for name, end in ends.items():
        yield f"end-of-file-{name}", lambda base, end=end: forged_page(base.final).write(end=end), HIDDEN
    starts = {
        "zero": b"0", "beyond": b"99999999", "negative": b"-5", "text": b"here", "empty": b" ", "hex": b"0x10",
        "huge": b"9" * 30,
    }  # fmt: skip
    for name, start in starts.items():
        yield f"startxref-{name}", lambda base, start=start: forged_page(base.final).write(start=start), HIDDEN
    yield "startxref-of-the-signed-part", _old_start, HIDDEN
    for name, gap in {"one-space": b" ", "lines": b"\n" * 9, "zeros": b"\0" * 5000, "comment": b"% x\n"}.items():
        yield f"after-{name}", lambda base, gap=gap: forged_page(base.final).write(before=gap), (*HIDDEN, *changed)
    yield (
        "previous-missing",
        lambda base: forged_page(base.final).write(previous=b"null"),
        (*HIDDEN, "judging_failed", "signature_unreachable"),
    )
    yield "previous-loop", lambda base: _loop(base.final), (*HIDDEN, "judging_failed")
    yield "unlisted-object", lambda base: _unlisted(base.final), HIDDEN
    yield "second-header", lambda base: forged_page(base.final).write(before=b"%PDF-1.7\n"), HIDDEN
    yield (
        "signature-copied",
        lambda base: _with_copy(base.final),
        (*changed, *HIDDEN, "signature_malformed", "signature_unreachable"),
    )
    yield "time-stamped-by-a-stranger", lambda base: base.stranger.timestamp(forged_page(base.final).write()), changed
    yield "signed-by-a-stranger", lambda base: base.stranger.sign(forged_page(base.final).write()), changed


def _old_start(base: Base) -> bytes:
    return forged_page(base.final).write(start=b"%d" % startxref(base.final))


def _loop(data: bytes) -> bytes:
    update = forged_page(data)
    section = update.write().rindex(b"xref\n", 0, update.write().rindex(b"trailer"))
    return update.write(previous=b"%d" % section)


def _unlisted(data: bytes) -> bytes:
    update = forged_page(data)
    return update.write(unlisted=(max(update.objects),))


def _with_copy(data: bytes) -> bytes:
    """The update brings a copy of the signature along, so that a parser finds one in the newest revision."""
    update = forged_page(data)
    second = byte_range(data)[2]
    start = data.rindex(b"<<", 0, data.rindex(b"/ByteRange"))
    end = data.index(b"endobj", second)
    update.add(data[start:end].strip())
    return update.write()


def _wrapping() -> Iterator[tuple[str, Callable[[Base], bytes], tuple[str, ...]]]:
    broken = ("signature_malformed", "pdf_broken", "uncovered_bytes", "signature_unreachable")
    wedge = b"\n990 0 obj\n<< /Evil true >>\nendobj\n"
    yield "moved-second-range", lambda base: _wrapped(base.final, wedge.ljust(400)), broken
    yield "moved-second-range-far", lambda base: _wrapped(base.final, wedge.ljust(100_000)), broken
    yield "moved-second-range-with-xref", lambda base: _wrapped(base.final, _own_table(base.final, wedge)), broken
    yield "moved-inside-the-string", lambda base: _wrapped(base.final, b"<00>" + wedge), broken
    yield (
        "moved-signature-object",
        lambda base: _moved_signature(base.final),
        (*broken, "changed_after_sealing", "later_changes_unclear"),
    )
    yield "second-range-at-the-end", lambda base: _appended_range(base.final), broken
    yield "byte-range-of-the-signed-part-kept", lambda base: base.final + wedge, broken


def _wrapped(data: bytes, wedge: bytes) -> bytes:
    """The signed second part is moved back, and the attacker's bytes stand where it was."""
    first, length, second, rest = byte_range(data)
    moved = data[:second] + wedge + data[second:]
    return with_byte_range(moved, b"[%d %d %d %d]" % (first, length, second + len(wedge), rest))


def _own_table(data: bytes, wedge: bytes) -> bytes:
    second = byte_range(data)[2]
    at = second + len(wedge)
    table = b"xref\n990 1\n%010d 00000 n \ntrailer\n<< /Size 999 /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        second + 1, startxref(data), at,
    )  # fmt: skip
    return wedge + table


def _moved_signature(data: bytes) -> bytes:
    """The signature dictionary is written again behind the file, its ByteRange still naming the first place."""
    update = Update(data)
    _, length, second, _ = byte_range(data)
    number = update.seal.V.objgen[0]
    start = data.rindex(b"<<", 0, data.rindex(b"/ByteRange", 0, length))
    head = data.rindex(b"%d 0 obj" % number)
    body = data[data.index(b"<<", head) : data.index(b"endobj", second)].strip()
    if start < head:
        raise AssertionError("the signature is not where it was looked for")
    update.objects[number] = body
    return update.write()


def _appended_range(data: bytes) -> bytes:
    first, length, second, rest = byte_range(data)
    longer = data + b"990 0 obj\n<< /Evil true >>\nendobj\n" + data[second:]
    return with_byte_range(longer, b"[%d %d %d %d]" % (first, length, len(longer) - rest, rest))


def cases() -> Iterator[Case]:
    """All of both families."""
    for name, make, codes in _saving():
        of = "unlocked" if name == "complete-unlocked" else "final"
        yield Case(family="incremental-saving", name=name, make=make, codes=codes, expected=FAILED, of=of)
    for name, make, codes in _wrapping():
        yield Case(family="signature-wrapping", name=name, make=make, codes=codes)
