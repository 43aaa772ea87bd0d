"""What the issuers of a path said of its certificates: lists and answers, given or brought by the file itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from authority.errors import OcspResponseError, RevocationListError
from authority.ocsp_response import OcspAnswer, read_response
from authority.revocation import RevocationList, Revoked, read_crl
from verify.times import Times

HOLD = "certificate_hold"
State = Literal["good", "good_then", "revoked", "stale", "unknown", "not_checked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one list or answer says of one certificate. ``given`` by whoever judges, else brought by the file."""

    status: Literal["good", "revoked", "unknown"]
    revoked: Revoked | None
    this_update: datetime
    next_update: datetime
    given: bool

    def current(self, at: datetime) -> bool:
        """Whether it is the issuer's present word at ``at``."""
        return self.this_update <= at <= self.next_update

    def speaks_for(self, used_at: datetime) -> bool:
        """Whether it tells about the use at ``used_at``: in force then, or issued since (EN 319 102-1 5.2.5)."""
        return used_at <= self.next_update


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What all words together say of one certificate; ``contradicted`` that a list after the revocation had it good.

    ``effective`` is since when it is not to be trusted, where that is told and not the time of the revocation.
    """

    state: State
    revoked: Revoked | None = None
    newest: Word | None = None
    contradicted: bool = False
    effective: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationData:
    """Lists and answers, DER or PEM (lists), each with whether it was ``given``. What is read is kept for next time."""

    crls: tuple[tuple[bytes, bool], ...] = ()
    ocsps: tuple[tuple[bytes, bool], ...] = ()
    _lists: dict[bytes, list[tuple[RevocationList, bool]]] = field(default_factory=dict, compare=False)
    _answers: dict[bytes, list[tuple[OcspAnswer, bool]]] = field(default_factory=dict, compare=False)

    def words(self, subject: x509.Certificate, issuer: x509.Certificate) -> list[Word]:
        """Everything that ``issuer``, or its own responder, says of ``subject``, oldest first."""
        serial, key = subject.serial_number, issuer.fingerprint(SHA256())
        lists = [_of_list(each, serial, given=given) for each, given in self._lists_of(issuer, key)]
        answers = [
            _of_answer(each, given=given) for each, given in self._answers_of(issuer, key) if each.serial == serial
        ]
        return sorted((*lists, *answers), key=lambda each: each.this_update)

    def _lists_of(self, issuer: x509.Certificate, key: bytes) -> list[tuple[RevocationList, bool]]:
        if key not in self._lists:
            self._lists[key] = list(_read_lists(self.crls, issuer))
        return self._lists[key]

    def _answers_of(self, issuer: x509.Certificate, key: bytes) -> list[tuple[OcspAnswer, bool]]:
        if key not in self._answers:
            found = _read_answers(self.ocsps, issuer)
            self._answers[key] = [each for each in found if self._may_answer(each[0], issuer, key)]
        return self._answers[key]

    def _may_answer(self, answer: OcspAnswer, issuer: x509.Certificate, key: bytes) -> bool:
        """A responder without id-pkix-ocsp-nocheck may itself have been revoked (RFC 6960 4.2.2.2.1)."""
        serial = answer.responder.serial_number
        return answer.vouched or not any(serial in each.revoked for each, _ in self._lists_of(issuer, key))


def standing(words: Sequence[Word], subject: x509.Certificate, *, now: datetime, times: Times) -> Standing:
    """How ``subject`` stands by ``words`` (oldest first), judged at ``now``, used at the times that are known."""
    revoked = _standing_revocation(words, now)
    if revoked is not None:
        again = any(each.status == "good" and revoked.time < each.this_update <= now for each in words)
        return Standing(state="revoked", revoked=revoked, contradicted=again and revoked.reason != HOLD)
    useful = [each for each in words if each.this_update <= subject.not_valid_after_utc]
    newest = useful[-1] if useful else None
    if newest is None:
        return Standing(state="not_checked")
    current = [each for each in useful if each.current(now)]
    if current:
        return Standing(state="unknown" if current[-1].status == "unknown" else "good", newest=current[-1])
    at = times.used_at
    if at is not None and any(_good_then(each, at, times) for each in useful):
        return Standing(state="good_then", newest=newest)
    return Standing(state="stale" if any(each.given for each in words) else "not_checked", newest=newest)


def embedded_good(words: Iterable[Word], at: datetime) -> bool:
    """Whether what the file brings along tells that a certificate was good when it was used at ``at``."""
    return any(each.status == "good" and not each.given and each.speaks_for(at) for each in words)


def _good_then(word: Word, at: datetime, times: Times) -> bool:
    """A list that was given is for now, unless a time-stamp or witness tells when the certificate was used."""
    return word.status == "good" and word.speaks_for(at) and (times.best is not None or not word.given)


def _standing_revocation(words: Sequence[Word], now: datetime) -> Revoked | None:
    """The earliest lasting revocation up to ``now``; a hold counts while the newest word still has it."""
    known = [each.revoked for each in words if each.revoked is not None and each.revoked.time <= now]
    lasting = [each for each in known if each.reason != HOLD]
    if lasting:
        return min(lasting, key=lambda each: each.time)
    said = [each for each in words if each.this_update <= now and each.status != "unknown"] or list(words)
    newest = said[-1].revoked if said else None
    return newest if newest in known else None


def _of_list(found: RevocationList, serial: int, *, given: bool) -> Word:
    revoked = found.revoked.get(serial)
    return Word(
        status="good" if revoked is None else "revoked",
        revoked=revoked,
        this_update=found.this_update,
        next_update=found.next_update,
        given=given,
    )


def _of_answer(found: OcspAnswer, *, given: bool) -> Word:
    """An answer speaks no longer than the certificate of who gave it."""
    return Word(
        status=found.status,
        revoked=found.revoked,
        this_update=found.this_update,
        next_update=min(found.next_update or found.this_update, found.responder.not_valid_after_utc),
        given=given,
    )


def _read_lists(
    sources: Iterable[tuple[bytes, bool]], issuer: x509.Certificate
) -> Iterator[tuple[RevocationList, bool]]:
    for data, given in sources:
        try:
            yield read_crl(_der(data), issuer), given
        except (RevocationListError, ValueError):  # of another issuer, or none: it says nothing here
            continue


def _read_answers(sources: Iterable[tuple[bytes, bool]], issuer: x509.Certificate) -> Iterator[tuple[OcspAnswer, bool]]:
    for data, given in sources:
        try:
            yield from ((each, given) for each in read_response(data, issuer))
        except OcspResponseError:  # by nobody who may answer for this issuer: it says nothing here
            continue


def _der(data: bytes) -> bytes:
    if data.lstrip().startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(data).public_bytes(Encoding.DER)
    return data
