"""The one byte form of everything that is hashed or signed: RFC 8785 over a restricted JSON.

Restricted so that no two readers can disagree about a value: strings are in Unicode NFC and hold no lone
surrogates, numbers are integers of magnitude below 2**53, there are no floats (decimals travel as strings),
names are unique.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NoReturn, TypeAlias
from unicodedata import is_normalized

import rfc8785

from ledger.errors import NotCanonicalError

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

INTEGER_LIMIT = 2**53  # exclusive: RFC 7493 2.2, what an IEEE 754 double holds exactly
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
)
PLACE_LENGTH = 120  # characters of a path that an error message repeats
DEPTH_LIMIT = 64  # arrays and objects inside each other; far below the interpreter's own recursion limit


def canonical(value: JsonValue) -> bytes:
    """The canonical bytes of ``value`` (RFC 8785).

    Raises :class:`NotCanonicalError` outside the restricted form.
    """
    if _is_plain(value):
        try:
            return _ENCODER.encode(value).encode()
        except UnicodeEncodeError:  # a lone surrogate, which the check below names
            pass
    _check(value, "$", 0)
    return rfc8785.dumps(value)


def parse(data: bytes) -> JsonValue:
    """The value of canonical ``data``.

    Raises :class:`NotCanonicalError` on bytes that canonical() would not write.
    """
    try:
        value: JsonValue = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique_names,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except RecursionError:
        _refuse("$", "nesting deeper than the parser allows", f"at most {DEPTH_LIMIT} levels", "嵌套过深")
    except ValueError as error:
        _refuse("$", f"unreadable JSON ({error})", "UTF-8 JSON (RFC 8259)", "无法读取的 JSON")
    if canonical(value) != data:
        _refuse("$", "another spelling of the value", "its RFC 8785 bytes", "非规范写法")
    return value


def digest(domain: str, value: JsonValue) -> str:
    """``sha256:<hex>`` over the canonical form of ``value`` under a domain label, e.g.

    ``yinxin/terms/v1``.
    """
    return "sha256:" + sha256(canonical({"d": domain, "v": value})).hexdigest()


def _is_plain(value: object, level: int = 0) -> bool:
    """Whether the interpreter's own encoder writes RFC 8785 bytes of ``value``.

    It does for restricted JSON whose names are ASCII: it sorts by code point, RFC 8785 by UTF-16 code unit,
    and the two differ beyond ASCII only. Everything else is left to the library and to :func:`_check`.
    """
    if isinstance(value, str):
        return value.isascii() or is_normalized("NFC", value)
    if isinstance(value, dict):
        return level < DEPTH_LIMIT and _are_plain(value, level + 1)
    if isinstance(value, list | tuple):
        return level < DEPTH_LIMIT and all(_is_plain(member, level + 1) for member in value)
    if isinstance(value, int):
        return -INTEGER_LIMIT < value < INTEGER_LIMIT
    return value is None


def _are_plain(members: dict[object, object], level: int) -> bool:
    for name, member in members.items():
        if not (isinstance(name, str) and name.isascii() and _is_plain(member, level)):
            return False
    return True


def _check(value: object, where: str, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value, where)
    elif isinstance(value, dict | list | tuple):
        _check_members(value, where, depth + 1)
    elif isinstance(value, int):
        if not -INTEGER_LIMIT < value < INTEGER_LIMIT:
            _refuse(where, "an integer of magnitude 2**53 or more", "magnitude below 2**53", "整数过大")
    elif value is not None:
        found = f"a value of type {type(value).__name__}"
        _refuse(where, found, "string, integer, boolean, null, list or object", "不允许的类型")


def _check_members(value: dict[Any, Any] | list[Any] | tuple[Any, ...], where: str, depth: int) -> None:
    if depth > DEPTH_LIMIT:
        _refuse(where, "nesting too deep", f"at most {DEPTH_LIMIT} levels", "嵌套过深")
    if not isinstance(value, dict):
        for number, member in enumerate(value):
            _check(member, f"{where}[{number}]", depth)
        return
    for name, member in value.items():
        if not isinstance(name, str):
            _refuse(where, f"a name of type {type(name).__name__}", "names of type str", "名称不是字符串")
        _check_text(name, where)
        _check(member, f"{where}.{name}", depth)


def _check_text(text: str, where: str) -> None:
    if text.isascii():
        return
    if any("\ud800" <= character <= "\udfff" for character in text):
        _refuse(where, "a lone surrogate", "Unicode scalar values", "含孤立代理项")
    if not is_normalized("NFC", text):
        _refuse(where, "text that is not in NFC", "Unicode NFC", "文本未按 NFC 规范化")


def _unique_names(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate name in an object")
    return members


def _refuse_number(spelling: str) -> NoReturn:
    raise ValueError(f"number {spelling[:24]} is not an integer")


def _refuse(where: str, found: str, expected: str, zh: str) -> NoReturn:
    place = where if len(where) <= PLACE_LENGTH else where[:PLACE_LENGTH] + "…"
    place = place.encode("utf-8", "replace").decode("utf-8")
    raise NotCanonicalError(
        f"规范 JSON 在 {place} 处被拒绝：{zh}；应为：{expected}",
        f"canonical JSON at {place}: found {found}, expected {expected}",
    )
