"""Which operators a content stream has, as far as a page needs a closer look because of them (ISO 32000-2 8, 9).

Not an interpreter: what is found here only decides whether the page is looked at object by object, so a
false alarm costs a millisecond, and a miss would hide something.
"""

import re

_EDGE, _AFTER = rb"[\s\x00()<>\[\]{}]", rb"(?=[\s\x00()<>\[\]{}/%]|\Z)"
# Operators as whole words. What stands before is looked at after the first letter: four times as fast.
SHOWS = re.compile(rb"(?:T[Jj](?<=" + _EDGE + rb"..)|['\"](?<=" + _EDGE + rb"['\"]))" + _AFTER, re.DOTALL)
_PAINTS = re.compile(
    rb"(?:[fFBb](?<=" + _EDGE + rb"[fFBb])\*?|(?:sh|Do|BI)(?<=" + _EDGE + rb"[sDB].))" + _AFTER, re.DOTALL
)
_INLINE_IMAGE = re.compile(rb"BI(?<=" + _EDGE + rb"BI)" + _AFTER)
# A text rendering mode that is not plainly 0, 1 or 2, which paint.
_MODE = re.compile(rb"Tr(?<=" + _EDGE + rb"Tr)(?<!" + _EDGE + rb"[012][\s\x00]Tr)" + _AFTER)
_DRAWS = re.compile(rb"Do(?<=" + _EDGE + rb"Do)" + _AFTER)
_ONE = rb"1(?:\.0*)?[\s\x00]+"
_WHITE = re.compile(rb"1(?<=" + _EDGE + rb"1)(?:\.0*)?[\s\x00]+(?:g|scn?|(?:" + _ONE + rb"){2}(?:rg|scn?))" + _AFTER)
_NO_INK = re.compile(rb"0 0 0 0[\s\x00]+(?:k|scn?)" + _AFTER)
# What is no operator: comments, strings with parentheses nested up to two deep, hexadecimal strings.
_QUOTED = re.compile(
    rb"%[^\r\n]*"
    rb"|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*+\))*+\))*+\)"
    rb"|<[0-9A-Fa-f\s]*>",
    re.DOTALL,
)


def gives_reason(content: bytes, *, forms_show: bool = False) -> bool:
    """Whether operators, looked for first in everything and then outside strings and comments, ask for a look.

    With ``forms_show`` a form may be what shows the text.
    """
    if not _has_operators(content, forms_show=forms_show):
        return False
    bare = _QUOTED.sub(b" ", content)
    # A parenthesis that is left, or an inline image, may have misled the search: look.
    misled = b"(" in bare or b")" in bare or bool(_INLINE_IMAGE.search(content))
    return misled or _has_operators(bare, forms_show=forms_show)


def _has_operators(content: bytes, *, forms_show: bool) -> bool:
    if _MODE.search(content) or _WHITE.search(content) or _NO_INK.search(content):
        return True
    first = SHOWS.search(content)
    start = first.end() if first else len(content)
    if forms_show and (drawn := _DRAWS.search(content)):
        start = min(start, drawn.end())
    return bool(_PAINTS.search(content, start))
