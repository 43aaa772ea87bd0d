"""Every word of the pages in both languages: one table, made of one module for each area of the pages."""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from web import agreement_words, console_words, dashboard_words, public_words, register_words, ways_in_words
from web.reading import Language

AREAS: Final[tuple[ModuleType, ...]] = (
    public_words,
    agreement_words,
    console_words,
    dashboard_words,
    register_words,
    ways_in_words,
)
"""Modules with ``TEXTS`` and, where values of fields have words, ``VALUES``; a name stands in one of them only."""
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {name: text for area in AREAS for name, text in area.TEXTS.items()}
_VALUES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    kind: words for area in AREAS for kind, words in getattr(area, "VALUES", {}).items()
}

_LABELS: Final[Mapping[str, str]] = {name: word for area in AREAS for name, word in getattr(area, "LABELS", {}).items()}


class Words:
    """The words of one language, for templates: ``words("match")``, ``words.of("seal", "active")``."""

    def __init__(self, language: Language) -> None:
        self._column = 1 if language == "en" else 0

    def __call__(self, name: str, /, **members: object) -> str:
        """The text ``name`` with ``members`` filled in. A name that is not in the table is a mistake of ours."""
        text = _TEXTS[name][self._column]
        return text.format(**members) if members else text

    def of(self, kind: str, value: object) -> str:
        """The word for a value of a field; a value that has none stays as it is."""
        known = _VALUES[kind].get(str(value))
        return str(value) if known is None else known[self._column]

    def label(self, name: str) -> str:
        """How a field of a form, or a value to confirm, is called; a fact is called by its own name."""
        known = _LABELS.get(name, name)
        return self(known) if known in _TEXTS else name.removeprefix("fact.")
