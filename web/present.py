"""The present status in words, and what of it must be said aloud."""

from collections.abc import Iterator, Mapping
from typing import Any

from ledger.moments import to_text
from verify.key_history import history_of
from verify.report_words import SOUND, UNKNOWN
from web.moments import moment
from web.reading import Language
from web.words import Words


def states(status: Mapping[str, Any], words: Words) -> Iterator[tuple[str, str]]:
    """Label and state of document, seal, agreement and certificate, as far as they are known."""
    for name in SOUND:
        value = status.get(name)
        if isinstance(value, str) and value != UNKNOWN:
            yield words(f"{name}_status"), _state(name, value, status, words)


def alerts(status: Mapping[str, Any], words: Words) -> Iterator[tuple[str, str]]:
    """Those of :func:`states` that are not as a reader would expect."""
    for name, sound in SOUND.items():
        value = status.get(name)
        if isinstance(value, str) and value not in {sound, UNKNOWN}:
            yield words(f"{name}_status"), _state(name, value, status, words)


def history(status: Mapping[str, Any], words: Words, language: Language) -> Iterator[tuple[str, str]]:
    """When the certificate was on hold, and its revocation, as the log tells them."""
    told, _ = history_of(status)
    for each in told.holds:
        start = moment(to_text(each.start), language)
        end = words("held_open") if each.end is None else moment(to_text(each.end), language)
        yield words("held"), words("held_from_to", start=start, end=end)
    if told.ended is not None:
        when, since = (moment(to_text(each), language) for each in (told.ended.time, told.ended.effective))
        yield words("revoked"), words("revoked_when", time=when, since=since)


def _state(name: str, value: str, status: Mapping[str, Any], words: Words) -> str:
    state = words.of(name, value)
    if name != "document":
        return state
    since, document = status.get("document_since"), status.get("document_by")
    told = words("since", state=state, day=since) if since else state
    return told + (words("by_document", document=document) if document else "")
