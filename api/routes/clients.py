"""Machine clients: registration, state, secrets, and the keys they attest approvals with."""

from base64 import b64decode
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from api.bodies import After, Answer, Id, Kept, KeyBody, Limit, Page, Reasoned, kept, page_of
from api.callers import Operator, OperatorOrAuditor, act_of, hidden
from api.service import Serving
from registry.clients import ClientRole
from registry.fields import Base64, Name, OrganCode
from registry.records import Client, ClientApprovalKey
from registry.row_guard import Stored
from sealing.administration import clients
from sealing.administration.clients import ClientChange, ClientRequest, IssuedClient

router: Final = APIRouter(prefix="/v1/clients", tags=["clients"])


class ClientBody(Reasoned):
    """A client to register; with ``public_key`` it authenticates by private_key_jwt, else by a secret."""

    name: Name
    roles: Annotated[list[ClientRole], Field(min_length=1)]
    organs: Annotated[list[OrganCode], Field(default_factory=list)]
    public_key: Annotated[Base64 | None, Field(description="SubjectPublicKeyInfo, DER, base64")] = None


class ClientStateBody(Reasoned):
    """What is to happen to the client."""

    change: ClientChange


class ClientAnswer(Answer):
    """A client, without what it proves itself with."""

    id: str
    name: str
    organs: list[str]
    roles: list[ClientRole]
    state: str
    authenticates_by: str
    version: int
    entry: int

    @classmethod
    def of(cls, stored: Stored[Client]) -> "ClientAnswer":
        """Show a client."""
        client = stored.record
        return cls(
            id=client.id,
            name=client.name,
            organs=list(client.organs),
            roles=list(client.roles),
            state=client.state,
            authenticates_by="client_secret_basic" if client.public_key is None else "private_key_jwt",
            version=stored.version,
            entry=stored.entry_index,
        )


class NewClientAnswer(Answer):
    """A client with its secret, which is shown this once."""

    client: ClientAnswer
    secret: str | None


@router.post("", operation_id="registerClient", status_code=201)
def register_client(service: Serving, caller: Operator, body: ClientBody) -> NewClientAnswer:
    """Register a client. Its secret is in this answer and nowhere else."""
    request = ClientRequest(
        name=body.name,
        roles=tuple(body.roles),
        organs=tuple(body.organs),
        public_key=None if body.public_key is None else b64decode(body.public_key),
    )
    return _issued(clients.register(service.shop, request, act_of(caller, body.reason, service)))


@router.get("", operation_id="listClients")
def list_clients(
    service: Serving, _caller: OperatorOrAuditor, limit: Limit = 100, after: After = None
) -> Page[ClientAnswer]:
    """All clients, by id."""
    with service.shop.database.read() as connection:
        found = [ClientAnswer.of(each) for each in service.shop.registry.find(connection, Client)]
    return page_of(found, lambda client: client.id, after=after, limit=limit)


@router.get("/{client_id}", operation_id="readClient")
def read_client(service: Serving, client_id: Id, _caller: OperatorOrAuditor) -> ClientAnswer:
    """One client."""
    with service.shop.database.read() as connection:
        return ClientAnswer.of(service.shop.registry.get(connection, Client, client_id))


@router.post("/{client_id}/state", operation_id="changeClientState")
def change_client_state(service: Serving, client_id: Id, caller: Operator, body: ClientStateBody) -> ClientAnswer:
    """Suspend, resume or close; holds from the next request on."""
    act = act_of(caller, body.reason, service)
    return ClientAnswer.of(clients.change_state(service.shop, client_id, body.change, act))


@router.post("/{client_id}/secret", operation_id="renewClientSecret", status_code=201)
def renew_client_secret(service: Serving, client_id: Id, caller: Operator, body: Reasoned) -> NewClientAnswer:
    """Give the client a new secret; the old one ends."""
    return _issued(clients.renew_secret(service.shop, client_id, act_of(caller, body.reason, service)))


@router.post("/{client_id}/approval-keys", operation_id="registerApprovalKey", status_code=201)
def register_approval_key(service: Serving, client_id: Id, caller: Operator, body: KeyBody) -> Kept[ClientApprovalKey]:
    """Register the key with which the client vouches for approvals; never the one it authenticates with."""
    act = act_of(caller, body.reason, service)
    return kept(clients.register_approval_key(service.shop, client_id, body.request(), act))


@router.post("/{client_id}/approval-keys/{key_id}/end", operation_id="endApprovalKey")
def end_approval_key(
    service: Serving, client_id: Id, key_id: Id, caller: Operator, body: Reasoned
) -> Kept[ClientApprovalKey]:
    """Let a key attest nothing from now on."""
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, ClientApprovalKey, key_id)
    if found is None or found.record.client != client_id:
        raise hidden("client_approval_key", key_id)
    return kept(clients.end_approval_key(service.shop, key_id, act_of(caller, body.reason, service)))


def _issued(issued: IssuedClient) -> NewClientAnswer:
    return NewClientAnswer(client=ClientAnswer.of(issued.client), secret=issued.secret)
