"""The present status in words, and what of it must be said aloud."""

from collections.abc import Iterator, Mapping
from typing import Any

from verify.report_words import SOUND, UNKNOWN
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


def _state(name: str, value: str, status: Mapping[str, Any], words: Words) -> str:
    state = words.of(name, value)
    if name != "document":
        return state
    since, document = status.get("document_since"), status.get("document_by")
    told = words("since", state=state, day=since) if since else state
    return told + (words("by_document", document=document) if document else "")
