"""Times as people read them: Beijing time, to the minute."""

from datetime import datetime
from typing import Final

from registry.china_time import BEIJING
from web.reading import Language
from web.words import Words

_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def moment(time: datetime | str, language: Language) -> str:
    """``time`` (aware, or RFC 3339 as in a verdict) in Beijing, with its zone. Text that is no time stays as it is."""
    try:
        read = (datetime.fromisoformat(time) if isinstance(time, str) else time).astimezone(BEIJING)
    except ValueError:
        return str(time)
    clock = f"{read.hour:02}:{read.minute:02}"
    if language == "en":
        return Words(language)("beijing", time=f"{read.day} {_MONTHS[read.month - 1]} {read.year}, {clock}")
    return Words(language)("beijing", time=f"{read.year}年{read.month}月{read.day}日 {clock}")
