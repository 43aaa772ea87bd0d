"""Keys of the service itself: for revocation answers, time-stamps and the seal on verification reports.

Each is certified by the embedded authority for a short time and renewed before half of it is left; the earlier one is
retired, not revoked.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from registry.fields import Base64, Name, UtcTime
from registry.record import Record

ServicePurpose = Literal["ocsp", "timestamp", "report"]


class ServiceKey(Record):
    """One key of the service and its certificate."""

    purpose: ServicePurpose
    key_ref: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+:[!-~]{1,200}$")]
    chain: Annotated[tuple[Base64, ...], Field(min_length=1, max_length=8)]  # DER, the key's own first, no root
    serial: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]
    not_before: UtcTime
    not_after: UtcTime
    retired_at: UtcTime | None = None  # a newer key took its place; not the same as revoked
    revoked_at: UtcTime | None = None
    revoked_reason: Name | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.not_before >= self.not_after:
            raise ValueError("证书起始须早于终止 / the certificate must begin before it ends")
        if (self.revoked_at is None) != (self.revoked_reason is None):
            raise ValueError("吊销须有时间和原因 / a revocation has both a time and a reason")
        return self
