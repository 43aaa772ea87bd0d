"""Numbers and names compared as they read, not as they were typed.

What is stored stays as given; comparison uses the folded form. Characters that only look like others
are refused where a number or a seal's name is given, since no folding can be complete.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_NUMBER = 64
"""The most characters that a number may have, as given and folded."""

_OPENING, _CLOSING = "[{〔【〖〘〚", "]}〕】〗〙〛"
_DASHES = "−─━‐‑‒–—―⁃﹘⸺⸻"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff" + "".join(map(chr, range(0xFE00, 0xFE10)))
_TABLE = {
    **dict.fromkeys(_OPENING, "("),
    **dict.fromkeys(_CLOSING, ")"),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys("•‧・∙⋅", "·"),
    **dict.fromkeys(_INVISIBLE, ""),
}
_IN_TABLE = re.compile(f"[{re.escape(''.join(_TABLE))}]")  # three times as fast as str.translate
_DASH_RUN = re.compile("-(?: ?-)+")  # “——” is one Chinese dash, and a line may break inside it


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """Why a text is refused, in Chinese and English."""

    zh: str
    en: str


def _fold_once(text: str) -> str:
    plain = _IN_TABLE.sub(lambda found: _TABLE[found[0]], unicodedata.normalize("NFKC", text))
    return _DASH_RUN.sub("-", " ".join(plain.casefold().split()))


def fold_line(text: str) -> str:
    """Fold width, brackets, dashes and case; leave one space for any gap between words."""
    folded = _fold_once(text)
    while folded != text:  # one pass can make new work for NFKC; a few reach the fixed point
        text, folded = folded, _fold_once(folded)
    return folded


def fold(text: str) -> str:
    """The form in which numbers and names are compared; folding it again changes nothing.

    NFKC, then one form for the brackets 〔〕［］（）【】 and for all dashes, no spaces, no case.
    """
    folded = fold_line(text).replace(" ", "")
    while folded != text:  # closing a gap can bring a letter and its mark, or two dashes, together
        text, folded = folded, fold_line(folded).replace(" ", "")
    return folded


def is_han(character: str) -> bool:
    """Whether this is a Chinese character proper: no radical, kana, or compatibility form."""
    return character == "〇" or unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH-")


_REFUSED_CATEGORIES = {
    "Cc": ("控制字符", "a control character"),
    "Cf": ("不可见的格式字符或双向控制字符", "an invisible formatting or bidirectional character"),
    "Co": ("自造（专用区）字符", "a private-use character"),
    "Cs": ("代理码位", "a lone surrogate"),
    "Cn": ("未定义的字符", "an unassigned character"),
    "Zl": ("行分隔符", "a line separator"),
    "Zp": ("段分隔符", "a paragraph separator"),
    "Mn": ("组合附加符号", "a combining mark"),
    "Mc": ("组合附加符号", "a combining mark"),
    "Me": ("组合附加符号", "a combining mark"),
}
_PUNCTUATION = "·、。"


def find_lookalike(text: str) -> Lookalike | None:
    """The first reason not to trust the look of ``text``, or ``None``.

    After folding only Chinese characters, ASCII and a few marks may remain: Cyrillic А, kana カ (力), a
    Kangxi-like radical or a division slash would read as another number than it is.
    """
    for character in text:
        refused = _REFUSED_CATEGORIES.get(unicodedata.category(character))
        if refused:
            point = f"U+{ord(character):04X}"
            return Lookalike(zh=f"含{refused[0]} {point}", en=f"holds {refused[1]} {point}")
    for character in fold(text):
        if not (" " < character < "\x7f" or character in _PUNCTUATION or is_han(character)):
            point = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
            return Lookalike(
                zh=f"含易混字符 {point}，应只用汉字、拉丁字母、数字和常用标点",
                en=f"holds {point}, which looks like another character; Chinese characters, Latin letters, "
                "digits and common punctuation are expected",
            )
    return None


def refuse_lookalikes(text: str) -> str | None:
    """The reason to refuse ``text`` in Chinese and English (``"zh / en"``), or ``None`` to accept it."""
    found = find_lookalike(text)
    return f"{found.zh} / {found.en}" if found else None


def is_seal_name(name: str) -> bool:
    """Whether ``name`` is Chinese characters and a number in brackets, as （12）, and nothing else."""
    head, bracket, number = name.partition("（")
    return bool(head and bracket) and all(map(is_han, head)) and bool(re.fullmatch("[1-9][0-9]*）", number))


_KEPT_IN_KEY = re.compile(r"[0-9]+|[a-z]+|[^\W0-9a-z_]")  # a run of digits, a word, one Chinese character
_COUNTER = re.compile(r"第(?=\(?[0-9])|(?<=[0-9])\)?[号號]")


def _tokens(number: str) -> tuple[str, ...]:
    said = _COUNTER.sub(" ", fold(number))
    return tuple(found.lstrip("0") or "0" if found[0].isdigit() else found for found in _KEPT_IN_KEY.findall(said))


_GOES_ON = re.compile(r"[0-9]\)?[号號](?!$|之|-|\()")  # 7号之一, 7号-1 and 7号（补） are numbers
_ENDS_WHOLE = re.compile("[0-9a-z)>》〉号號]$|之[一二三四五六七八九十]+$")


def number_key(number: str) -> str:
    """The form in which two numbers are the same number: what is left when all punctuation is gone.

    Tokens with a space between: runs of digits without leading zeros, Latin words, single Chinese
    characters. 第 before and 号 after digits are left out. 兴审批〔2026〕07号 has the key ``兴 审 批 2026 7``.
    """
    return " ".join(_tokens(number))


_YEAR = 4  # digits that many numbers share


def may_be_same(one: str, other: str) -> bool:
    """Whether two keys may be read off one printed number: one is a piece of the other, or they overlap.

    7 is no piece of 17, but it is one of 兴审批〔2026〕7号. 编号兴审批〔2026〕7号 and 审批〔2026〕7号（正本）
    overlap: with a digit, and in two tokens or in five digits, else 26-1 would stand in the way of 26-26.
    """
    if f" {one} " in f" {other} " or f" {other} " in f" {one} ":
        return True
    if len(digit_runs(one)) != len(digit_runs(other)) and one.replace(" ", "") == other.replace(" ", ""):
        return True  # the brackets of the year left out: 兴审批20267号
    first, second = one.split(" "), other.split(" ")
    return _runs_on(first, second) or _runs_on(second, first)


def _runs_on(first: list[str], second: list[str]) -> bool:
    return any(
        first[-length:] == second[:length]
        and any(token[0].isdigit() for token in second[:length])
        and (length > 1 or len(second[0]) > _YEAR)
        for length in range(1, min(len(first), len(second)))
    )


def digit_runs(key: str) -> tuple[str, ...]:
    """The runs of digits in a key, in order. A part of a number has no run that the number does not have."""
    return tuple(token for token in key.split(" ") if token[:1].isdigit())


def malformed_number(number: str) -> Lookalike | None:
    """Why ``number`` cannot be the whole of a number as printed, or ``None``."""
    folded = fold(number)
    if not digit_runs(number_key(number)):
        return Lookalike(zh="没有数字，应至少有一个", en="has no digit, expected at least one")
    if not (_can_begin(folded[0], "(<《〈") and _can_begin(folded[-1], ")>》〉")):
        return Lookalike(
            zh="首尾有标点，应首尾均为文字、数字或括号",
            en="begins or ends with punctuation, expected a character, a digit or a bracket at both ends",
        )
    if _GOES_ON.search(folded) or not _ENDS_WHOLE.search(folded):
        return Lookalike(
            zh="末尾不是编号，应止于数字、字母、括号、“号”或“之一”",
            en="goes on after the number, expected to end with a digit, a letter, a bracket, 号 or 之一",
        )
    if not _is_paired(folded):
        return Lookalike(zh="括号不成对，应写全编号", en="has an unpaired bracket, expected the whole number")
    return None


def _is_paired(folded: str) -> bool:
    depth = 0
    for character in folded:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _can_begin(character: str, brackets: str) -> bool:
    return character in brackets or is_han(character) or (character.isascii() and character.isalnum())


_QUANTITY = re.compile(r"[0-9]{1,9}(?:\.[0-9]+)?")
# "No" or "№" (folded to "no") is the one Latin word that a number may follow without a gap.
_NOT_AFTER_WORD = r"(?:(?<![0-9a-z])|(?<=(?<![0-9a-z])no))"
_STARTS_WITH_DIGIT = _NOT_AFTER_WORD + r"(?<![0-9][.,])"
_ENDS_WITH_DIGIT = r"(?![0-9])(?!\.[0-9])(?!,[0-9]{3}(?![0-9]))"
_STARTS_NUMBER = _NOT_AFTER_WORD + r"(?<![0-9a-z]-)(?<![0-9]\.)"
_ENDS_NUMBER = r"(?![0-9a-z])(?!-[0-9a-z])(?!\.[0-9])"


def _mark_commas(text: str) -> str:
    # A wide comma ends a clause and never groups digits, so it must not fold into one that does.
    return text.replace("，", "、")


@lru_cache(maxsize=1)  # one document is asked for many values
def _searchable(text: str) -> str:
    return fold_line(_mark_commas(text))


def _quantity_pattern(value: str) -> str:
    """A quantity may break around its point, never between digits: cells “2” and “2.5” are not 22.5."""
    whole, point, decimals = value.partition(".")
    middle = rf" ?\. ?{decimals}" if point else ""
    return f"{_STARTS_WITH_DIGIT}{whole}{middle}{_ENDS_WITH_DIGIT}"


def _other_pattern(value: str) -> str:
    """Names and numbers may be broken anywhere; Latin letters and digits at the ends must end there."""
    before = _STARTS_NUMBER if value[0].isascii() and value[0].isalnum() else ""
    after = _ENDS_NUMBER if value[-1].isascii() and value[-1].isalnum() else ""
    return before + " ?".join(map(re.escape, value)) + after


def states(text: str, value: str) -> bool:
    """Whether ``value`` stands in ``text`` as a whole, however it is typed and wherever lines break.

    22.5 stands neither in 122.5 nor in 22.55 nor in 1,022.5; （2026）12 does not stand in 〔2026〕123号.
    A blank value stands nowhere.
    """
    folded = fold(_mark_commas(value))
    if not folded:
        return False
    pattern = _quantity_pattern(folded) if _QUANTITY.fullmatch(folded) else _other_pattern(folded)
    return re.search(pattern, _searchable(text)) is not None


_NOT_INSIDE_BEFORE = r"(?<![)\]])"
_NUMBER_BEFORE_DIGIT = _STARTS_NUMBER + r"(?<![(<《〈第/])(?<![)第/-] )"
_NUMBER_BEFORE_BRACKET = r"(?<![0-9a-z\u3007\u3400-\u9fff])"
_HAN = r"[\u3007\u3400-\u9fff]"
_NUMBER_AFTER_DIGIT = (
    _ENDS_NUMBER + rf"(?!{_HAN}{{1,3}}[0-9a-z(])" + r"(?! ?\)? ?[号號])(?! ?\( ?[0-9a-z])(?!\)[0-9a-z第])(?!/[0-9a-z])"
)
_NUMBER_AFTER_BRACKET = (
    r"(?! ?第? ?[号號])(?!第?[0-9a-z])" + rf"(?!{_HAN}{{1,6}}[0-9])"
)  # after a gap a digit is the next cell
_NUMBER_AFTER_COUNTER = r"(?!之|-[0-9a-z]|[0-9a-z])"


def _whole_number_pattern(number: str) -> str:
    """The number, and around it nothing that reads on: no digit, bracket, 第 or 号 of the same number."""
    first, last = number[0], number[-1]
    before, after = "", _NUMBER_AFTER_COUNTER
    if first.isascii() and first.isalnum():
        before = _NUMBER_BEFORE_DIGIT
    elif first == "(":
        before = _NUMBER_BEFORE_BRACKET
    if last.isascii() and last.isalnum():
        after = _NUMBER_AFTER_DIGIT
    elif last == ")":
        after = _NUMBER_AFTER_BRACKET
    return _NOT_INSIDE_BEFORE + before + " ?".join(map(re.escape, number)) + after


def states_number(text: str, number: str) -> bool:
    """Whether ``number`` stands in ``text`` as the whole of a number, wherever lines break.

    Neither 7号 nor 〔2026〕7号 nor 兴审批〔2026〕7 stands in 兴审批〔2026〕7号. Where a line breaks, or Chinese
    characters stand before, nobody can tell label from number: 审批〔2026〕7号 does stand there. So what was
    used once must also be compared by :func:`may_be_same`.
    """
    folded = fold(_mark_commas(number))
    return bool(folded) and re.search(_whole_number_pattern(folded), _searchable(text)) is not None
