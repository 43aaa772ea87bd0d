"""Agreements 协议: drafted, signed by both organs, in force, amended, suspended, ended, recalled."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from pydantic import Field

from api.bodies import After, Id, Kept, Limit, Page, Reasoned, kept, page_of
from api.callers import Grantor, Insider, Requester, act_of, hidden, require_organ
from api.service import Service, Serving
from registry.agreements import AgreementChange
from registry.fields import Digest
from registry.records import Agreement
from registry.row_guard import Stored
from registry.store import Act
from sealing.administration import agreements

router: Final = APIRouter(prefix="/v1/agreements", tags=["agreements"])


class TermsBody(Reasoned):
    """The terms with every part that [000 二(一)] demands, and the digest of the signed original."""

    terms: Annotated[dict[str, Any], Field(description="docs/agreement-terms.md")]
    original_digest: Digest


class SignatureBody(Reasoned):
    """An organ's signature over the open version: JWS compact, ES256."""

    signature: Annotated[str, Field(min_length=1, max_length=20_000)]


class AgreementStateBody(Reasoned):
    """What is to happen: ``bring_into_force`` once both organs signed, or a change of state."""

    change: AgreementChange | Literal["bring_into_force"]


@router.post("", operation_id="draftAgreement", status_code=201)
def draft_agreement(service: Serving, caller: Grantor, body: TermsBody) -> Kept[Agreement]:
    """Register a draft. Only a client that acts for the grantor may."""
    grantor = str(body.terms.get("grantor"))
    require_organ(caller, grantor)
    act = act_of(caller, body.reason, service, organ=grantor)
    return kept(agreements.draft(service.shop, body.terms, body.original_digest, act))


@router.get("", operation_id="listAgreements")
def list_agreements(service: Serving, caller: Insider, limit: Limit = 100, after: After = None) -> Page[Agreement]:
    """The agreements of the caller's organs, or all for an auditor, by id."""
    with service.shop.database.read() as connection:
        found = [each.record for each in service.shop.registry.find(connection, Agreement)]
    mine = [each for each in found if caller.sees(grantor=each.terms.grantor, grantee=each.terms.grantee)]
    return page_of(mine, lambda agreement: agreement.id, after=after, limit=limit)


@router.get("/{agreement_id}", operation_id="readAgreement")
def read_agreement(service: Serving, agreement_id: Id, caller: Insider) -> Kept[Agreement]:
    """One agreement, with the version in force and the one that waits for signatures."""
    return kept(_visible(service, agreement_id, caller))


@router.post("/{agreement_id}/signatures", operation_id="signAgreement", status_code=201)
def sign_agreement(service: Serving, agreement_id: Id, caller: Grantor, body: SignatureBody) -> Kept[Agreement]:
    """Attach the signature of either organ's registered key."""
    act = _act(service, agreement_id, caller, body)
    return kept(agreements.sign(service.shop, agreement_id, body.signature, act))


@router.post("/{agreement_id}/state", operation_id="changeAgreementState")
def change_agreement_state(
    service: Serving, agreement_id: Id, caller: Grantor, body: AgreementStateBody
) -> Kept[Agreement]:
    """Bring into force, suspend, resume, end or recall."""
    act = _act(service, agreement_id, caller, body)
    if body.change == "bring_into_force":
        return kept(agreements.bring_into_force(service.shop, agreement_id, act))
    return kept(agreements.change_state(service.shop, agreement_id, body.change, act))


@router.post("/{agreement_id}/amendments", operation_id="amendAgreement", status_code=201)
def amend_agreement(service: Serving, agreement_id: Id, caller: Grantor, body: TermsBody) -> Kept[Agreement]:
    """Open an amendment; the present version holds until both organs signed it and it comes into force."""
    act = _act(service, agreement_id, caller, body)
    return kept(agreements.amend(service.shop, agreement_id, body.terms, body.original_digest, act))


def _visible(service: Service, agreement_id: str, caller: Requester) -> Stored[Agreement]:
    with service.shop.database.read() as connection:
        found = service.shop.registry.get(connection, Agreement, agreement_id)
    terms = found.record.terms
    if not caller.sees(grantor=terms.grantor, grantee=terms.grantee):
        raise hidden("agreement", agreement_id)
    return found


def _act(service: Service, agreement_id: str, caller: Requester, body: Reasoned) -> Act:
    """The caller's act on an agreement of an organ it may act for; another's reads as if it did not exist."""
    grantor = _visible(service, agreement_id, caller).record.terms.grantor
    if not caller.acts_for(grantor):
        raise hidden("agreement", agreement_id)
    return act_of(caller, body.reason, service, organ=grantor)
