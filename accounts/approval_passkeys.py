"""Making an approval passkey: on the approval pages, for a person who has signed in elsewhere.

What comes out is offered, not registered: that it is this person's key is for an administrator to confirm, who compares
its fingerprint in person. Only then does the registry know it (``registry.persons.PersonKey``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final

import webauthn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, insert, select, update
from webauthn.helpers import decode_credential_public_key, options_to_json_dict
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts import challenges
from accounts.ceremonies import user_handle, verified_registration
from accounts.challenges import LIFETIME, Challenge
from accounts.desk import Desk, RelyingParty
from accounts.errors import PasskeyError, StateError
from accounts.store import account_of
from accounts.tables import offered_passkeys
from ledger.ids import new_id
from ledger.moments import to_text
from registry.base64url import to_base64url

OFFERING: Final = "approval-passkey-offering"
_ES256: Final = COSEAlgorithmIdentifier.ECDSA_SHA_256


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedPasskey:
    """A passkey that nobody has confirmed yet. ``public_key`` is a SubjectPublicKeyInfo, DER."""

    id: str
    person: str
    rp_id: str
    origin: str
    credential_id: str
    public_key: bytes
    made: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key in groups of four, to be read out and compared."""
        text = sha256(self.public_key).hexdigest()
        return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def begin_offer(connection: Connection, person: str, now: datetime) -> str:
    """A handle with which the approval pages go on, good for five minutes and one passkey."""
    if account_of(connection, person) is None:
        raise StateError("account-not-open", "该人员没有启用中的帐户", "the person has no open account")
    waiting = Challenge(purpose=OFFERING, challenge=token_bytes(32), person=person, expires=now + LIFETIME)
    return challenges.put(connection, waiting, now)


def offer_options(
    connection: Connection, place: RelyingParty, handle: str, *, name: str, now: datetime
) -> dict[str, Any]:
    """What ``navigator.credentials.create`` needs. Raises :class:`PasskeyError` ``challenge-gone``."""
    waiting = challenges.look(connection, handle, now)
    if waiting is None or waiting.purpose != OFFERING or waiting.person is None:
        raise _gone()
    return options_to_json_dict(
        webauthn.generate_registration_options(
            rp_id=place.rp_id,
            rp_name=place.name,
            user_name=name,
            user_id=user_handle(waiting.person),
            challenge=waiting.challenge,
            timeout=int(LIFETIME.total_seconds() * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            supported_pub_key_algs=[_ES256],
        )
    )


def offering_person(connection: Connection, handle: str, now: datetime) -> str:
    """Who makes a passkey under this handle. Raises :class:`PasskeyError` ``challenge-gone``."""
    waiting = challenges.look(connection, handle, now)
    if waiting is None or waiting.purpose != OFFERING or waiting.person is None:
        raise _gone()
    return waiting.person


def finish_offer(
    desk: Desk, place: RelyingParty, handle: str, *, answer: Mapping[str, Any], now: datetime
) -> OfferedPasskey:
    """Keep what the browser made at ``place``. Raises :class:`PasskeyError` ``challenge-gone``, ``passkey-refused``."""
    with desk.database.write() as connection:
        waiting = challenges.take(connection, handle, now)
    if waiting is None or waiting.purpose != OFFERING or waiting.person is None:
        raise _gone()
    at_place = Desk(
        book=desk.book,
        secrets=desk.secrets,
        passwords=desk.passwords,
        relying_party=place,
        must_have_passkey=desk.must_have_passkey,
    )
    verified = verified_registration(at_place, answer, waiting.challenge, (_ES256,))
    offered = OfferedPasskey(
        id=new_id("off"),
        person=waiting.person,
        rp_id=place.rp_id,
        origin=place.origin,
        credential_id=to_base64url(verified.credential_id),
        public_key=_spki(verified.credential_public_key),
        made=to_text(now),
    )
    with desk.database.write() as connection:
        columns = {name: getattr(offered, name) for name in OfferedPasskey.__slots__}
        connection.execute(insert(offered_passkeys), {**columns, "state": "offered"})
    return offered


def offered_by(connection: Connection, person: str) -> list[OfferedPasskey]:
    """What the person has offered and nobody has confirmed, the newest first."""
    query = select(offered_passkeys).where(offered_passkeys.c.person == person, offered_passkeys.c.state == "offered")
    return [_offered(row) for row in connection.execute(query.order_by(offered_passkeys.c.made.desc())).mappings()]


def get_offered(connection: Connection, offer: str) -> OfferedPasskey:
    """One that waits to be confirmed. Raises :class:`StateError` ``offer-unknown``."""
    query = select(offered_passkeys).where(offered_passkeys.c.id == offer, offered_passkeys.c.state == "offered")
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise StateError(
            "offer-unknown",
            f"没有待确认的通行密钥 {offer}",
            f"no passkey {offer} waits to be confirmed",
        )
    return _offered(row)


def close_offers(connection: Connection, credential_id: str) -> None:
    """The passkey was registered: nothing waits for it any more."""
    connection.execute(
        update(offered_passkeys).where(offered_passkeys.c.credential_id == credential_id).values(state="confirmed")
    )


def _offered(row: Any) -> OfferedPasskey:  # noqa: ANN401  a row's mapping
    return OfferedPasskey(**{name: row[name] for name in OfferedPasskey.__slots__})


def _spki(cose: bytes) -> bytes:
    decoded = decode_credential_public_key(cose)
    if not isinstance(decoded, DecodedEC2PublicKey):
        raise PasskeyError(
            "passkey-refused", "批准通行密钥须为 P-256（ES256）", "an approval passkey must be on P-256 (ES256)"
        )
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(decoded.x, "big"), int.from_bytes(decoded.y, "big"), ec.SECP256R1()
    )
    try:
        return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        raise PasskeyError(
            "passkey-refused", "批准通行密钥不在 P-256 曲线上", "the approval passkey is no point on P-256"
        ) from None


def _gone() -> PasskeyError:
    return PasskeyError(
        "challenge-gone",
        "本次操作已用过或已超过5分钟；请重新开始",
        "this was answered before or is older than five minutes; please begin again",
    )
