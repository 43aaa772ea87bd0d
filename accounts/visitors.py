"""Where a try or a session comes from, as far as the person should see it."""

from dataclasses import dataclass
from typing import Final

LONGEST_ADDRESS: Final = 64
LONGEST_BROWSER: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Address and what the browser says of itself; both as given, so cut and without control characters."""

    address: str
    browser: str

    @property
    def columns(self) -> dict[str, str]:
        """As they are stored."""
        return {"address": _plain(self.address, LONGEST_ADDRESS), "browser": _plain(self.browser, LONGEST_BROWSER)}


def _plain(text: str, longest: int) -> str:
    return "".join(each for each in text if each.isprintable())[:longest]
