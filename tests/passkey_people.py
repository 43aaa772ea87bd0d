"""People of a test world with approval passkeys of their own."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from software_authenticator import SoftwareAuthenticator, encoded
from world import GRANTEES, OPERATOR, World

from ledger.ids import new_id
from registry.approval import TYP
from registry.base64url import from_base64url
from registry.passkeys import Assertion, Passkey
from registry.records import PersonKey
from registry.statements import asserted_statement, challenge_of
from sealing.order import Order

RP, ORIGIN = "approve.yinxin.example", "https://approve.yinxin.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyHolder:
    """A person's registered passkey."""

    key_id: str
    authenticator: SoftwareAuthenticator

    def sign(self, payload: dict[str, Any], *, typ: str = TYP) -> str:
        response = self.authenticator.sign(challenge_of(payload, typ=typ))["response"]
        assertion = Assertion(
            authenticator_data=from_base64url(response["authenticatorData"]),
            client_data=from_base64url(response["clientDataJSON"]),
            signature=from_base64url(response["signature"]),
        )
        return asserted_statement(payload, typ=typ, kid=self.key_id, assertion=assertion)


def with_passkey(world: World, person: str) -> PasskeyHolder:
    """Register a new passkey of ``person`` and hand it out."""
    authenticator = SoftwareAuthenticator(RP, ORIGIN)
    public = authenticator.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = PersonKey(
        id=new_id("pky"),
        person=person,
        algorithm="ES256",
        public_key=b64encode(public).decode(),
        registered_by=OPERATOR.id,
        document="示例登记表",
        passkey=Passkey(rp_id=RP, origin=ORIGIN, credential_id=encoded(authenticator.credential_id)),
        valid_from=world.now - timedelta(days=30),
        valid_until=None,
    )
    world.put(key)
    return PasskeyHolder(key_id=key.id, authenticator=authenticator)


def with_passkey_now(world: World, person: str) -> PasskeyHolder:
    """As :func:`with_passkey`, in a world whose record goes on by the real clock."""
    world.now = datetime.now(UTC)
    return with_passkey(world, person)


def approve_by_passkey(
    world: World, holder: PasskeyHolder, name: str, order: Order, *documents: Path, **changed: Any
) -> str:
    """The approval of these documents by the principal of the grantee of agreement ``name``."""
    claims = world.claims(name, order, *documents, **changed)
    assert claims.principal == world.staff[GRANTEES[name]].principal
    return holder.sign(claims.model_dump(mode="json", by_alias=True))
