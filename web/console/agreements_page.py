"""Agreements: what both parties signed, and for the grantor's administrators the way from the original to force."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import files
from api.errors import RequestError
from api.service import Service, Serving
from api.uploads import Parts, Upload
from ledger.canonical import canonical
from registry.agreement_terms import terms_digest
from registry.agreements import AgreementChange, AgreementVersion, signature_payload
from registry.errors import RegistryError
from registry.persons import AssignedRole
from registry.records import Agreement
from registry.store import Act, Actor
from sealing.account_desk import approval_place
from sealing.administration import agreements
from sealing.administration.passkey_proposals import begin_proposal
from sealing.agreement_list import agreements_of, items_of, seals_under, view_of
from sealing.errors import SealingError, UnknownError
from web.console.agreement_form import FIELDS, TypedTerms, read_form, typed_of
from web.console.entrance import APPROVERS, GRANTOR, Present, entrance
from web.console.forms import Fields, require_own_page, require_token
from web.reading import reading_of
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/agreements", include_in_schema=False)
GRANTEE: Final[tuple[AssignedRole, ...]] = (*APPROVERS, "seal_user", "custodian")
Party = Annotated[Present, entrance(GRANTOR, *GRANTEE)]
Administrator = Annotated[Present, entrance(GRANTOR)]
Uploaded = Annotated[Upload, Depends(Parts("document", required=("csrf",), optional=("amend",)))]
_ONE_PERSON: Final = {"suspend", "into_force"}
_TWO_PERSONS: Final = {"resume", "end", "recall", "bring_into_force"}


@router.get("", operation_id="showAgreements")
def show_agreements(request: Request, service: Serving, present: Party) -> Response:
    """Those of the person's organs, by number."""
    with service.shop.database.read() as connection:
        found = agreements_of(
            connection,
            service.shop,
            grantors=present.organs(GRANTOR),
            organs=present.organs(*GRANTEE),
            now=service.now(),
        )
    return page(request, "console/agreements.html", present=present, found=found, may_begin=present.has(GRANTOR))


@router.get("/new", operation_id="showNewAgreement")
def show_new_agreement(request: Request, service: Serving, present: Administrator) -> Response:
    """First the original, then its terms; ``amend`` names the agreement that is to be amended."""
    agreement, original = request.query_params.get("amend", ""), request.query_params.get("original", "")
    typed = {"regime": "city_county", "relation": "authorisation", "approval_working_days": "10"}
    if agreement:
        typed = typed_of(_own(service, present, agreement).terms)
    return _form(request, present, typed | {"original": original}, amend=agreement)


@router.post("/original", operation_id="keepOriginal")
def keep_original(request: Request, service: Serving, present: Administrator, upload: Uploaded) -> Response:
    """Keep the signed original, and go on to the terms."""
    require_own_page(request)
    require_token(present, upload.text("csrf") or "")
    if upload.file.length == 0:
        raise RequestError("part-missing", "请先选择一个 PDF 文件", "choose a PDF file first")
    query = {"original": service.shop.documents.put(upload.file.path), "amend": upload.text("amend") or ""}
    query["lang"] = reading_of(request).language
    return RedirectResponse(f"/console/agreements/new?{urlencode(query)}", 303)


@router.post("", operation_id="draftAgreement")
def draft_agreement(request: Request, service: Serving, fields: Fields, present: Administrator) -> Response:
    """Register the draft, or open the amendment. What was typed is shown again with what is wrong."""
    require_token(present, fields.get("csrf", ""))
    typed = {name: fields.get(name, "") for name in FIELDS}
    amend = fields.get("amend", "")
    if amend:
        _own(service, present, amend)
    judged = read_form(typed)
    if judged.wrong:
        return _form(request, present, typed, amend=amend, judged=judged)
    if typed["grantor"] not in present.organs(GRANTOR):
        wrong = {"grantor": ("只能登记您所管理的单位授出的协议", "you can register agreements of your own organ only")}
        return _form(request, present, typed, amend=amend, judged=TypedTerms(wrong=wrong))
    try:
        service.shop.documents.read_path(typed["original"])
        act = _act(service, present, "登记协议变更" if amend else "登记协议")
        if amend:
            stored = agreements.amend(service.shop, amend, judged.terms, typed["original"], act)
        else:
            stored = agreements.draft(service.shop, judged.terms, typed["original"], act)
    except (RegistryError, SealingError) as error:
        judged = TypedTerms(wrong={"number": (error.zh, error.en)})
        return _form(request, present, typed, amend=amend, judged=judged)
    return _to(request, stored.record.id)


@router.get("/{agreement_id}", operation_id="showAgreement")
def show_agreement(request: Request, service: Serving, present: Party, agreement_id: str) -> Response:
    """Every part of it, its signatures, its seals, and what can be done."""
    now, shop = service.now(), service.shop
    with shop.database.read() as connection:
        found = _visible(service, present, connection, agreement_id)
        view = view_of(connection, shop, found, now)
        items, seals = items_of(connection, shop, found, now), seals_under(connection, shop, found.id)
    version = found.open_version
    waiting = {} if version is None else {each: _to_sign(found, version, each) for each in version.unsigned_by}
    own = found.terms.grantor in present.organs(GRANTOR)
    return page(
        request,
        "console/agreement.html",
        headers=policy_with(f"form-action 'self' {approval_place(shop.settings).origin}"),
        present=present,
        view=view,
        items=items,
        seals=seals,
        version=version,
        waiting=waiting,
        steps=_steps(found) if own else (),
        own=own,
        original=_kept(service, found),
    )


@router.get("/{agreement_id}/original", operation_id="giveOriginal")
def give_original(service: Serving, present: Party, agreement_id: str) -> Response:
    """The signed original of the version in force."""
    with service.shop.database.read() as connection:
        found = _visible(service, present, connection, agreement_id)
    content = service.shop.documents.read_path(found.current.original_digest).read_bytes()
    return files.file_of(content, name=f"{found.id}.pdf", media_type="application/pdf")


@router.post("/{agreement_id}/signature", operation_id="attachSignature")
def attach_signature(
    request: Request, service: Serving, fields: Fields, present: Administrator, agreement_id: str
) -> Response:
    """Hand in what an organ signed over the open version."""
    require_token(present, fields.get("csrf", ""))
    _own(service, present, agreement_id)
    agreements.sign(service.shop, agreement_id, fields.get("jws", ""), _act(service, present, "交入单位签名"))
    return _to(request, agreement_id)


@router.post("/{agreement_id}/state", operation_id="changeAgreement")
def change_agreement(
    request: Request, service: Serving, fields: Fields, present: Administrator, agreement_id: str
) -> Response:
    """Bring a draft into force or suspend at once; everything else begins with the person's signed proposal."""
    require_token(present, fields.get("csrf", ""))
    found, step, reason = _own(service, present, agreement_id), fields.get("step", ""), fields.get("reason", "")
    if not reason:
        raise RequestError("reason-missing", "请写明理由", "a reason is expected")
    if step not in _steps(found):
        raise RequestError("step-unknown", "请选择要做的事", "choose what to do")
    if step in _TWO_PERSONS:
        version = found.pending if step == "bring_into_force" else found.current
        digest = terms_digest((version or found.current).terms)
        content = {"agreement": agreement_id, "change": step, "terms_digest": digest}
        now = service.now()
        handle = begin_proposal(
            service.shop, "change_agreement", content, person=present.person.id, reason=reason, now=now
        )
        return to_signing(request, service, handle)
    if step == "into_force":
        agreements.bring_into_force(service.shop, agreement_id, _act(service, present, reason))
    else:
        agreements.change_state(
            service.shop, agreement_id, cast("AgreementChange", step), _act(service, present, reason)
        )
    return _to(request, agreement_id)


def to_signing(request: Request, service: Service, handle: str) -> Response:
    """To the approval pages, where the passkey signs what waits under ``handle``."""
    query = urlencode({"handle": handle, "lang": reading_of(request).language})
    return RedirectResponse(f"{approval_place(service.shop.settings).origin}/approve?{query}", 303)


def _steps(agreement: Agreement) -> tuple[str, ...]:
    """What can be done with an agreement, in the order of the page."""
    if agreement.state == "draft":
        return ("into_force",) if not agreement.current.unsigned_by else ()
    amended = agreement.pending is not None and not agreement.pending.unsigned_by
    steps = {"in_force": ("suspend", "end", "recall"), "suspended": ("resume", "end", "recall")}.get(
        agreement.state, ()
    )
    return ("bring_into_force", *steps) if amended else steps


def _form(
    request: Request,
    present: Present,
    typed: Mapping[str, str],
    *,
    amend: str,
    judged: TypedTerms | None = None,
) -> Response:
    wrong = {} if judged is None else judged.wrong
    return page(
        request,
        "console/agreement_form.html",
        status=422 if wrong else 200,
        present=present,
        fields=typed,
        wrong=wrong,
        amend=amend,
    )


def _visible(service: Service, present: Present, connection: Any, agreement_id: str) -> Agreement:  # noqa: ANN401  a connection
    found = service.shop.registry.look(connection, Agreement, agreement_id)
    if found is None or not (
        found.record.terms.grantor in present.organs(GRANTOR) or found.record.terms.grantee in present.organs(*GRANTEE)
    ):
        raise UnknownError("agreement-unknown", f"没有协议 {agreement_id}", f"there is no agreement {agreement_id}")
    return found.record


def _own(service: Service, present: Present, agreement_id: str) -> Agreement:
    with service.shop.database.read() as connection:
        found = _visible(service, present, connection, agreement_id)
    if found.terms.grantor not in present.organs(GRANTOR):
        raise UnknownError("agreement-unknown", f"没有协议 {agreement_id}", f"there is no agreement {agreement_id}")
    return found


def _to_sign(agreement: Agreement, version: AgreementVersion, organ: str) -> str:
    return canonical(signature_payload(agreement, version, organ)).decode()


def _kept(service: Service, agreement: Agreement) -> bool:
    """Whether the original lies here; one registered by command lies with its organ."""
    try:
        service.shop.documents.read_path(agreement.current.original_digest)
    except UnknownError:
        return False
    return True


def _act(service: Service, present: Present, why: str) -> Act:
    return Act(by=Actor(id=present.person.id, name=present.person.name, organ=None), why=why, now=service.now())


def _to(request: Request, agreement_id: str) -> Response:
    return RedirectResponse(reading_of(request).link(f"/console/agreements/{agreement_id}"), 303)
