"""All objects of a file as plain data, object streams opened, names decoded.

qpdf reads; its JSON (version 2) is the plain data: names start with ``/``, strings with ``u:`` or ``b:``,
a reference is ``12 0 R``. Stream data stays in the file.
"""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import pikepdf
from pikepdf.settings import set_qpdf_limits

from signer.errors import DocumentRejectedError
from signer.examination.envelope import FileBytes, broken_xref

Value = Any  # JSON as qpdf writes it
Dict = dict[str, Value]

MOST_DECODED = 64 * 1024 * 1024
_MOST_OBJECTS = 500_000
_MOST_HOPS = 32
WRONG_SIZE = "reported number of objects"  # qpdf's warning of a trailer's /Size that misleads nobody

# For the whole process, as qpdf has no other way; workers do nothing else with it.
set_qpdf_limits(
    flate_max_memory=MOST_DECODED,
    run_length_max_memory=MOST_DECODED,
    png_max_memory=MOST_DECODED,
    tiff_max_memory=MOST_DECODED,
    max_stream_filters=8,
    parser_max_nesting=100,
)


@dataclass(frozen=True, slots=True)
class Found:
    """One dictionary and the object it stands in."""

    owner: str
    dictionary: Dict
    is_stream: bool


@dataclass(slots=True)
class Document:
    """``objects`` by ``number generation``; a stream's value is its dictionary and its key is in ``streams``."""

    data: FileBytes
    pdf: pikepdf.Pdf
    trailer: Dict
    objects: dict[str, Value] = field(default_factory=dict)
    streams: set[str] = field(default_factory=set)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Where a stream's raw data stands in the file, filled by ``layout``."""
    offsets: dict[str, int] = field(default_factory=dict)
    """Where an object stands in the file, or the object stream that holds it; filled by ``layout``."""
    found: list[Found] = field(default_factory=list)
    """What ``dictionaries`` answers, walked once."""

    def resolve(self, value: Value) -> Value:
        """The value itself, references followed; null when they lead nowhere or in a circle."""
        for _ in range(_MOST_HOPS):
            if not is_reference(value):
                return value
            value = self.objects.get(value[:-2])
        return None

    def get(self, dictionary: Dict, key: str) -> Value:
        """``dictionary[key]`` resolved, or None."""
        return self.resolve(dictionary.get(key))

    def is_stream(self, value: Value) -> bool:
        """Whether ``value`` refers to a stream."""
        return is_reference(value) and value[:-2] in self.streams

    def name(self, dictionary: Dict, key: str) -> str:
        """``dictionary[key]`` resolved where it is a name, else an empty string."""
        value = self.get(dictionary, key)
        return value if isinstance(value, str) else ""

    def dictionary(self, value: Value) -> Dict:
        """``value`` resolved where it is a dictionary, else an empty one."""
        found = self.resolve(value)
        return found if isinstance(found, dict) else {}

    def array(self, value: Value) -> list[Value]:
        """``value`` resolved where it is an array, else an empty one."""
        found = self.resolve(value)
        return found if isinstance(found, list) else []

    @property
    def root(self) -> Dict:
        """The catalog."""
        return self.dictionary(self.trailer.get("/Root"))

    def dictionaries(self) -> list[Found]:
        """Every dictionary of every object, whether anything refers to it or not."""
        if not self.found:
            self.found.extend(_inside("trailer", self.trailer, is_stream=False))
            for name, value in self.objects.items():
                self.found.extend(_inside(name, value, is_stream=name in self.streams))
        return self.found

    def decoded(self, name: str) -> bytes:
        """A stream's decoded data. Raises DocumentRejectedError when it is too long or cannot be decoded."""
        number, generation = name.split()
        try:
            return bytes(self.pdf.get_object(int(number), int(generation)).read_bytes())
        except (pikepdf.PdfError, RuntimeError, ValueError, MemoryError) as error:
            raise DocumentRejectedError(
                "stream-undecodable",
                f"对象 {name} 的数据流无法解码，或解码后超过 {MOST_DECODED} 字节",
                f"The stream of object {name} cannot be decoded, or to more than {MOST_DECODED} bytes",
            ) from error


def is_reference(value: Value) -> TypeGuard[str]:
    """Whether ``value`` is ``12 0 R``: names and strings have their own first characters."""
    return isinstance(value, str) and value.endswith(" R") and value[0].isdigit()


def text(value: Value) -> str:
    """A text string (7.9.2.2) as text; bytes that are none are shown as hexadecimal digits."""
    if not isinstance(value, str):
        return ""
    return f"<{value[2:]}>" if value.startswith("b:") else value[2:]


def _inside(owner: str, value: Value, *, is_stream: bool) -> Iterator[Found]:
    if isinstance(value, dict):
        yield Found(owner, value, is_stream)
        waiting = list(value.values())
    else:
        waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield Found(owner, item, is_stream=False)
            waiting.extend(each for each in item.values() if isinstance(each, dict | list))
        elif isinstance(item, list):
            waiting.extend(each for each in item if isinstance(each, dict | list))


def open_pdf(source: Path | BinaryIO) -> pikepdf.Pdf:
    """The file opened without any repair. Raises DocumentRejectedError with encrypted or broken-xref."""
    try:
        pdf = pikepdf.open(source, attempt_recovery=False, inherit_page_attributes=False)
    except pikepdf.PasswordError:
        raise encrypted() from None
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError) as error:
        raise broken_xref("无法打开", "the file cannot be opened without repair") from error
    if pdf.is_encrypted:
        raise encrypted()
    return pdf


def encrypted() -> DocumentRejectedError:
    return DocumentRejectedError("encrypted", "文件已加密", "The file is encrypted")


def load(data: FileBytes, pdf: pikepdf.Pdf) -> Document:
    """Read every object. Raises DocumentRejectedError when qpdf cannot make sense of one."""
    text = io.BytesIO()
    try:
        if len(pdf.get_xref_table()) > _MOST_OBJECTS:
            raise DocumentRejectedError(
                "too-many-objects",
                f"对象超过 {_MOST_OBJECTS} 个",
                f"The file has more than {_MOST_OBJECTS} objects",
            )
        pdf.write_qpdf_json(
            text,
            decode_level=pikepdf.StreamDecodeLevel.none,
            json_stream_data=pikepdf._core.JSONStreamData.none,  # noqa: SLF001  pikepdf exports it nowhere else
        )
        _, entries = json.loads(text.getvalue())["qpdf"]
    except (pikepdf.PdfError, RuntimeError, ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    document = Document(data=data, pdf=pdf, trailer=entries.pop("trailer")["value"])
    for key, entry in entries.items():
        name = key[4:-2]
        if "stream" in entry:
            document.streams.add(name)
            document.objects[name] = entry["stream"]["dict"]
        else:
            document.objects[name] = entry["value"]
    return document


def _unreadable(message: str) -> DocumentRejectedError:
    if "oop detected" in message:
        return DocumentRejectedError("page-tree-loop", "页面树中有循环", "The page tree has a loop")
    return DocumentRejectedError("malformed", "文件中的对象无法读取", "An object of the file cannot be read")
