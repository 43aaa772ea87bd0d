"""Who may call a route. Every route declares it; a test walks all routes and fails where one does not."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.security import OAuth2
from starlette.requests import Request

from api.client_authentication import TOKEN_PATH
from api.errors import AuthenticationError, ForbiddenError
from api.service import Service, Serving
from registry.clients import ClientRole
from registry.errors import NotFoundError
from registry.records import Client
from registry.store import Act, Actor
from sealing.errors import UnknownError
from sealing.order import Caller

_BEARER = OAuth2(
    flows={"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": {}}},
    scheme_name="client_credentials",
    auto_error=False,
)
Token = Annotated[str | None, Depends(_BEARER)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester(Caller):
    """The client that calls, as registered at this moment."""

    name: str

    @property
    def sees_all(self) -> bool:
        """Whether this client's reading is not narrowed to its organs."""
        return "auditor" in self.roles

    def acts_for(self, organ: str) -> bool:
        """Whether ``organ`` is one of the organs it is registered for."""
        return organ in self.organs

    def sees(self, *, grantor: str, grantee: str) -> bool:
        """Whether it may know of what stands between these two organs."""
        return (
            self.sees_all
            or ("grantor_administrator" in self.roles and self.acts_for(grantor))
            or ("approval_system" in self.roles and self.acts_for(grantee))
        )


class Admission:
    """A dependency that lets some roles in. Fresh from the registry: a suspended client is out at once."""

    def __init__(self, *roles: ClientRole) -> None:
        """One of ``roles`` is enough."""
        self.roles = roles

    def __call__(self, request: Request, service: Serving, authorization: Token) -> Requester:
        """Raise :class:`AuthenticationError` or :class:`ForbiddenError` unless the caller may come in."""
        client = _client(service, authorization)
        request.state.client = client.id  # for the access log
        if not set(self.roles) & set(client.roles):
            raise ForbiddenError(
                "role-required",
                f"需要角色 {'、'.join(self.roles)} 之一，本系统为 {'、'.join(client.roles)}",
                f"one of the roles {', '.join(self.roles)} is required, this client has {', '.join(client.roles)}",
            )
        return Requester(
            client=client.id,
            organs=client.organs,
            roles=client.roles,
            address=service.addresses.of_caller(request),
            name=client.name,
        )


class Public:
    """A dependency that says: anybody may call this."""

    async def __call__(self) -> None:
        """Let everybody in."""


PUBLIC: Final = Depends(Public())


def callers(*roles: ClientRole) -> Any:  # noqa: ANN401  a marker for FastAPI
    """A declaration for the parameter of a route: ``Annotated[Requester, …]`` with one of ``roles``."""
    return Depends(Admission(*roles))


AnyClient = Annotated[Requester, callers("approval_system", "grantor_administrator", "operator", "auditor")]
ApprovalSystem = Annotated[Requester, callers("approval_system")]
Grantor = Annotated[Requester, callers("grantor_administrator")]
Operator = Annotated[Requester, callers("operator")]
OperatorOrAuditor = Annotated[Requester, callers("operator", "auditor")]
Overseer = Annotated[Requester, callers("grantor_administrator", "operator", "auditor")]
"""Who looks after seals: a grantor's administrators after its own, operator and auditor after all."""
Insider = Annotated[Requester, callers("approval_system", "grantor_administrator", "auditor")]
"""Who may read of seals and their uses, each of its own organs, the auditor of all."""


def act_of(caller: Requester, reason: str, service: Service, *, organ: str | None = None) -> Act:
    """What the record says of a change by ``caller``, on behalf of ``organ`` where it acts for one."""
    return Act(by=Actor(id=caller.client, name=caller.name, organ=organ), why=reason, now=service.now())


def require_organ(caller: Requester, organ: str) -> None:
    """Raise :class:`ForbiddenError` unless ``caller`` may act for ``organ``, which it named itself."""
    if not caller.acts_for(organ):
        raise ForbiddenError(
            "not-your-organ",
            f"本系统无权代表单位 {organ}；可代表：{'、'.join(caller.organs)}",
            f"this client may not act for organ {organ}; it may for {', '.join(caller.organs)}",
        )


_WORDS: Final = {"impression": "用章记录", "application": "申请"}


def hidden(what: str, record_id: str) -> UnknownError | NotFoundError:
    """What is answered for an id that the caller may not see: word for word as for one that does not exist."""
    if what in _WORDS:
        return UnknownError(f"{what}-unknown", f"没有{_WORDS[what]} {record_id}", f"no {what} {record_id}")
    return NotFoundError("record-not-found", f"没有 {what} {record_id}", f"there is no {what} {record_id}")


def _client(service: Service, authorization: str | None) -> Client:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AuthenticationError(
            "token-missing",
            "缺少访问令牌，应有 Authorization: Bearer 头",
            "no access token; an Authorization: Bearer header is expected",
        )
    client_id = service.tokens.client_of(token, service.now())
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, Client, client_id)
    if found is None or found.record.state != "active":
        raise AuthenticationError("client-not-active", "该系统已停用", "this client is not active")
    return found.record
