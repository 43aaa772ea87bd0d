"""Where objects stand in the file: what the cross-reference data lists, and what stands there besides.

A second definition of an object is how a document changes its look later ("shadow document"): the
listed one is shown today, another after a few bytes are appended. Stream data is skipped by its stated
length, so a large image is not read.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from signer.errors import DocumentRejectedError
from signer.examination.document import Document
from signer.examination.envelope import broken_xref

_HEADER = re.compile(rb"(?<![0-9])(\d{1,10})[\s\x00]+(\d{1,5})[\s\x00]+obj(?![a-zA-Z])")
_MARK = re.compile(rb"(?<![0-9])(\d{1,10})[\s\x00]+(\d{1,5})[\s\x00]+obj(?![a-zA-Z])|%%EOF")
_STREAM = re.compile(rb"stream(\r\n|\n|\r)")
_AFTER_STREAM = re.compile(rb"\s{0,4}endstream")
_MOST_HEADER = 64
_IN_FILE = 1


@dataclass(slots=True)
class Layout:
    """``definitions``: every place where an object number is defined; ``ends``: each offset after a %%EOF."""

    definitions: dict[int, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    unlisted: list[tuple[str, int]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def repeated(self) -> dict[int, set[tuple[int, int]]]:
        """Object numbers that are defined at more than one place, with the places."""
        return {number: places for number, places in self.definitions.items() if len(places) > 1}


def lay_out(document: Document) -> Layout:
    """Scan the file outside its streams. Raises DocumentRejectedError where a listed object is not there."""
    layout = Layout()
    for (number, generation), entry in document.pdf.get_xref_table().items():
        if entry.type == _IN_FILE and entry.offset is not None:
            document.offsets[f"{number} {generation}"] = entry.offset
            layout.definitions[number].add((entry.offset, 0))
    _scan(document, layout, sorted((offset, name) for name, offset in document.offsets.items()))
    _open_object_streams(document, layout)
    return layout


def _scan(document: Document, layout: Layout, listed: list[tuple[int, str]]) -> None:
    starts = [offset for offset, _ in listed] + [len(document.data)]
    _scan_plain(document, layout, 0, starts[0])
    for index, (offset, name) in enumerate(listed):
        body = _check_header(document, offset, name)
        end = starts[index + 1]
        if name in document.streams:
            data_start, data_end = _stream_place(document, name, body, end)
            document.places[name] = (data_start, data_end)
            _scan_plain(document, layout, body, data_start)
            body = data_end
        _scan_plain(document, layout, body, end)


def _check_header(document: Document, offset: int, name: str) -> int:
    found = _HEADER.match(document.data[offset : offset + _MOST_HEADER].lstrip())
    if not found or name != f"{int(found[1])} {int(found[2])}":
        raise broken_xref(f"偏移 {offset} 处没有对象 {name}", f"object {name} is not at offset {offset}")
    return int(document.data.find(b"obj", offset)) + 3


def _stream_place(document: Document, name: str, start: int, end: int) -> tuple[int, int]:
    length = document.resolve(document.objects[name].get("/Length"))
    if isinstance(length, int) and length >= 0:
        at = start
        while (at := document.data.find(b"stream", at, end)) >= 0:
            found = _STREAM.match(document.data[at : at + 8])
            first = at + found.end() if found else at
            last = first + length
            if found and _AFTER_STREAM.match(document.data[last : last + 16]):
                return first, last
            at += 6
    raise DocumentRejectedError(
        "stream-length",
        f"对象 {name} 的数据流长度与声明不符",
        f"The stream of object {name} is not as long as it says",
    )


def _scan_plain(document: Document, layout: Layout, start: int, end: int) -> None:
    """Between listed objects and outside their streams: other objects, and ends of revisions."""
    text = document.data[start:end]
    at = 0
    while found := _MARK.search(text, at):
        at = found.end()
        if found[1] is None:
            layout.ends.append(start + at)
            continue
        number, generation = int(found[1]), int(found[2])
        layout.definitions[number].add((start + found.start(), 0))
        body_end = text.find(b"endobj", at)
        stream = _STREAM.search(text, at, body_end if body_end >= 0 else len(text))
        body = text[at : stream.start() if stream else body_end]
        if not (b"/XRef" in body and _is_followed(document, start + found.start())):
            layout.unlisted.append((f"{number} {generation}", start + found.start()))
        if stream:
            at = max(at, text.find(b"endstream", stream.end()))


def _is_followed(document: Document, offset: int) -> bool:
    """Whether something leads to a cross-reference stream at ``offset``, which need not list itself."""
    return bool(re.search(rb"(?:startxref|/Prev|/XRefStm)\s+0*%d(?!\d)" % offset, document.data))


def _open_object_streams(document: Document, layout: Layout) -> None:
    for name in document.streams:
        dictionary, offset = document.objects[name], document.offsets.get(name, 0)
        if document.get(dictionary, "/Type") != "/ObjStm":
            continue
        count = document.get(dictionary, "/N")
        first = document.get(dictionary, "/First")
        if not isinstance(count, int) or not isinstance(first, int):
            raise broken_xref(f"对象流 {name} 没有 /N 或 /First", f"object stream {name} has no /N or /First")
        numbers = document.decoded(name)[:first].split()[: 2 * count : 2]
        for index, number in enumerate(numbers):
            if not number.isdigit():
                raise broken_xref(f"对象流 {name} 的目录无效", f"object stream {name} has an invalid index")
            layout.definitions[int(number)].add((offset, index + 1))
            document.offsets.setdefault(f"{int(number)} 0", offset)
