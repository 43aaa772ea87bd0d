"""The registered imprint of a No. 2 seal (印模): what its face says and in which proportions."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from signer.errors import SignerError

TITLE: Final = "行政审批专用章"
"""The words that every No. 2 seal carries [000 附件]."""

LARGEST_MM: Final = Decimal(45)
"""No seal of a bureau is larger: 4.5 cm is the size of a county or city government's own seal
(国发〔1999〕25号)."""
SMALLEST_MM: Final = Decimal(20)
"""Below this a name can no longer be read in print (our own limit)."""

LONGEST_GRANTOR: Final = 30
HIGHEST_NUMBER: Final = 999

_NAME = re.compile(rf"(?P<grantor>.+){TITLE}（(?P<number>[1-9][0-9]*)）", re.DOTALL)


class SpecimenError(SignerError):
    """The specimen cannot be the imprint of a No. 2 seal. Whoever registers the seal must correct it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportions:
    """How the elements of a face relate to its diameter. The defaults are customary, not quoted from a text.

    ``ring_mm`` is the width of the ring in millimetres; everything else is a share of the diameter: the
    radius of the star (a sixth), the height of the name on the arc, of the straight title and of the
    number. The name is lowered by the drawing when it is too long for its arc; the other heights are kept.
    """

    ring_mm: Decimal = Decimal("1.1")
    star: Decimal = Decimal(1) / Decimal(6)
    name: Decimal = Decimal("0.145")
    title: Decimal = Decimal("0.092")
    number: Decimal = Decimal("0.080")

    def __post_init__(self) -> None:
        """Refuse proportions that no engraver would use and the layout cannot hold."""
        _within("ring_mm", self.ring_mm, Decimal("0.5"), Decimal("1.5"))
        _within("star", self.star, Decimal("0.10"), Decimal("0.18"))
        _within("name", self.name, Decimal("0.09"), Decimal("0.16"))
        _within("title", self.title, Decimal("0.06"), Decimal("0.10"))
        _within("number", self.number, Decimal("0.06"), Decimal("0.09"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """The registered imprint of one seal.

    ``name`` is the grantor's legal name + 行政审批专用章（N）, with N equal to ``number`` [000 附件, 002
    附件3-1]; ``diameter_mm`` is 42 by default and never above 45; ``sample`` puts 样章 into the face, as
    every seal carries it whose certificate comes from the embedded authority. Raises
    :class:`SpecimenError`.
    """

    name: str
    number: int
    diameter_mm: Decimal = Decimal(42)
    sample: bool = False
    proportions: Proportions = field(default_factory=Proportions)

    def __post_init__(self) -> None:
        """Check the name against the number, the characters and the size."""
        match = _NAME.fullmatch(self.name)
        if match is None:
            raise SpecimenError(
                "seal-name-malformed",
                f"印章名称为“{self.name}”，应为“单位法定名称{TITLE}（编号）”",
                f'seal name is "{self.name}", expected the grantor\'s legal name followed by {TITLE}（N）',
            )
        _check_number(self.number, match["number"])
        _check_grantor(match["grantor"])
        _within("diameter_mm", self.diameter_mm, SMALLEST_MM, LARGEST_MM)
        # A wider ring would push the name into the middle of a small seal.
        _within("ring_mm", self.proportions.ring_mm, Decimal(0), self.diameter_mm / 18)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Specimen":
        """From ``name``, ``number``, ``diameter_mm`` (decimal text) and ``sample``. Raises :class:`SpecimenError`."""
        return cls(
            name=value["name"],
            number=value["number"],
            diameter_mm=Decimal(value["diameter_mm"]),
            sample=value["sample"],
        )

    @property
    def grantor(self) -> str:
        """The name on the arc: the grantor's legal name."""
        return self.name[: self.name.rindex(TITLE)]

    @property
    def number_text(self) -> str:
        """The number as it stands in the face, in full-width brackets: ``（12）``."""
        return f"（{self.number}）"


def _check_number(number: int, written: str) -> None:
    if not 1 <= number <= HIGHEST_NUMBER:
        raise SpecimenError(
            "seal-number-out-of-range",
            f"印章编号为{number}，应在1至{HIGHEST_NUMBER}之间",
            f"seal number is {number}, expected 1 to {HIGHEST_NUMBER}",
        )
    if str(number) != written:
        raise SpecimenError(
            "seal-number-mismatch",
            f"印章名称中的编号为{written}，应为{number}",
            f"the number in the seal name is {written}, expected {number}",
        )


def _check_grantor(grantor: str) -> None:
    if len(grantor) > LONGEST_GRANTOR:
        raise SpecimenError(
            "seal-name-too-long",
            f"单位名称为{len(grantor)}字，最多{LONGEST_GRANTOR}字",
            f"the grantor's name has {len(grantor)} characters, expected at most {LONGEST_GRANTOR}",
        )
    for character in grantor:
        if not _is_han(character):
            raise SpecimenError(
                "seal-name-not-han",
                f"单位名称含有“{character}”（U+{ord(character):04X}），应全部为汉字",
                f'found "{character}" (U+{ord(character):04X}) in the grantor\'s name, expected Han only',
            )


def _is_han(character: str) -> bool:
    # Radicals (U+2F8F) and compatibility ideographs (U+FA08) look like 行 and are other characters: with
    # them, two seals of one look could have two names.
    return unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH") or character == "〇"


def _within(field: str, value: Decimal, least: Decimal, most: Decimal) -> None:
    if not least <= value <= most:
        raise SpecimenError(
            "specimen-out-of-range",
            f"印模参数{field}为{value}，应在{least}至{most}之间",
            f"specimen field {field} is {value}, expected {least} to {most}",
        )
