"""The main pages of the console, by role: nobody is shown a way that is closed to them."""

from typing import Final, Protocol

from registry.persons import AssignedRole

_PLACES: Final[tuple[tuple[str, str, tuple[AssignedRole, ...]], ...]] = (
    ("/console", "nav_home", ()),
    ("/console/drafts", "nav_apply", ("seal_user",)),
    (
        "/console/applications",
        "nav_applications",
        ("seal_user", "principal", "acting_principal", "deputy", "custodian"),
    ),
    ("/console/approvals", "nav_approvals", ("principal", "acting_principal", "deputy")),
    (
        "/console/agreements",
        "nav_agreements",
        ("grantor_administrator", "principal", "acting_principal", "deputy", "custodian"),
    ),
    ("/console/seals", "nav_seals", ("grantor_administrator", "custodian")),
    (
        "/console/register",
        "nav_register",
        ("grantor_administrator", "principal", "acting_principal", "deputy", "custodian"),
    ),
    (
        "/console/dashboard",
        "nav_dashboard",
        ("grantor_administrator", "seal_user", "principal", "acting_principal", "deputy", "custodian"),
    ),
    ("/console/proposals", "nav_proposals", ("grantor_administrator",)),
    ("/console/account", "nav_account", ()),
)


class HasRoles(Protocol):
    """Whoever has signed in."""

    def has(self, *roles: AssignedRole) -> bool:
        """Whether one of ``roles`` is theirs now."""


def places_of(present: HasRoles) -> list[tuple[str, str]]:
    """Path and word of each page that the person may see, in the order of the menu."""
    return [(path, name) for path, name, roles in _PLACES if not roles or present.has(*roles)]
