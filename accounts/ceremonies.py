"""The two WebAuthn ceremonies: adding a passkey and signing in with one (WebAuthn Level 2, 7.1 and 7.2).

User verification is required and the credential is discoverable; ES256 and RS256; no attestation is asked for. A
challenge is taken before its answer is looked at, in a transaction of its own, so a wrong answer uses it up, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any, Final, NoReturn

import webauthn
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import (
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from accounts import challenges
from accounts.challenges import LIFETIME, Challenge
from accounts.desk import Desk
from accounts.errors import ChoiceError, PasskeyError, StateError
from accounts.passkeys import LONGEST_LABEL, Passkey, add_passkey, find_passkey, passkeys_of
from accounts.store import account_of

ADDING: Final = "passkey-adding"
SIGNING_IN: Final = "passkey-signing-in"
ALGORITHMS: Final = [COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256]
_CHALLENGE_BYTES: Final = 32
_LONGEST_CREDENTIAL: Final = 1023
_LONGEST_KEY: Final = 2048
_MILLISECONDS: Final = int(LIFETIME.total_seconds() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceremony:
    """What the page hands to the browser (``options``, JSON) and keeps to answer with (``handle``)."""

    handle: str = field(repr=False)
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A passkey whose holder, present and verified, answered; its new count is not written yet."""

    passkey: Passkey
    sign_count: int


def begin_registration(connection: Connection, desk: Desk, person: str, now: datetime) -> Ceremony:
    """What ``navigator.credentials.create`` needs to make a passkey for ``person``.

    Raises :class:`StateError` ``account-not-open``.
    """
    account = account_of(connection, person)
    if account is None:
        raise StateError("account-not-open", "该人员没有启用中的帐户", "the person has no open account")
    challenge = token_bytes(_CHALLENGE_BYTES)
    options = webauthn.generate_registration_options(
        rp_id=desk.relying_party.rp_id,
        rp_name=desk.relying_party.name,
        user_name=account.name,
        user_id=user_handle(person),
        challenge=challenge,
        timeout=_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(connection, person),
        supported_pub_key_algs=ALGORITHMS,
    )
    waiting = Challenge(purpose=ADDING, challenge=challenge, person=person, expires=now + LIFETIME)
    return Ceremony(handle=challenges.put(connection, waiting, now), options=options_to_json_dict(options))


def finish_registration(
    desk: Desk, person: str, handle: str, *, answer: Mapping[str, Any], label: str, now: datetime
) -> Passkey:
    """Keep the passkey that the browser answered with (``toJSON`` form); the ledger entry stands with it.

    Raises :class:`ChoiceError` ``label-refused``, :class:`PasskeyError` ``challenge-gone``, ``passkey-refused``,
    ``passkey-known``, :class:`StateError` ``account-not-open``, ``passkeys-full``.
    """
    label = _label(label)
    with desk.database.write() as connection:
        waiting = challenges.take(connection, handle, now)
    if waiting is None or (waiting.purpose, waiting.person) != (ADDING, person):
        _gone()
    verified = verified_registration(desk, answer, waiting.challenge)
    made = Passkey(
        credential=verified.credential_id,
        person=person,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        label=label,
        created=now,
        last_used=None,
    )
    try:
        with desk.database.write() as connection:
            add_passkey(connection, desk, made)
    except IntegrityError:  # somebody else added the same at this moment
        raise PasskeyError("passkey-known", "该通行密钥已登记过", "this passkey was added before") from None
    return made


def begin_sign_in(
    connection: Connection, desk: Desk, now: datetime, *, person: str | None = None, purpose: str = SIGNING_IN
) -> Ceremony:
    """What ``navigator.credentials.get`` needs.

    With ``person`` only that person's passkeys are asked for, else the browser offers what it has for this place.
    """
    challenge = token_bytes(_CHALLENGE_BYTES)
    options = webauthn.generate_authentication_options(
        rp_id=desk.relying_party.rp_id,
        challenge=challenge,
        timeout=_MILLISECONDS,
        allow_credentials=None if person is None else _descriptors(connection, person),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    waiting = Challenge(purpose=purpose, challenge=challenge, person=person, expires=now + LIFETIME)
    return Ceremony(handle=challenges.put(connection, waiting, now), options=options_to_json_dict(options))


def prove(desk: Desk, waiting: Challenge, answer: Mapping[str, Any]) -> Proof:
    """What ``answer`` proves for ``waiting``, a challenge taken before. Writes nothing.

    Raises :class:`PasskeyError` ``passkey-refused``, ``passkey-unknown``.
    """
    credential = _read(answer)
    with desk.database.read() as connection:
        passkey = find_passkey(connection, credential.raw_id)
    if passkey is None or waiting.person not in {None, passkey.person}:
        raise PasskeyError("passkey-unknown", "该通行密钥没有登记在此帐户", "this passkey is not of this account")
    _check_user(credential, waiting, passkey)
    sign_count = _verified_sign_count(desk, credential, waiting.challenge, passkey)
    return Proof(passkey=passkey, sign_count=sign_count)


def user_handle(person: str) -> bytes:
    """What an authenticator keeps of the person: the opaque id."""
    return person.encode("ascii")


def verified_registration(
    desk: Desk,
    answer: Mapping[str, Any],
    challenge: bytes,
    algorithms: Sequence[COSEAlgorithmIdentifier] = tuple(ALGORITHMS),
) -> VerifiedRegistration:
    """What ``answer`` proves of a new passkey (WebAuthn 7.1). Raises :class:`PasskeyError` ``passkey-refused``."""
    try:
        credential = parse_registration_credential_json(dict(answer))
        _check_frame(credential.response.client_data_json)
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=desk.relying_party.rp_id,
            expected_origin=desk.relying_party.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(algorithms),
        )
        if len(verified.credential_id) > _LONGEST_CREDENTIAL or len(verified.credential_public_key) > _LONGEST_KEY:
            raise ValueError("credential id or public key too long")  # noqa: TRY301  refused like all else
    except Exception as error:  # noqa: BLE001  foreign bytes: the library lets KeyError and others through
        _refused(error)
    return verified


def _read(answer: Mapping[str, Any]) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(dict(answer))
    except Exception as error:  # noqa: BLE001  foreign bytes, as above
        _refused(error)


def _check_user(credential: AuthenticationCredential, waiting: Challenge, passkey: Passkey) -> None:
    """WebAuthn 7.2 step 6: the authenticator's word who the user is, needed where nobody was asked for."""
    given = credential.response.user_handle
    if given is None and waiting.person is not None:
        return
    if given != user_handle(passkey.person):
        raise PasskeyError(
            "passkey-unknown",
            "该通行密钥没有登记在此帐户",
            "this passkey is not of this account",
            person=passkey.person,
        )


def _verified_sign_count(desk: Desk, credential: AuthenticationCredential, challenge: bytes, passkey: Passkey) -> int:
    try:
        _check_frame(credential.response.client_data_json)
        return webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=desk.relying_party.rp_id,
            expected_origin=desk.relying_party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared where it is written, so that two at once cannot both pass
            require_user_verification=True,
        ).new_sign_count
    except Exception as error:  # noqa: BLE001  foreign bytes, as above
        _refused(error, person=passkey.person)


def _check_frame(client_data: bytes) -> None:
    """A page inside another site's frame may trick the person; ours never is."""
    if parse_client_data_json(client_data).cross_origin:
        raise ValueError("made inside a frame of another site")


def _descriptors(connection: Connection, person: str) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each.credential) for each in passkeys_of(connection, person)]


def _label(label: str) -> str:
    plain = " ".join(label.split())
    if not 0 < len(plain) <= LONGEST_LABEL or not plain.isprintable():
        raise ChoiceError(
            "label-refused",
            f"名称长 {len(plain)} 个字符，应为 1 至 {LONGEST_LABEL} 个可见字符",
            f"the name has {len(plain)} characters, 1 to {LONGEST_LABEL} that can be seen expected",
        )
    return plain


def _gone() -> NoReturn:
    raise PasskeyError(
        "challenge-gone",
        "本次操作已用过或已超过5分钟；请重新开始",
        "this was answered before or is older than five minutes; please begin again",
    )


def _refused(error: Exception, *, person: str | None = None) -> NoReturn:
    found = str(error)[:120] or type(error).__name__
    raise PasskeyError(
        "passkey-refused",
        "通行密钥的回答不符合要求；请重新开始",
        f"the passkey's answer does not hold ({found}); please begin again",
        person=person,
    ) from error
