"""One human, whatever number of accounts: a keyed hash of the identity number, which itself is never kept.

A plain hash could be undone by trying all numbers (birth dates and places leave few); the key prevents
that for everyone who does not hold it.
"""

import hmac
import re
from hashlib import sha256

from registry.errors import RecordInvalidError

_DOMAIN = b"yinxin/natural-person/v1\n"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]\Z")
_LEAST_SECRET = 32


def identity_check_character(first_seventeen: str) -> str:
    """The 18th character of 公民身份号码 (GB 11643-1999, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK[total % 11]


def natural_person(identity_number: str, secret: bytes) -> str:
    """``hmac-sha256:<64 hex>`` over the identity number.

    Raises :class:`RecordInvalidError` ``identity-number-invalid``; its message never holds the number.
    Raises ``ValueError`` when the secret is shorter than 32 bytes.
    """
    if len(secret) < _LEAST_SECRET:
        raise ValueError(f"the secret has {len(secret)} bytes, expected at least {_LEAST_SECRET}")
    number = identity_number.strip().upper()
    if not _SHAPE.match(number) or identity_check_character(number[:-1]) != number[-1]:
        raise RecordInvalidError(
            "identity-number-invalid",
            "公民身份号码须为18位且校验码正确",
            "expected an identity number of 18 characters with a right check character",
        )
    return "hmac-sha256:" + hmac.new(secret, _DOMAIN + number.encode(), sha256).hexdigest()
