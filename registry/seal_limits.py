"""How much, when and from where a seal may be used, and when its use looks unlike it: set by the organ that owns it.

The rules judge these values (``policies.rules.limits``); a burst of uses is noticed after the use (``sealing.alerts``).
docs/limits.md tells both.
"""

from ipaddress import ip_network
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from registry.record import Part

_MOST_NETWORKS = 64


def _network(text: str) -> str:
    try:
        written = str(ip_network(text))
    except ValueError as error:
        raise ValueError(
            f"{text} 不是网段（CIDR），例如 10.8.0.0/16 / expected a network such as 10.8.0.0/16"
        ) from error
    if written != text:
        raise ValueError(f"网段应写作 {written} / expected the network written as {written}")
    return text


TimeOfDay = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
"""``HH:MM`` in Beijing; ``24:00`` is the end of the day."""
Network = Annotated[str, StringConstraints(min_length=3, max_length=50), AfterValidator(_network)]
"""An IPv4 or IPv6 network in its one CIDR form."""
Cap = Annotated[int, Field(ge=1, le=1_000_000)]


class WorkingHours(Part):
    """From ``from``, which is within, until ``until``, which is not, in Beijing."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", serialize_by_alias=True)

    opens: Annotated[TimeOfDay, Field(alias="from", examples=["08:30"])]
    closes: Annotated[TimeOfDay, Field(alias="until", examples=["18:00"])]
    working_days_only: bool

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("用章时段的起始须早于终止 / the hours must begin before they end")
        return self


class SealLimits(Part):
    """All limits of a seal but its daily number, which a seal always had. Without any it is used freely."""

    monthly_cap: Cap | None = None
    working_hours: WorkingHours | None = None
    networks: Annotated[tuple[Network, ...], Field(strict=False, max_length=_MOST_NETWORKS)] = ()
    burst_floor: Cap | None = None  # uses in one hour that are never a burst; None: what the installation sets
    suspend_on_burst: bool = False


class ChosenLimits(SealLimits):
    """All limits together as an administrator chooses them: what is left out is lifted."""

    daily_cap: Cap | None = None

    def without_daily_cap(self) -> SealLimits:
        """The part that the seal keeps beside its daily number."""
        return SealLimits(**{name: getattr(self, name) for name in SealLimits.model_fields})
