"""Who is at the door: the person behind the session, with the roles of this moment. Each page of the console asks.

A role that ended this morning is gone at the next click, whatever page is open.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from accounts.desk import Desk
from accounts.sessions import LONGEST, Session, csrf_token, use_session
from accounts.visitors import Visitor
from api.errors import AuthenticationError, ForbiddenError
from api.service import Service, Serving
from policies.roles import PRINCIPALS
from registry.persons import AssignedRole
from registry.records import Organ, Person, RoleAssignment
from sealing.account_desk import WITH_PASSKEY, roles_now
from sealing.order import Caller

COOKIE: Final = "__Host-yinxin"
GRANTOR: Final = "grantor_administrator"
APPROVERS: Final[tuple[AssignedRole, ...]] = PRINCIPALS


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """A person who has signed in."""

    person: Person
    session: Session
    roles: tuple[RoleAssignment, ...]
    organ_names: dict[str, str]
    address: str | None

    @property
    def csrf(self) -> str:
        """What each form of this session carries."""
        return csrf_token(self.session)

    def organs(self, *roles: AssignedRole) -> tuple[str, ...]:
        """Codes of the organs at which the person has one of ``roles`` now."""
        return tuple(dict.fromkeys(each.organ for each in self.roles if each.role in roles))

    def has(self, *roles: AssignedRole) -> bool:
        """Whether the person has one of ``roles`` anywhere now."""
        return bool(self.organs(*roles))

    @property
    def must_prove(self) -> bool:
        """Whether a role of the person asks for a passkey and the session was opened without one."""
        return self.has(*WITH_PASSKEY) and not self.session.with_passkey

    def caller(self) -> Caller:
        """As a seal cycle sees a seal user."""
        return Caller(
            client=self.person.id,
            organs=self.organs("seal_user"),
            roles=("approval_system",),
            address=self.address,
        )


class Entrance:
    """A dependency that lets in whoever has one of some roles, or anybody with an account where none is named."""

    def __init__(self, *roles: AssignedRole, unproven: bool = False) -> None:
        """One of ``roles``, at any organ, is enough to see the page; what it shows is narrowed to those organs.

        Whoever decides on seals must have signed in with a passkey, except on pages that are ``unproven``: those on
        which the first one is added.
        """
        self.roles = roles
        self.unproven = unproven

    def __call__(self, request: Request, service: Serving) -> Present:
        """Raise :class:`AuthenticationError` ``sign-in-needed``.

        :class:`ForbiddenError` ``role-needed``, ``passkey-needed``.
        """
        now = service.now()
        found = use_session(service.shop.database, request.cookies.get(COOKIE, ""), now)
        if found is None:
            raise AuthenticationError(
                "sign-in-needed",
                "请先登录；若刚才已登录，则因超过时限已自动退出",
                "please sign in; if you had, your session has ended after its time",
            )
        request.state.client = found.person  # for the access log
        present = present_of(service, found, request, now)
        request.state.present = present
        if self.roles and not present.has(*self.roles):
            raise ForbiddenError(
                "role-needed",
                "您现在没有办理此事的职务；职务可能刚刚到期",
                "you have no role for this now; one may have ended just now",
            )
        if present.must_prove and not self.unproven:
            raise ForbiddenError(
                "passkey-needed",
                "您的职务须用通行密钥登录：请在“我的帐户”添加通行密钥，或退出后用通行密钥重新登录",
                "your role asks for a passkey: add one under “my account”, or sign out and sign in again with yours",
            )
        return present


def present_of(service: Service, session: Session, request: Request, now: datetime) -> Present:
    """The person of a session, as registered at this moment. Raises ``registry`` errors."""
    with service.shop.database.read() as connection:
        person = service.shop.registry.get(connection, Person, session.person).record
        roles = roles_now(connection, service.shop, person.id, now)
        names = {
            code: service.shop.registry.find_one(connection, Organ, code=code).record.legal_name
            for code in {each.organ for each in roles}
        }
    return Present(
        person=person,
        session=session,
        roles=roles,
        organ_names=names,
        address=service.addresses.of_caller(request),
    )


def keep_session(response: Response, token: str) -> Response:
    """``response``, with which the browser takes the token of a session."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk: Final = Depends(_desk)


def visitor_of(request: Request, service: Service) -> Visitor:
    """Where a request comes from, for the person's own history."""
    return Visitor(address=service.addresses.of_caller(request) or "", browser=request.headers.get("user-agent", ""))


def entrance(*roles: AssignedRole) -> Any:  # noqa: ANN401  a marker for FastAPI
    """What a page declares of its visitors: those who have one of ``roles``, or everybody with an account."""
    return Depends(Entrance(*roles))


def own_account() -> Any:  # noqa: ANN401  a marker for FastAPI
    """What the pages declare on which a person adds the first passkey: everybody, however they signed in."""
    return Depends(Entrance(unproven=True))
