"""One key of a seal with its certificate: its record, and how each step of its life changes that.

The rules are in :mod:`registry.key_life`. A hold (certificateHold) is kept as an interval for good: a certificate that
was resumed leaves the revocation list, and what was sealed in the meantime must not read as sound (RFC 5280 5.3.1).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from registry.errors import RecordInvalidError, TransitionError
from registry.fields import Base64, Name, RecordId, UtcTime
from registry.key_life import KeyRole, KeyState, KeyStep, after
from registry.record import Part, Record, build

HOLD: Final = "certificate_hold"
RevocationReason = Literal["key_compromise", "superseded", "cessation_of_operation", "privilege_withdrawn"]
"""Why a certificate is revoked for good (RFC 5280 5.3.1)."""


class Hold(Part):
    """One time on hold: from its first moment up to, not including, ``end``; None while it lasts."""

    start: UtcTime
    end: UtcTime | None = None

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end is not None and self.end < self.start:
            raise ValueError("暂停的终止不得早于起始 / a hold cannot end before it begins")
        return self


def _state_of(row: dict[str, Any]) -> KeyState:
    """What a row that was written before states were kept tells by its other members."""
    if row.get("revoked_reason") not in {None, HOLD}:
        return "cancelled"
    if row.get("retired_at") is not None:
        return "retired"
    return "active" if row.get("revoked_reason") is None else "suspended"


def _holds_of(row: dict[str, Any]) -> tuple[Hold, ...]:
    """As above: of an old row only the hold that still lasts is known."""
    since = row.get("revoked_at")
    return (Hold(start=since),) if since is not None and row.get("revoked_reason") == HOLD else ()


class SealKey(Record):
    """One key of a seal and its certificate. An amendment of the agreement makes a new version."""

    seal: RecordId
    key_version: Annotated[int, Field(ge=1)]
    key_ref: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+:[!-~]{1,200}$")]
    chain: Annotated[tuple[Base64, ...], Field(min_length=1, max_length=8)]  # DER, the seal's own first
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]
    not_before: UtcTime
    not_after: UtcTime
    issuer: Literal["internal", "licensed"]
    retired_at: UtcTime | None = None  # a newer version took its place; not the same as revoked
    revoked_at: UtcTime | None = None
    revoked_reason: Name | None = None
    revoked_effective: UtcTime | None = None  # since when it is not to be trusted, when that is before revoked_at
    holds: tuple[Hold, ...] = Field(default_factory=_holds_of)
    state: KeyState = Field(default_factory=_state_of)
    destruction: dict[str, str] | None = None  # what the backend saw when it destroyed the private key

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.not_before >= self.not_after:
            raise ValueError("证书起始须早于终止 / the certificate must begin before it ends")
        if (self.revoked_at is None) != (self.revoked_reason is None):
            raise ValueError("吊销须有时间和原因 / a revocation has both a time and a reason")
        return self

    @model_validator(mode="after")
    def _destroyed_with_evidence(self) -> Self:
        if (self.state == "destroyed") != (self.destruction is not None):
            raise ValueError("销毁须有密码设备的证据 / a key is destroyed with its backend's evidence, or not at all")
        return self

    @model_validator(mode="after")
    def _backdated_rightly(self) -> Self:
        if self.revoked_effective is None:
            return self
        if self.revoked is None or self.revoked_effective > self.revoked.time:
            raise ValueError(
                "失效时间须属于吊销且不晚于吊销 / only a revocation has an effective time, no later than itself"
            )
        return self

    @model_validator(mode="after")
    def _holds_in_order(self) -> Self:
        for earlier, later in zip(self.holds, self.holds[1:], strict=False):
            if earlier.end is None or later.start < earlier.end:
                raise ValueError("暂停区间须依次相接 / holds follow one another, and only the last may last")
        lasting = bool(self.holds) and self.holds[-1].end is None
        if lasting != (self.revoked_reason == HOLD):
            raise ValueError("未终止的暂停与吊销原因不符 / a lasting hold and the reason of revocation do not agree")
        return self

    @property
    def revoked(self) -> "Revocation | None":
        """The revocation for good, or None; a hold is none."""
        if self.revoked_at is None or self.revoked_reason is None or self.revoked_reason == HOLD:
            return None
        return Revocation(
            time=self.revoked_at, effective=self.revoked_effective or self.revoked_at, reason=self.revoked_reason
        )


class Revocation(Part):
    """That a certificate is revoked for good: when, since when it is not to be trusted, and why."""

    time: UtcTime
    effective: UtcTime
    reason: Name


def step(key: SealKey, taken: KeyStep, *, role: KeyRole, **changed: Any) -> SealKey:  # noqa: ANN401  members of the record, judged by it
    """The key after a step that changes only these members beside its state. Raises :class:`TransitionError`."""
    return build(SealKey, **{**dict(key), **changed, "state": after(key.state, taken, role=role)})


def activate(key: SealKey, *, role: KeyRole) -> SealKey:
    """Let a certified key seal. Raises :class:`TransitionError`."""
    return step(key, "activate", role=role)


def suspend(key: SealKey, *, role: KeyRole, now: datetime) -> SealKey:
    """Put the certificate on hold. One that is retired is held with its seal, and stays retired.

    Raises :class:`TransitionError`.
    """
    held = {"revoked_at": now, "revoked_reason": HOLD, "holds": (*key.holds, build(Hold, start=now))}
    if key.state == "retired":
        return build(SealKey, **{**dict(key), **held})
    return step(key, "suspend", role=role, **held)


def resume(key: SealKey, *, role: KeyRole, now: datetime) -> SealKey:
    """Take the certificate off hold; the interval stays in the record. Raises :class:`TransitionError`."""
    released = {"revoked_at": None, "revoked_reason": None, "holds": _ended(key.holds, now)}
    if key.state == "retired":
        return build(SealKey, **{**dict(key), **released})
    return step(key, "resume", role=role, **released)


def retire(key: SealKey, *, now: datetime) -> SealKey:
    """Another key takes its place; its certificate stays good for what it sealed. Raises :class:`TransitionError`."""
    if key.state in {"cancelled", "destroyed"}:  # its life is over; it only makes room
        return build(SealKey, **{**dict(key), "retired_at": now})
    return step(key, "retire", role="administrator", retired_at=now)


def revoke(
    key: SealKey, taken: Literal["suspect", "cancel"], *, reason: RevocationReason, role: KeyRole, now: datetime
) -> SealKey:
    """Revoke the certificate for good; a hold ends with that. Raises :class:`TransitionError`."""
    return step(key, taken, role=role, revoked_at=now, revoked_reason=reason, holds=_ended(key.holds, now))


def destroy(key: SealKey, evidence: Mapping[str, str]) -> SealKey:
    """The private key is gone, as its backend saw. Raises :class:`TransitionError`."""
    return step(key, "destroy", role="administrator", destruction=dict(evidence))


def backdate(key: SealKey, effective: datetime) -> SealKey:
    """Say since when a revoked certificate is not to be trusted: earlier than it was revoked (RFC 5280 5.3.2).

    Two persons decide it (``backdate_revocation``). Raises :class:`TransitionError` ``key-not-revoked``,
    :class:`RecordInvalidError` ``effective-not-earlier`` unless it is before what the record has.
    """
    if key.revoked is None:
        raise TransitionError(
            "key-not-revoked",
            f"密钥状态为 {key.state}，证书未吊销，不能追溯失效时间",
            f"the key is {key.state} and its certificate is not revoked; there is nothing to backdate",
        )
    if not key.not_before <= effective < key.revoked.effective:
        raise RecordInvalidError(
            "effective-not-earlier",
            f"失效时间 {effective.isoformat()} 应不早于证书起始 {key.not_before.isoformat()}，"
            f"并早于现记录 {key.revoked.effective.isoformat()}",
            f"the effective time {effective.isoformat()} should be from {key.not_before.isoformat()} on and before "
            f"{key.revoked.effective.isoformat()}, which the record has",
        )
    return build(SealKey, **{**dict(key), "revoked_effective": effective})


def _ended(holds: tuple[Hold, ...], now: datetime) -> tuple[Hold, ...]:
    if not holds or holds[-1].end is not None:
        return holds
    return (*holds[:-1], build(Hold, start=holds[-1].start, end=now))
