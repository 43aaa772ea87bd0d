"""Machine clients: whom they act for, how they prove themselves, what they attest approvals with."""

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from ledger.ids import new_id
from registry.changes import Changes
from registry.clients import check_approval_key
from registry.errors import TransitionError
from registry.record import build
from registry.records import Client, ClientApprovalKey, Organ
from registry.store import Act, Stored
from sealing.administration.acts import acting, end, put
from sealing.administration.key_registration import KeyRequest, key_values, own_key
from sealing.workshop import Workshop

SECRET_BYTES = 32

ClientChange = Literal["suspend", "resume", "close"]

_CHANGES: dict[ClientChange, tuple[tuple[str, ...], str, str]] = {
    "suspend": (("active",), "suspended", "停用"),
    "resume": (("suspended",), "active", "恢复"),
    "close": (("active", "suspended"), "closed", "关闭"),
}
"""Change: from which states, to which state, and its Chinese name."""

_VERBS: dict[ClientChange, str] = {"suspend": "suspended", "resume": "resumed", "close": "closed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A client to register. With ``public_key`` (SubjectPublicKeyInfo, DER) it uses private_key_jwt."""

    name: str
    roles: tuple[str, ...]
    organs: tuple[str, ...] = ()
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedClient:
    """A client and, once and never again, its secret; None where it proves itself with its own key."""

    client: Stored[Client]
    secret: str | None = field(repr=False)


def secret_hash(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, which no slow hash could protect better."""
    return "sha256:" + sha256(secret.encode()).hexdigest()


def register(shop: Workshop, request: ClientRequest, act: Act) -> IssuedClient:
    """Register a client. Only a hash of its secret is kept.

    Raises ``NotFoundError`` for an organ that is not registered, ``EvidenceError`` ``key-unsuitable``,
    ``RecordInvalidError``.
    """
    secret = None if request.public_key is not None else _new_secret()
    with acting(shop, act) as changes:
        for code in request.organs:
            changes.store.find_one(changes.connection, Organ, code=code)
        client_id = new_id("cli")
        own = None if request.public_key is None else own_key(changes, request.public_key, holder=client_id)
        client = build(
            Client,
            id=client_id,
            name=request.name,
            organs=tuple(request.organs),
            roles=tuple(request.roles),
            secret_hash=None if secret is None else secret_hash(secret),
            public_key=own,
            state="active",
        )
        return IssuedClient(client=put(changes, client), secret=secret)


def renew_secret(shop: Workshop, client: str, act: Act) -> IssuedClient:
    """Give the client a new secret; the old one, or its key, does not count any more."""
    secret = _new_secret()
    with acting(shop, act) as changes:
        found = _not_closed(changes, client)
        renewed = build(Client, **{**dict(found.record), "secret_hash": secret_hash(secret), "public_key": None})
        return IssuedClient(client=put(changes, renewed, replaces=found, verb="secret_renewed"), secret=secret)


def change_state(shop: Workshop, client: str, change: ClientChange, act: Act) -> Stored[Client]:
    """Suspend, resume or close. Raises :class:`TransitionError` ``client-change-refused``."""
    allowed, state, zh = _CHANGES[change]
    with acting(shop, act) as changes:
        found = changes.store.lock(changes.connection, Client, client)
        if found.record.state not in allowed:
            raise TransitionError(
                "client-change-refused",
                f"客户端状态为 {found.record.state}，{zh}只能从 {'、'.join(allowed)} 进行",
                f"the client is {found.record.state}; {change} is possible from {', '.join(allowed)} only",
            )
        changed = build(Client, **{**dict(found.record), "state": state})
        return put(changes, changed, replaces=found, verb=_VERBS[change])


def register_approval_key(shop: Workshop, client: str, request: KeyRequest, act: Act) -> Stored[ClientApprovalKey]:
    """Register the key with which the client vouches for approvals (``system_attested``).

    Raises ``RecordInvalidError`` for the key it authenticates with, ``EvidenceError`` ``key-unsuitable``.
    """
    with acting(shop, act) as changes:
        holder = _not_closed(changes, client).record
        values = key_values(changes, request, holder=holder.id)
        key = build(ClientApprovalKey, id=new_id("cak"), client=holder.id, **values)
        check_approval_key(key, holder)
        return put(changes, key)


def end_approval_key(shop: Workshop, key: str, act: Act) -> Stored[ClientApprovalKey]:
    """Let the key attest nothing from now on. Raises ``NotFoundError``, ``TransitionError``."""
    with acting(shop, act) as changes:
        return end(changes, changes.store.get(changes.connection, ClientApprovalKey, key))


def _not_closed(changes: Changes, client: str) -> Stored[Client]:
    found = changes.store.lock(changes.connection, Client, client)
    if found.record.state == "closed":
        raise TransitionError("client-closed", f"客户端 {client} 已关闭", f"client {client} is closed")
    return found


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
