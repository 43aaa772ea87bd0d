"""One-time codes that a person is given to open an account or to recover it.

A code has 128 random bits, works once within 72 hours, and is shown once; only its digest is stored.
"""

from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_bytes
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from accounts.errors import EnrolmentError
from accounts.tables import enrolments
from ledger.moments import to_text
from policies.folding import fold

Purpose = Literal["open", "recover"]

LIFETIME: Final = timedelta(hours=72)
_BYTES: Final = 16
_GROUP: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What a code is for. ``made_by`` is the person who had it made."""

    person: str
    purpose: Purpose
    made_by: str


def make_code(connection: Connection, enrolment: Enrolment, now: datetime) -> str:
    """A new code, e.g. ``ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z`` (base32); earlier ones of the person end."""
    end_codes(connection, enrolment.person)
    text = b32encode(token_bytes(_BYTES)).decode("ascii").rstrip("=")
    connection.execute(
        insert(enrolments).values(
            digest=_digest(text),
            person=enrolment.person,
            purpose=enrolment.purpose,
            made_by=enrolment.made_by,
            made=to_text(now),
            expires=to_text(now + LIFETIME),
        )
    )
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def waiting_enrolment(connection: Connection, code: str, now: datetime) -> Enrolment | None:
    """What ``code`` is good for now, so that the right form is shown; None when for nothing."""
    query = select(enrolments.c.person, enrolments.c.purpose, enrolments.c.made_by).where(_good(code, now))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Enrolment(**row)


def take_code(connection: Connection, code: str, purpose: Purpose, now: datetime) -> Enrolment:
    """Use the code up; of two at once one gets it. Raises :class:`EnrolmentError` ``code-refused``."""
    taken = (
        update(enrolments)
        .where(_good(code, now), enrolments.c.purpose == purpose)
        .values(used=to_text(now))
        .returning(enrolments.c.person, enrolments.c.purpose, enrolments.c.made_by)
    )
    row = connection.execute(taken).mappings().one_or_none()
    if row is None:
        raise code_refused()
    return Enrolment(**row)


def end_codes(connection: Connection, person: str) -> None:
    """No code of the person works any more."""
    connection.execute(delete(enrolments).where(enrolments.c.person == person))


def code_refused() -> EnrolmentError:
    """The one answer for a code that is wrong, used, too old, or for something else."""
    return EnrolmentError(
        "code-refused",
        "一次性代码不正确、已用过或已超过72小时；请向管理员要一个新的",
        "the one-time code is wrong, was used or is older than 72 hours; please ask the administrator for a new one",
    )


def _good(code: str, now: datetime) -> ColumnElement[bool]:
    digest, used, expires = enrolments.c.digest, enrolments.c.used, enrolments.c.expires
    return (digest == _digest(code)) & used.is_(None) & (expires > to_text(now))


def _digest(code: str) -> bytes:
    """However the code was typed: without width, case, dashes and gaps."""
    return sha256(fold(code).replace("-", "").encode("utf-8", "replace")).digest()
