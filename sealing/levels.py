"""The baseline level of one seal: what it takes, what was reached, and why if it is less than the policy asks.

What cannot be had stops the sealing, before the key is used where that can be told. Where the seal's policy allows it,
the level is lowered instead, and entry, receipt and outcome tell so; it is never lowered silently.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, get_args

from authority.timestamp_token import TimeStampToken
from ledger.moments import to_text
from registry.seals import SealLevel
from sealing.errors import UnavailableError
from sealing.parts import SealParts
from sealing.time_stamping import TOKEN_RESERVE, time_stamper
from sealing.validation_data import ValidationData, for_seal, for_time_stamps
from sealing.workshop import Workshop
from signer.archive_file import ArchivedFile, embed_archive, measure_archive
from signer.byte_layout import Layout
from signer.seal_file import SealedFile

_ORDER: Final[tuple[SealLevel, ...]] = get_args(SealLevel)
_B, _T, _LT, _LTA = _ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far one seal use has come. ``reached`` is what is still aimed at until the file is finished.

    ``lowered_because`` is the code of what could not be had, None while nothing was lowered.
    """

    asked: SealLevel
    reached: SealLevel
    lowered_because: str | None
    may_lower: bool
    data: ValidationData | None = None

    @property
    def stamped(self) -> bool:
        """Whether the signature gets a time-stamp."""
        return self.reached != _B

    @property
    def archived(self) -> bool:
        """Whether the file gets an archive time-stamp."""
        return self.reached == _LTA

    @property
    def token_reserve(self) -> int:
        """Bytes to be kept for the signature's token."""
        return TOKEN_RESERVE if self.stamped else 0

    def lowered(self, to: SealLevel, error: UnavailableError) -> "Level":
        """The level when ``error`` stands in the way of more than ``to``. Raises ``error`` unless it may be lowered."""
        if not self.may_lower:
            raise error
        return replace(self, reached=to, lowered_because=error.code)


def plan_level(shop: Workshop, parts: SealParts, now: datetime) -> Level:
    """Look whether the seal's level can be had, and fetch what is needed for it; no key of a seal is used.

    Raises :class:`UnavailableError`, :class:`sealing.errors.ConflictError` for a certificate that its own authority
    has revoked, :class:`sealing.errors.InstallationError`.
    """
    seal, key = parts.seal.record, parts.key.record
    level = Level(asked=seal.level, reached=seal.level, lowered_because=None, may_lower=seal.may_lower)
    if not level.stamped or key.revoked_at is not None:  # of a revoked key the rules will say so
        return level
    try:
        unit = time_stamper(shop).probe(now)
    except UnavailableError as error:
        return level.lowered(_B, error)
    if level.reached == _T:
        return level
    try:
        return replace(level, data=for_seal(shop, parts.key, unit, now))
    except UnavailableError as error:
        return level.lowered(_T, error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A signature's level and its token, if it got one."""

    level: Level
    token: TimeStampToken | None


def stamp_signature(shop: Workshop, level: Level, signature: bytes, now: datetime) -> Stamped:
    """The token over the signature value (EN 319 122-1 5.3). Raises :class:`UnavailableError`."""
    if not level.stamped:
        return Stamped(level=level, token=None)
    try:
        token = time_stamper(shop).token(sha256(signature).digest(), now)
    except UnavailableError as error:
        return Stamped(level=level.lowered(_B, error), token=None)
    return Stamped(level=level, token=token)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedFile:
    """The file that will be delivered, and the seal's revision in it. ``digest`` is the SHA-256 of all its bytes."""

    sealed: SealedFile
    level: Level
    token: TimeStampToken | None
    archive: TimeStampToken | None
    archived: ArchivedFile | None
    source: str  # who gives the time-stamps

    @property
    def whole(self) -> SealedFile | ArchivedFile:
        """The file as it is delivered."""
        return self.archived or self.sealed

    @property
    def digest(self) -> str:
        """Of all bytes delivered, as text."""
        return "sha256:" + self.whole.digest.hex()

    def discard(self) -> None:
        """Remove the archived file, where it was not moved into the store. The sealed one is its preparation's."""
        if self.archived is not None:
            self.archived.path.unlink(missing_ok=True)

    def facts(self) -> dict[str, Any]:
        """What the entry tells of the level."""
        return {
            "level": self.level.reached,
            "level_asked": self.level.asked,
            "lowered_because": self.level.lowered_because,
            "timestamp": None if self.token is None else token_facts(self.token, self.source),
            "archive_timestamp": None if self.archive is None else token_facts(self.archive, self.source),
        }


def finish(shop: Workshop, sealed: SealedFile, stamped: Stamped, clock: Callable[[], datetime]) -> FinishedFile:
    """Add the archive time-stamp where the level asks for one. Raises as :func:`archive`."""
    plain = FinishedFile(
        sealed=sealed,
        level=stamped.level,
        token=stamped.token,
        archive=None,
        archived=None,
        source=time_stamper(shop).source if stamped.token is not None else "",
    )
    if not stamped.level.archived:
        return plain
    try:
        archived, token = archive(shop, sealed, clock)
    except UnavailableError as error:
        return replace(plain, level=stamped.level.lowered(_LT, error))
    return replace(plain, archived=archived, archive=token)


def archive(
    shop: Workshop,
    file: SealedFile | ArchivedFile,
    clock: Callable[[], datetime],
    further: ValidationData | None = None,
) -> tuple[ArchivedFile, TimeStampToken]:
    """A copy of ``file`` with one revision more: validation data of its time-stamp, and a document time-stamp over all.

    ``further`` is validation data to be stored besides. The copy stands in the store's ``incoming``. Raises
    :class:`UnavailableError`, ``sandbox`` and ``signer`` errors; then no copy is left behind.
    """
    stamper = time_stamper(shop)
    data = further or for_time_stamps(shop, (stamper.probe(clock()),), clock())
    target = shop.documents.unused()
    try:
        answer = shop.workers.call(
            "signer.desk:extend_document",
            {
                "source": str(file.path.absolute()),
                "target": str(target.absolute()),
                "validation_data": data.to_json(),
                "now": to_text(clock()),
            },
            seconds=shop.seconds_for(file.path),
        )
        prepared = measure_archive(target, Layout.from_json(answer["layout"]), source_digest=file.digest)
        token = stamper.token(prepared.digest, clock())
        return embed_archive(prepared, token.der), token
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def token_facts(token: TimeStampToken, source: str) -> dict[str, Any]:
    """What the record tells of a time-stamp: when, by whom, and until when its certificate lasts."""
    return {
        "source": source,
        "time": to_text(token.time),
        "serial": f"{token.serial:x}",
        "unit": f"{token.signer.serial_number:x}",
        "expires": to_text(token.signer.not_valid_after_utc),
    }
