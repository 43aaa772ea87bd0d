"""统一社会信用代码: the 18-character code of an organ and its check character (GB 32100-2015)."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters; I, O, S, V and Z are left out because they look like digits or each other."""

_MODULUS = 31
_LENGTH = 18


def check_character(first_seventeen: str) -> str:
    """The 18th character for the first 17 (GB 32100-2015, clause 5.2.5: weights 3^i mod 31)."""
    total = sum(ALPHABET.index(character) * pow(3, place, _MODULUS) for place, character in enumerate(first_seventeen))
    return ALPHABET[-total % _MODULUS]


def check_organ_code(code: str) -> str:
    """Return ``code`` if it is well formed. Raises ``ValueError`` naming what was found and expected."""
    if len(code) != _LENGTH or any(character not in ALPHABET for character in code):
        raise ValueError(
            f"统一社会信用代码须为18位（数字和不含 I、O、S、V、Z 的大写字母），实为 {code!r} / "
            f"expected 18 characters (digits, capitals without I, O, S, V, Z), found {code!r}"
        )
    expected = check_character(code[:-1])
    if code[-1] != expected:
        raise ValueError(
            f"统一社会信用代码 {code} 校验码应为 {expected}，实为 {code[-1]} / "
            f"the check character of {code} should be {expected}, found {code[-1]}"
        )
    return code
