"""Where things lie in a prepared file. Imports nothing that parses PDF, so that it may stand beside keys."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

RESERVED_HEX_DIGITS = 32_768
"""Hex digits kept free for the CMS, which is half as many bytes."""
HOLE = b"<%s>" % (b"0" * RESERVED_HEX_DIGITS)
"""The value of ``/Contents`` before there is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Offsets and lengths in bytes; the contents run from ``<`` to ``>``, both counted."""

    source_length: int
    contents_offset: int
    contents_length: int
    byte_range: tuple[int, int, int, int]
    length: int

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, to cross the border of a worker process."""
        return asdict(self) | {"byte_range": list(self.byte_range)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Layout":
        """The reverse of :meth:`to_json`. Raises ``KeyError``, ``TypeError`` or ``ValueError`` otherwise."""
        first, before, after, rest = (int(each) for each in value["byte_range"])
        return cls(
            source_length=int(value["source_length"]),
            contents_offset=int(value["contents_offset"]),
            contents_length=int(value["contents_length"]),
            byte_range=(first, before, after, rest),
            length=int(value["length"]),
        )

    def consistent(self) -> bool:
        """Whether the byte range covers the whole file but the contents, which lie behind the source."""
        after = self.contents_offset + self.contents_length
        return (
            0 < self.source_length < self.contents_offset
            and self.contents_length == RESERVED_HEX_DIGITS + 2
            and self.byte_range == (0, self.contents_offset, after, self.length - after)
            and after < self.length
        )
