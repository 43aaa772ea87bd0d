"""Issuing a seal: what it will look like, and the signed proposal that another administrator decides."""

from base64 import b64encode
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.errors import RequestError
from api.service import Service, Serving
from registry.errors import RecordInvalidError
from registry.records import Agreement
from sealing.account_desk import approval_place
from sealing.administration.faces import coming_face
from sealing.administration.passkey_proposals import begin_proposal
from sealing.agreement_list import custodians_at, view_of
from sealing.errors import UnknownError
from signer.errors import SignerError
from web.console.agreements_page import to_signing
from web.console.entrance import GRANTOR, Present, entrance
from web.console.forms import Fields, require_token
from web.templates import page, policy_with

router: Final = APIRouter(prefix="/console/agreements/{agreement_id}/seal", include_in_schema=False)
Administrator = Annotated[Present, entrance(GRANTOR)]
_FIELDS: Final = ("custodian", "daily_cap", "diameter_mm", "check_mark", "reason")
_MARKS: Final = ("none", "code", "qr")
_USUAL: Final = {"diameter_mm": "42", "check_mark": "qr"}


@router.get("", operation_id="showIssue")
def show_issue(request: Request, service: Serving, present: Administrator, agreement_id: str) -> Response:
    """The form, with the face of the usual size."""
    return _form(request, service, present, _own(service, present, agreement_id), typed=dict(_USUAL))


@router.post("", operation_id="proposeIssue")
def propose_issue(
    request: Request, service: Serving, fields: Fields, present: Administrator, agreement_id: str
) -> Response:
    """Show the face as chosen, or go to sign the proposal."""
    require_token(present, fields.get("csrf", ""))
    agreement = _own(service, present, agreement_id)
    typed = {name: fields.get(name, "") for name in _FIELDS}
    if fields.get("do") == "show":
        return _form(request, service, present, agreement, typed=typed)
    cap = typed["daily_cap"]
    try:
        if not typed["reason"]:
            raise RequestError("reason-missing", "请写明理由", "a reason is expected")  # noqa: TRY301  shown in the form
        content = {
            "agreement": agreement_id,
            "custodian": typed["custodian"] or None,
            "daily_cap": int(cap) if cap.isascii() and cap.isdecimal() and len(cap) < 10 else cap or None,  # noqa: PLR2004  judged below
            "diameter_mm": typed["diameter_mm"],
            "check_mark": typed["check_mark"],
        }
        handle = begin_proposal(
            service.shop, "issue_seal", content, person=present.person.id, reason=typed["reason"], now=service.now()
        )
    except (RecordInvalidError, RequestError) as error:
        return _form(request, service, present, agreement, typed=typed, wrong=(error.zh, error.en))
    return to_signing(request, service, handle)


def _form(
    request: Request,
    service: Service,
    present: Present,
    agreement: Agreement,
    *,
    typed: dict[str, str],
    wrong: tuple[str, str] | None = None,
) -> Response:
    now, shop = service.now(), service.shop
    members: dict[str, Any] = {"name": "", "face": "", "wrong": wrong}
    with shop.database.read() as connection:
        view = view_of(connection, shop, agreement, now)
        custodians = custodians_at(connection, shop, agreement.terms.grantee, now)
        try:
            coming = coming_face(shop, connection, agreement, typed["diameter_mm"], now)
        except (RecordInvalidError, SignerError) as error:
            members["wrong"] = wrong or (error.zh, error.en)
        except ArithmeticError:
            members["wrong"] = wrong or ("直径应为数字", "the diameter should be a number")
        else:
            drawn = coming.face.svg().encode()
            members |= {"name": coming.name, "face": "data:image/svg+xml;base64," + b64encode(drawn).decode()}
    return page(
        request,
        "console/issue.html",
        status=422 if members["wrong"] else 200,
        headers=policy_with(f"form-action 'self' {approval_place(shop.settings).origin}"),
        present=present,
        view=view,
        custodians=custodians,
        marks=_MARKS,
        fields=typed,
        **members,
    )


def _own(service: Service, present: Present, agreement_id: str) -> Agreement:
    with service.shop.database.read() as connection:
        found = service.shop.registry.look(connection, Agreement, agreement_id)
    if found is None or found.record.terms.grantor not in present.organs(GRANTOR):
        raise UnknownError("agreement-unknown", f"没有协议 {agreement_id}", f"there is no agreement {agreement_id}")
    return found.record
