"""Which of the forms on offer the caller likes best (RFC 9110 12.5.1)."""

from collections.abc import Sequence
from typing import Literal

from api.errors import NotAcceptableError

PDF, JSON, CSV, XML = "application/pdf", "application/json", "text/csv", "application/xml"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def preferred(accept: str | None, offers: Sequence[str]) -> str:
    """The offer with the highest quality, the first of equals. Raises :class:`NotAcceptableError`."""
    ranges = [_range(each) for each in (accept or "*/*").split(",")]
    qualities = {offer: _quality(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: qualities[offer])
    if qualities[best] <= 0:
        raise NotAcceptableError(
            "not-acceptable",
            f"可提供 {'、'.join(offers)}，Accept 均不包含",
            f"offered are {', '.join(offers)}; the Accept header takes none of them",
        )
    return best


def preferred_language(accept_language: str | None) -> Literal["zh", "en"]:
    """Chinese unless the caller likes English better (RFC 9110 12.5.4); every other language is nobody's wish here."""
    ranges = [_range(each) for each in (accept_language or "").split(",")]
    zh, en = (
        max((quality for kind, quality in ranges if kind.partition("-")[0] == name), default=0.0)
        for name in ("zh", "en")
    )
    return "en" if en > zh else "zh"


def _range(text: str) -> tuple[str, float]:
    kind, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return kind, min(max(float(quality), 0.0), 1.0)
    except ValueError:
        return kind, 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """By the most specific range that covers ``offer``."""
    for wanted in (offer, f"{offer.partition('/')[0]}/*", "*/*"):
        found = [quality for kind, quality in ranges if kind == wanted]
        if found:
            return max(found)
    return 0.0
