"""A strict reader of PDF syntax (ISO 32000-2 7.2, 7.3): where a value begins and ends, and nothing forgiven.

Readers differ in what they repair. What this one does not understand is a :class:`SyntaxFaultError`, never skipped.
"""

import mmap
import re
from dataclasses import dataclass, field
from typing import Literal, NoReturn

FileBytes = bytes | mmap.mmap

Kind = Literal["name", "string", "hex", "number", "reference", "word", "array", "dictionary"]

_SPACE = re.compile(rb"[\x00\t\n\x0c\r ]*")
_NAME = re.compile(rb"/([^\x00\t\n\x0c\r ()<>\[\]{}/%]*)")
_HEX = re.compile(rb"<([0-9A-Fa-f\x00\t\n\x0c\r ]*)>")
_REFERENCE = re.compile(rb"(\d{1,10})[\x00\t\n\x0c\r ]+(\d{1,5})[\x00\t\n\x0c\r ]+R(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")
_NUMBER = re.compile(rb"[+-]?(?:\d{1,20}\.?\d{0,20}|\.\d{1,20})(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")
_WORD = re.compile(rb"(true|false|null)(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])")
_STRING_STEP = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_DEEPEST = 64


class SyntaxFaultError(Exception):
    """Not the syntax that was expected at this offset."""

    def __init__(self, at: int, expected: str) -> None:
        super().__init__(f"offset {at}: {expected} expected")
        self.at, self.expected = at, expected


@dataclass(frozen=True, slots=True)
class Value:
    """One value and where it stands. ``text``: a name decoded, else the bytes as written (containers: empty)."""

    kind: Kind
    start: int
    end: int
    text: bytes = b""
    members: dict[bytes, "Value"] = field(default_factory=dict)
    items: tuple["Value", ...] = ()

    def integer(self) -> int:
        """The value as an integer. Raises :class:`SyntaxFaultError`."""
        if self.kind != "number" or not self.text.isdigit():
            fault(self.start, "a whole number")
        return int(self.text)


def fault(at: int, expected: str) -> NoReturn:
    """Raise a fault."""
    raise SyntaxFaultError(at, expected)


def skip_space(data: FileBytes, at: int) -> int:
    """The offset behind white space. Comments are no white space here: they could hide anything."""
    found = _SPACE.match(data, at)
    return found.end() if found else at


def read_value(data: FileBytes, at: int, depth: int = 0) -> Value:
    """The value that begins at ``at`` or behind white space there. Raises :class:`SyntaxFaultError`."""
    at = skip_space(data, at)
    if depth > _DEEPEST:
        fault(at, f"at most {_DEEPEST} levels")
    first = data[at : at + 1]
    if data[at : at + 2] == b"<<":
        return _dictionary(data, at, depth)
    if first == b"[":
        return _array(data, at, depth)
    if first == b"(":
        return _string(data, at)
    return _simple(data, at)


def _simple(data: FileBytes, at: int) -> Value:
    if found := _NAME.match(data, at):
        return Value("name", at, found.end(), decode_name(found[1]))
    if found := _HEX.match(data, at):
        return Value("hex", at, found.end(), found[1])
    if found := _REFERENCE.match(data, at):
        return Value("reference", at, found.end(), b"%d %d" % (int(found[1]), int(found[2])))
    if found := _NUMBER.match(data, at):
        return Value("number", at, found.end(), found[0])
    if found := _WORD.match(data, at):
        return Value("word", at, found.end(), found[1])
    fault(at, "a PDF value")


def decode_name(raw: bytes) -> bytes:
    """A name without its ``#xx`` escapes (7.3.5)."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw)


def _string(data: FileBytes, start: int) -> Value:
    depth, at = 0, start
    while found := _STRING_STEP.search(data, at):
        at = found.end()
        if found[0] == b"(":
            depth += 1
        elif found[0] == b")":
            depth -= 1
        if not depth:
            return Value("string", start, at, bytes(data[start + 1 : at - 1]))
    fault(start, "a string with its closing bracket")


def _array(data: FileBytes, start: int, depth: int) -> Value:
    items, at = [], skip_space(data, start + 1)
    while data[at : at + 1] != b"]":
        items.append(read_value(data, at, depth + 1))
        at = skip_space(data, items[-1].end)
    return Value("array", start, at + 1, items=tuple(items))


def _dictionary(data: FileBytes, start: int, depth: int) -> Value:
    members: dict[bytes, Value] = {}
    at = skip_space(data, start + 2)
    while data[at : at + 2] != b">>":
        key = read_value(data, at, depth + 1)
        if key.kind != "name" or key.text in members:
            fault(at, "a key that is a name and stands once")
        value = read_value(data, key.end, depth + 1)
        members[key.text] = value
        at = skip_space(data, value.end)
    return Value("dictionary", start, at + 2, members=members)
