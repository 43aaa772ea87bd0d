"""What the page about a paper shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from sealing.paper_check import PaperCheck
from web.moments import moment
from web.present import alerts, states
from web.reading import Language
from web.words import Words

Row = tuple[str, str]
"""A label and what stands beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """The answer in words; ``alerts`` first, then ``rows`` to be compared with the paper."""

    code: str
    matches: bool
    rows: tuple[Row, ...]
    alerts: tuple[Row, ...]


def check_view(found: PaperCheck, language: Language) -> CheckView:
    """The page about ``found`` in one language."""
    words = Words(language)
    status = found.status or {}
    return CheckView(
        code=found.code,
        matches=found.matches,
        rows=tuple(_rows(found, words, language)) if found.matches else (),
        alerts=tuple(alerts(status, words)),
    )


def _rows(found: PaperCheck, words: Words, language: Language) -> Iterator[Row]:
    if found.item:
        yield words("item"), found.item
    if found.document_kind:
        yield words("document_kind"), words.of("kind", found.document_kind)
    if found.seal:
        yield words("seal"), found.seal
    if found.grantee:
        yield words("grantee"), found.grantee
    if found.sealed_at is not None:
        yield words("when"), moment(found.sealed_at, language)
    yield from states(found.status or {}, words)
