"""A principal approves a case with a passkey: what is shown is fixed, then signed, then attached to every document.

1. :func:`begin`: the statement is made from what waits now, and kept under a handle that counts once, for five minutes.
2. The person's authenticator signs its digest, on the approval pages, which sign nobody in.
3. :func:`finish`: the signature is checked as everybody else will check it, and attached in one commit to every
   application of the case; if one of them no longer waits, or is no longer what was shown, to none.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from accounts.store import approvals_held
from ledger.canonical import JsonValue, canonical, parse
from ledger.entry import Draft
from ledger.moments import from_text, to_text
from registry.approval import TYP, ApprovalClaims, read_statement
from registry.base64url import to_base64url
from registry.keys import person_keys
from registry.passkeys import Assertion
from registry.record import read
from registry.records import Person, PersonKey
from registry.statements import asserted_statement, challenge_of
from sealing import applications
from sealing.approval_cases import ApprovalCase, capacity, claims_of, waiting_case
from sealing.errors import ConflictError, NotAllowedError, OrderError
from sealing.tables import pending_approvals
from sealing.workshop import Workshop

LIFETIME: Final = timedelta(minutes=5)

_insert = insert(pending_approvals)
_find = select(pending_approvals).where(pending_approvals.c.handle == bindparam("digest"))
_take = delete(pending_approvals).where(pending_approvals.c.handle == bindparam("digest"))
_lapsed = delete(pending_approvals).where(pending_approvals.c.expires < bindparam("now"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an authenticator is asked to sign. ``handle`` is known to the person's browser only."""

    handle: str
    claims: ApprovalClaims
    challenge: bytes
    rp_id: str
    credentials: tuple[str, ...]
    """The person's passkeys, base64url."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A statement that was fixed and is not signed yet."""

    claims: ApprovalClaims
    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An approval that was checked and attached."""

    person: str
    applications: tuple[str, ...]


def begin(
    shop: Workshop,
    application: str,
    *,
    person: str,
    organ: str,
    confirms: Sequence[str],
    now: datetime,
) -> Asked:
    """Fix what ``person`` is asked to sign for the case of ``application`` (its id).

    Raises ``NotAllowedError`` ``not-a-principal``, ``no-approval-passkey``, ``approvals-held`` or
    ``approving-own-application``,
    ``ConflictError`` ``application-not-waiting``, and what :func:`sealing.approval_cases.claims_of` raises.
    """
    with shop.database.write() as connection:
        case = waiting_case(connection, organ, application)
        role = capacity(connection, shop, person, organ, now)
        _check_not_held(connection, person, now)
        _check_not_own(connection, shop, case, person)
        keys = passkeys_of(connection, shop, person, now)
        if not keys:
            raise NotAllowedError(
                "no-approval-passkey",
                "您还没有可用的批准通行密钥，请先登记",
                "you have no approval passkey that can be used now; register one first",
            )
        claims = claims_of(connection, shop, case, role, confirms=confirms, now=now)
        told = claims.model_dump(mode="json", by_alias=True)
        handle = secrets.token_urlsafe(32)
        connection.execute(_lapsed, {"now": to_text(now)})
        connection.execute(
            _insert,
            {
                "handle": _digest(handle),
                "person": person,
                "applications": canonical([each.id for each in case.applications]).decode(),
                "claims": canonical(told).decode(),
                "expires": to_text(now + LIFETIME),
            },
        )
    return Asked(
        handle=handle,
        claims=claims,
        challenge=challenge_of(told, typ=TYP),
        rp_id=str(keys[0].passkey and keys[0].passkey.rp_id),
        credentials=tuple(each.passkey.credential_id for each in keys if each.passkey is not None),
    )


def finish(shop: Workshop, handle: str, credential: str, assertion: Assertion, now: datetime) -> Given:
    """Check the signature and attach the approval to every application of the case.

    ``credential`` is the id of the passkey that signed, base64url. Whoever holds the handle may hand in, but only a
    passkey of the person who was asked counts. Raises ``OrderError`` ``approval-handle-unknown`` (used or lapsed),
    ``passkey-unknown``, ``NotAllowedError`` ``not-a-principal``, ``ApprovalEvidenceError``, ``ConflictError``
    ``application-not-waiting``.
    """
    taken = _taken(shop, handle, now)
    claims, person = taken.claims, taken.claims.principal
    with shop.database.write() as connection:
        key = next(
            (
                each
                for each in passkeys_of(connection, shop, person, now)
                if each.passkey is not None and each.passkey.credential_id == credential
            ),
            None,
        )
        if key is None:
            raise OrderError(
                "passkey-unknown",
                "这把通行密钥不是您登记的批准通行密钥",
                "this passkey is none of the approval passkeys registered for you",
            )
        payload = claims.model_dump(mode="json", by_alias=True)
        statement = asserted_statement(payload, typ=TYP, kid=key.id, assertion=assertion)
        read_statement(statement, person_keys(shop.registry, connection), audience=shop.identity.origin)
        capacity(connection, shop, person, claims.grantee, now)
        _check_not_held(connection, person, now)
        for application in taken.applications:
            _attach(connection, shop, application, claims, statement, now)
    return Given(person=person, applications=taken.applications)


def pending(connection: Connection, handle: str, now: datetime) -> Pending:
    """What waits to be signed under the handle. Raises ``OrderError`` ``approval-handle-unknown``."""
    row = connection.execute(_find, {"digest": _digest(handle)}).mappings().one_or_none()
    if row is None or from_text(row["expires"]) <= now:
        raise _gone()
    return Pending(
        claims=read(ApprovalClaims, parse(row["claims"].encode())), applications=tuple(json.loads(row["applications"]))
    )


def passkeys_of(connection: Connection, shop: Workshop, person: str, now: datetime) -> list[PersonKey]:
    """The approval passkeys of a person that can be used now."""
    found = (each.record for each in shop.registry.find(connection, PersonKey, person=person))
    return [
        each
        for each in found
        if each.passkey is not None and each.valid_from <= now and (each.valid_until is None or now < each.valid_until)
    ]


def options_of(connection: Connection, shop: Workshop, waiting: Pending, now: datetime) -> dict[str, JsonValue]:
    """What ``navigator.credentials.get`` is asked with (WebAuthn 5.5), base64url where it takes bytes."""
    keys = [each.passkey for each in passkeys_of(connection, shop, waiting.claims.principal, now) if each.passkey]
    payload = waiting.claims.model_dump(mode="json", by_alias=True)
    return {
        "challenge": to_base64url(challenge_of(payload, typ=TYP)),
        "rpId": keys[0].rp_id if keys else "",
        "allowCredentials": [{"type": "public-key", "id": each.credential_id} for each in keys],
        "userVerification": "required",
        "timeout": int(LIFETIME.total_seconds() * 1000),
    }


def _taken(shop: Workshop, handle: str, now: datetime) -> Pending:
    """What was fixed under the handle. It counts once: also one whose signature is then refused is gone."""
    with shop.database.write() as connection:
        found = pending(connection, handle, now)
        if connection.execute(_take, {"digest": _digest(handle)}).rowcount != 1:  # somebody was faster
            raise _gone()
    return found


def _gone() -> OrderError:
    return OrderError(
        "approval-handle-unknown",
        "这次批准已超时或已提交过，请重新打开申请再批准",
        "this approval has lapsed or was handed in before; open the application and approve again",
    )


def _attach(
    connection: Connection, shop: Workshop, application: str, claims: ApprovalClaims, statement: str, now: datetime
) -> None:
    found = applications.get(connection, application, lock=True)
    listed = any(line.digest == found.document for line in claims.manifest)
    if not listed or found.approval is not None or not applications.attach_approval(connection, application, statement):
        raise ConflictError(
            "application-not-waiting",
            f"申请 {application} 已被办理、撤回或退回，本次批准未记录",
            f"application {application} was decided, withdrawn or rejected meanwhile; this approval was not recorded",
        )
    applications.refuse_if_ended(connection, shop.book, application)
    draft = Draft(
        kind="approval.brought",
        subjects=(application,),
        groups={
            "application": {"application": application, "client": found.client, "address": None},
            "approval": {"jws": statement},
        },
    )
    shop.book.append(connection, draft, now)


def _check_not_held(connection: Connection, person: str, now: datetime) -> None:
    if approvals_held(connection, person, now):
        raise NotAllowedError(
            "approvals-held",
            "账号刚找回，24 小时内不能批准；此事已告知您本人和对方单位",
            "the account was recovered within the last 24 hours; until they are over nothing can be approved",
        )


def _check_not_own(connection: Connection, shop: Workshop, case: ApprovalCase, person: str) -> None:
    """Told before anybody signs; the rule ``two_persons`` decides."""
    humans = [
        shop.registry.get(connection, Person, each).record.natural_person
        for each in (person, case.first.order.applicant)
    ]
    if humans[0] == humans[1]:
        raise NotAllowedError(
            "approving-own-application",
            "申请人与批准人须为不同的自然人；您不能批准自己的申请",
            "applicant and approver must be different humans; you cannot approve your own application",
        )


def _digest(handle: str) -> str:
    return sha256(handle.encode()).hexdigest()
