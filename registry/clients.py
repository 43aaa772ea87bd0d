"""Machine clients: which organs they may act for, how they prove themselves, what they attest with."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from registry.errors import RecordInvalidError
from registry.fields import Base64, Name, OrganCode, RecordId, Text
from registry.record import DatedRecord, Record

ClientRole = Literal["approval_system", "grantor_administrator", "operator", "auditor"]


class Client(Record):
    """A machine client. It proves itself by a secret (kept as a hash) or its own key (private_key_jwt)."""

    name: Name
    organs: tuple[OrganCode, ...]
    roles: Annotated[tuple[ClientRole, ...], Field(min_length=1)]
    secret_hash: Annotated[str, StringConstraints(min_length=32, max_length=400, pattern=r"^[!-~]+$")] | None
    public_key: Base64 | None  # SubjectPublicKeyInfo, DER, for private_key_jwt with ES256
    state: Literal["active", "suspended", "closed"]

    @model_validator(mode="after")
    def _proves_itself_one_way(self) -> Self:
        if (self.secret_hash is None) == (self.public_key is None):
            raise ValueError("须登记密钥散列或公钥之一 / register either a secret hash or a public key")
        if len(set(self.roles)) != len(self.roles) or len(set(self.organs)) != len(self.organs):
            raise ValueError("角色或单位重复 / a role or an organ is named twice")
        if not self.organs and {"approval_system", "grantor_administrator"} & set(self.roles):
            raise ValueError("该角色须列明所代表的单位 / this role needs the organs it may act for")
        return self


class ClientApprovalKey(DatedRecord):
    """An approval system's key for attesting approvals; never the key it authenticates with."""

    client: RecordId
    algorithm: Literal["ES256"]
    public_key: Base64  # SubjectPublicKeyInfo, DER
    registered_by: RecordId
    document: Text


def check_approval_key(key: ClientApprovalKey, client: Client) -> None:
    """Refuse a key that the client also authenticates with: one stolen credential would do for both.

    Raises :class:`RecordInvalidError` ``approval-key-is-authentication-key`` or ``approval-key-of-another``.
    """
    if key.client != client.id:
        raise RecordInvalidError(
            "approval-key-of-another",
            f"批准密钥属于 {key.client}，不属于 {client.id}",
            f"the approval key belongs to {key.client}, not to {client.id}",
        )
    if key.public_key == client.public_key:
        raise RecordInvalidError(
            "approval-key-is-authentication-key",
            "批准密钥须不同于身份验证密钥",
            "the approval key must differ from the authentication key",
        )
