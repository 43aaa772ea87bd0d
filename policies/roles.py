"""Roles of persons at an organ, at a moment. A period includes its start and excludes its end."""

from datetime import datetime

from policies.facts import Period, PersonFacts, Role, RoleFacts

PRINCIPALS: tuple[Role, ...] = ("principal", "acting_principal", "deputy")
"""Who may sign as 主要负责人: the principal, who leads in their stead (主持工作), or a deputy."""


def roles_at(person: PersonFacts, organ: str, time: datetime) -> tuple[RoleFacts, ...]:
    """The roles that ``person`` has at ``organ`` at ``time``."""
    return tuple(role for role in person.roles if role.organ == organ and _holds(role, time))


def _holds(period: RoleFacts | Period, time: datetime) -> bool:
    return period.valid_from <= time and (period.valid_until is None or time < period.valid_until)


def seal_user_roles(person: PersonFacts, organ: str, time: datetime) -> tuple[RoleFacts, ...]:
    """The roles by which ``person`` may ask for a seal use."""
    return tuple(role for role in roles_at(person, organ, time) if role.role == "seal_user")


def principal_roles(
    approver: PersonFacts, organ: str, time: datetime, *, on_behalf_of: str | None
) -> tuple[RoleFacts, ...]:
    """The roles by which ``approver`` may approve, in their own name or on behalf of another person.

    A deputy counts only with a registered 授权书, when the approval names the person it is from, and while
    that person leads the organ: nobody can hand on a power that they do not have.
    """
    return tuple(
        role
        for role in roles_at(approver, organ, time)
        if role.role in PRINCIPALS and _covers(role, on_behalf_of, time)
    )


def _covers(role: RoleFacts, on_behalf_of: str | None, time: datetime) -> bool:
    if role.role != "deputy":
        return on_behalf_of is None or role.on_behalf_of == on_behalf_of
    named = bool(role.on_behalf_of) and role.on_behalf_of == on_behalf_of
    return named and bool(role.document) and any(_holds(period, time) for period in role.behalf_leads)
