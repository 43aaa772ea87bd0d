"""The field types that records share: each holds only what restricted JSON can carry and people can read."""

import base64
import binascii
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StringConstraints

from ledger.ids import ID_PATTERN
from ledger.moments import to_text
from registry.organ_code import check_organ_code

_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}

json_time = to_text
"""RFC 3339 in UTC with ``Z`` and microseconds: the one form of a time in stored and signed JSON."""


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() != timedelta(0):
        raise ValueError(
            f"时间须为 UTC，实为 {moment.isoformat()} / expected a time in UTC, found {moment.isoformat()}"
        )
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:  # far enough from where date arithmetic ends
        raise ValueError(f"年份应为 2000 至 2999 / expected a year from 2000 to 2999, found {moment.year}")
    return moment.astimezone(UTC)


def _readable(text: str) -> str:
    for character in text:
        # Control, bidi and private-use characters make two texts look alike that are not.
        if unicodedata.category(character) in _FORBIDDEN and character != "\n":
            name = f"U+{ord(character):04X}"
            raise ValueError(f"含不可见或私用字符 {name} / holds the invisible or private-use character {name}")
    if unicodedata.normalize("NFC", text) != text:
        raise ValueError("文字未按 NFC 规范化 / text is not in NFC")
    if text != text.strip():
        raise ValueError("首尾有空白 / blank at the beginning or end")
    return text


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("不是 Base64 / not base64") from error
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("含换行 / holds a line break")
    return text


UtcTime = Annotated[datetime, AfterValidator(_utc), PlainSerializer(to_text, when_used="json")]
"""A moment in UTC."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_readable)]
"""Text for people: NFC, no control, bidi or private-use characters, not blank."""
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200), AfterValidator(_readable), AfterValidator(_one_line)
]
"""As :data:`Text`, in one line."""
OrganCode = Annotated[str, AfterValidator(check_organ_code)]
"""统一社会信用代码 with a right check character."""
RecordId = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN.pattern}$")]
"""An opaque id: a prefix that tells the kind, and 26 base32 letters."""
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Base64 = Annotated[str, StringConstraints(min_length=4, max_length=20000), AfterValidator(_base64)]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3})?$")]
"""GB/T 2260 (6 digits), for a township its statistical code (9 digits)."""
Millimetres = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,2})?$")]
"""A length as decimal text, because restricted JSON has no fractions."""


def _number(value: object) -> object:
    if isinstance(value, bool):  # True == 1, so the literal alone would take it
        raise ValueError("版本应为数字 1 / the version must be the number 1")  # noqa: TRY004  pydantic's contract
    return value


VersionOne = Annotated[Literal[1], BeforeValidator(_number)]
"""The version of a signed form."""
