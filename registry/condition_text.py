"""The words a condition may use, and how its decimals become whole numbers.

A condition is CEL cut down to what an administrator needs and a reader can check: declared fields,
``== != < <= > >= in && || !``, brackets, lists, ``true``, ``false``, whole numbers, quoted text and
``decimal("15")``. Arithmetic, macros, conversions and floating point are left out: each of them can make
a condition mean something else than it says.

A decimal field is a CEL ``uint`` at a scale of one millionth, and ``decimal("15")`` is rewritten to
``15000000u`` in place (padded, so that line and column stay those of the text). CEL never compares
``uint`` with ``int`` or ``double``, so ``volume_m3 >= 15`` is found when the condition is published.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from registry.errors import RegistryError

FRACTION_DIGITS = 6
WHOLE_DIGITS = 12
LONGEST_CONDITION = 2000

_DECIMAL = re.compile(rf"(0|[1-9][0-9]{{0,{WHOLE_DIGITS - 1}}})(?:\.([0-9]{{1,{FRACTION_DIGITS}}}))?")
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<decimal>decimal\(\s*"(?P<digits>[^"\\\n]*)"\s*\))
      | (?P<text>"[^"\\\n]*")
      | (?P<number>-?[0-9]+(?![0-9A-Za-z_.]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>==|!=|<=|>=|<|>|&&|\|\||!|[()\[\],])
    """,
    re.VERBOSE,
)
_PLAIN_WORDS = frozenset({"in", "true", "false"})


class ConditionError(RegistryError):
    """The condition cannot be published as it is. Its author can correct it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word of a condition and where it stands."""

    kind: str
    text: str
    start: int


def fold(text: str) -> str:
    """Text as conditions compare it: NFKC (width of letters and brackets), outer spaces gone."""
    return unicodedata.normalize("NFKC", text).strip()


def scaled(text: str) -> int | None:
    """A decimal in millionths, exactly; None unless it has at most 12 whole and 6 further digits, no sign."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    whole, fraction = match.group(1), match.group(2) or ""
    return int(whole + fraction.ljust(FRACTION_DIGITS, "0"))


def refuse_at(text: str, start: int, zh: str, en: str) -> ConditionError:
    """An error that names line and column (from 1, in characters)."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return refuse_where(line, column, zh, en)


def refuse_where(line: int, column: int, zh: str, en: str) -> ConditionError:
    """An error at a known line and column."""
    return ConditionError("condition-invalid", f"第{line}行第{column}列：{zh}", f"{line}:{column}: {en}")


def tokens(text: str) -> Iterator[Token]:
    """Cut a condition into words. Raises :class:`ConditionError` at the first that is not allowed."""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            found = text[position]
            raise refuse_at(
                text,
                position,
                f'不能使用“{found}”，应为字段、比较、&& || ! in、"文字"、整数或 decimal("小数")',
                f'found {found!r}, expected a field, a comparison, && || ! in, "text", '
                f'a whole number or decimal("number")',
            )
        kind = match.lastgroup if match.lastgroup != "digits" else "decimal"
        if kind != "space":
            yield Token(kind=str(kind), text=match.group(), start=position)
        position = match.end()


def _check_word(text: str, token: Token, names: Collection[str]) -> None:
    if token.text in _PLAIN_WORDS or token.text in names:
        return
    known = ", ".join(sorted(names))
    raise refuse_at(
        text,
        token.start,
        f"“{token.text}”不是已声明的字段，已声明：{known}",
        f"{token.text!r} is not a declared field, declared: {known}",
    )


def _check_text(text: str, token: Token) -> None:
    literal = token.text[1:-1]
    if not literal or literal != fold(literal):
        raise refuse_at(
            text,
            token.start,
            f"文字应写成折叠后的形式“{fold(literal)}”且不为空，现为“{literal}”",
            f"text is compared folded: found {literal!r}, expected {fold(literal)!r}, not empty",
        )


def _whole(text: str, token: Token) -> str:
    digits = token.text[token.text.index('"') + 1 : token.text.rindex('"')]
    value = scaled(digits)
    if value is None:
        raise refuse_at(
            text,
            token.start,
            f"“{digits}”不是小数，应为至多{WHOLE_DIGITS}位整数、{FRACTION_DIGITS}位小数且不带符号",
            f"{digits!r} is not a decimal of at most {WHOLE_DIGITS} whole and {FRACTION_DIGITS} further "
            f"digits without a sign",
        )
    return f"{value}u".ljust(len(token.text))


def _check_list(text: str, members: list[Token]) -> None:
    """A list of mixed types would be dynamic in CEL, and a comparison with it is never found wrong."""
    kinds = {member.kind for member in members if member.text != ","}
    if len(kinds) != 1 or not kinds <= {"text", "number", "decimal"}:
        start = members[0].start if members else 0
        raise refuse_at(
            text,
            start,
            "列表应全为文字、全为整数或全为 decimal",
            "a list holds only texts, only whole numbers or only decimals",
        )


def _check_lists(text: str, words: list[Token]) -> None:
    members: list[Token] | None = None
    for word in words:
        if word.text == "[" and members is None:
            members = []
        elif word.text == "]" and members is not None:
            _check_list(text, members)
            members = None
        elif members is not None:
            members.append(word)


def rewrite(text: str, names: Collection[str]) -> tuple[str, frozenset[str]]:
    """The condition as CEL over scaled integers, as long as before, and the fields it uses.

    Raises :class:`ConditionError` naming line and column of what is not allowed.
    """
    if not 0 < len(text) <= LONGEST_CONDITION:
        raise refuse_at(
            text,
            0,
            f"条件长度应为1至{LONGEST_CONDITION}字符，现为{len(text)}",
            f"a condition has 1 to {LONGEST_CONDITION} characters, found {len(text)}",
        )
    words = list(tokens(text))
    _check_lists(text, words)
    rewritten = text
    for word in words:
        if word.kind == "word":
            _check_word(text, word, names)
        elif word.kind == "text":
            _check_text(text, word)
        elif word.kind == "decimal":
            end = word.start + len(word.text)
            rewritten = rewritten[: word.start] + _whole(text, word) + rewritten[end:]
    return rewritten, frozenset(word.text for word in words if word.text in names)
