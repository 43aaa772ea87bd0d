"""How one visitor reads: the language and the size of the text, carried in the address and never in a cookie."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from starlette.requests import Request

Language = Literal["zh", "en"]
TAGS: Final[dict[Language, str]] = {"zh": "zh-CN", "en": "en"}
"""BCP 47, for ``lang`` attributes."""
_LANGUAGES: Final[dict[str, Language]] = {"zh": "zh", "en": "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was chosen; ``chosen`` is None where the browser's own preference was followed."""

    language: Language
    large: bool = False
    chosen: Language | None = None

    @property
    def tag(self) -> str:
        """The language as a tag."""
        return TAGS[self.language]

    @property
    def other(self) -> Language:
        """The language that is not chosen."""
        return "zh" if self.language == "en" else "en"

    @property
    def other_tag(self) -> str:
        """That language as a tag."""
        return TAGS[self.other]

    def link(self, path: str) -> str:
        """``path``, read the same way."""
        return _address(path, self.chosen, large=self.large)

    def in_language(self, path: str, language: Language) -> str:
        """``path`` in another language."""
        return _address(path, language, large=self.large)

    def in_size(self, path: str, *, large: bool) -> str:
        """``path`` with large or ordinary text."""
        return _address(path, self.chosen, large=large)


def reading_of(request: Request) -> Reading:
    """By ``?lang=`` and ``?text=large``, else by Accept-Language; Chinese unless English is liked better."""
    chosen = _LANGUAGES.get(request.query_params.get("lang", ""))
    liked = _liked(request.headers.get("accept-language", ""))
    return Reading(language=chosen or liked, large=request.query_params.get("text") == "large", chosen=chosen)


def _liked(header: str) -> Language:
    quality: dict[Language, float] = {"zh": 0.0, "en": 0.0}
    for part in header.split(",")[:20]:
        tag, _, parameter = part.strip().lower().partition(";")
        language = _LANGUAGES.get(tag.partition("-")[0])
        if language is not None:
            quality[language] = max(quality[language], _quality(parameter))
    return "en" if quality["en"] > quality["zh"] else "zh"


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return min(max(float(value), 0.0), 1.0) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _address(path: str, language: Language | None, *, large: bool) -> str:
    query = ({"lang": language} if language else {}) | ({"text": "large"} if large else {})
    return f"{path}?{urlencode(query)}" if query else path
