"""What the bodies and parameters of all routes have in common."""

from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import date
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from registry.fields import Base64, Text, UtcTime
from registry.record import Record
from registry.row_guard import Stored
from sealing.administration.key_registration import KeyRequest

MOST: Final = 200
"""Entries of one page."""

R = TypeVar("R", bound=Record)
E = TypeVar("E")


Moment = Annotated[UtcTime, Field(strict=False, examples=["2026-01-01T00:00:00.000000Z"])]
"""A time in a JSON body: RFC 3339 text in UTC."""
Day = Annotated[date, Field(strict=False, examples=["2026-11-23"])]


class Body(BaseModel):
    """A request body: strict, nothing unknown."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Reasoned(Body):
    """A change, with the reason that the record keeps."""

    reason: Annotated[Text, Field(examples=["依据示例函〔2026〕1号"])]


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class Kept(Answer, Generic[R]):
    """A record as it stands: its version and the ledger entry that wrote it."""

    record: R
    version: int
    entry: int


def kept(stored: Stored[R]) -> Kept[R]:
    """The answer that shows a stored record."""
    return Kept(record=stored.record, version=stored.version, entry=stored.entry_index)


class Page(Answer, Generic[E]):
    """One page; ``next`` is the ``after`` of the following one, None at the end."""

    entries: list[E]
    next: str | None


def page_of(entries: Iterable[E], key: Callable[[E], str], *, after: str | None, limit: int) -> Page[E]:
    """A page of what is small enough to be read whole, in the order of ``key``."""
    ordered = sorted((entry for entry in entries if after is None or key(entry) > after), key=key)
    shown = ordered[:limit]
    return Page(entries=shown, next=key(shown[-1]) if len(ordered) > limit else None)


class KeyBody(Reasoned):
    """A public key on P-256 to register, and the paper that hands it over."""

    public_key: Annotated[Base64, Field(description="SubjectPublicKeyInfo, DER, base64")]
    document: Text
    valid_from: Moment | None = None
    valid_until: Moment | None = None

    def request(self) -> KeyRequest:
        """As the administration takes it."""
        return KeyRequest(
            public_key=b64decode(self.public_key),
            document=self.document,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )


Limit = Annotated[int, Query(ge=1, le=MOST, description="entries of one page")]
After = Annotated[str | None, Query(max_length=60, description="`next` of the page before")]
Id = Annotated[str, Path(max_length=60, pattern=r"^[a-z]{2,12}-[a-z2-7]{26}$")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        description="the caller's own name for this order; a repeat with the same key never seals twice",
        examples=["2026-11-23-000017"],
    ),
]
