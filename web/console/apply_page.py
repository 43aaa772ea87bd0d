"""A seal user's way from a PDF to an application: upload, fill in, see what the rules say, hand in."""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.errors import ForbiddenError, RequestError
from api.service import Service, Serving
from api.uploads import Parts, Upload
from sealing import drafts
from sealing.choices import SealChoice, choices
from sealing.drafts import Draft
from sealing.foresight import Foresight, foresee
from web.console.entrance import Present, entrance
from web.console.forms import Fields, require_own_page, require_token
from web.console.order_form import Typed, kept, read_form, use_of
from web.console.shown_pages import shown
from web.reading import reading_of
from web.templates import page

router: Final = APIRouter(prefix="/console/drafts", include_in_schema=False)
SealUser = Annotated[Present, entrance("seal_user")]
_PARTS: Final = Parts("document", required=("csrf",), optional=("organ", "like"))
Uploaded = Annotated[Upload, Depends(_PARTS)]


@router.get("", operation_id="showDrafts")
def show_drafts(request: Request, service: Serving, present: SealUser) -> Response:
    """Begin with a file, or go on with what was begun."""
    with service.shop.database.read() as connection:
        begun = drafts.of_person(connection, present.person.id)
    most = service.shop.settings.max_pdf_bytes // 1_000_000
    return page(request, "console/drafts.html", present=present, drafts=begun, most=most)


@router.post("", operation_id="beginDraft")
def begin_draft(request: Request, service: Serving, present: SealUser, upload: Uploaded) -> Response:
    """Keep an uploaded PDF as a draft; ``like`` names a draft whose fields are taken over, for the same case."""
    require_own_page(request)
    require_token(present, upload.text("csrf") or "")
    organ = _organ(present, upload.text("organ"))
    if upload.file.length == 0:
        raise RequestError("part-missing", "请先选择一个 PDF 文件", "choose a PDF file first")
    fields: Mapping[str, str] = {}
    like = upload.text("like")
    if like:
        with service.shop.database.read() as connection:
            fields = drafts.get(connection, like, present.person.id).fields
    draft = drafts.begin(
        service.shop,
        upload.file.path,
        upload.file.name[:200],
        fields=fields,
        person=present.person.id,
        organ=organ,
        now=service.now(),
    )
    return _to(request, f"/console/drafts/{draft.id}")


@router.get("/{draft_id}", operation_id="showDraft")
def show_draft(request: Request, service: Serving, present: SealUser, draft_id: str) -> Response:
    """The form with what was typed so far, and with ``checked`` what is missing and what the rules say."""
    draft, offered = _draft(service, present, draft_id)
    typed = read_form(draft.fields, offered, organ=draft.organ, applicant=present.person.id)
    checked = "checked" in request.query_params
    foresight = _foresight(service, present, draft, typed) if checked else None
    wrong = typed.wrong if checked else {}
    chosen = {use_of(seal, item): item for seal in offered for item in seal.items}.get(draft.fields.get("use", ""))
    return page(
        request,
        "console/draft.html",
        status=422 if wrong else 200,
        present=present,
        draft=draft,
        fields=draft.fields,
        offered=offered,
        chosen=chosen,
        use_of=use_of,
        wrong=wrong,
        foresight=foresight,
        document=shown(service, draft.document, typed.order),
    )


@router.post("/{draft_id}", operation_id="changeDraft")
def change_draft(request: Request, service: Serving, fields: Fields, present: SealUser, draft_id: str) -> Response:
    """Save, and: show what the rules say, hand in, or delete."""
    require_token(present, fields.get("csrf", ""))
    draft, offered = _draft(service, present, draft_id)
    if fields.get("do") == "discard":
        with service.shop.database.write() as connection:
            drafts.discard(connection, draft.id, present.person.id)
        return _to(request, "/console/drafts")
    draft = drafts.save(service.shop, draft, kept(fields), service.now())
    typed = read_form(draft.fields, offered, organ=draft.organ, applicant=present.person.id)
    foresight = _foresight(service, present, draft, typed) if fields.get("do") == "submit" else None
    if typed.order is None or foresight is None or foresight.obstacles:
        return _to(request, f"/console/drafts/{draft.id}", checked="1")  # so that going back sends nothing twice
    application = drafts.submit(service.shop, draft, typed.order, present.caller(), service.now())
    return _to(request, f"/console/applications/{application.id}")


def _foresight(service: Service, present: Present, draft: Draft, typed: Typed) -> Foresight | None:
    """What the rules say of a form that is complete."""
    if typed.order is None:
        return None
    submission = drafts.submission_of(service.shop, draft, typed.order)
    return foresee(service.shop, submission, present.caller(), service.now())


def _draft(service: Service, present: Present, draft_id: str) -> tuple[Draft, list[SealChoice]]:
    with service.shop.database.read() as connection:
        draft = drafts.get(connection, draft_id, present.person.id)
        return draft, choices(connection, service.shop, draft.organ, service.now())


def _organ(present: Present, named: str | None) -> str:
    organs = present.organs("seal_user")
    organ = named or organs[0]
    if organ not in organs:
        raise ForbiddenError(
            "not-your-organ", f"您不是单位 {organ} 的用章人员", f"you are no seal user of organ {organ}"
        )
    return organ


def _to(request: Request, path: str, **query: str) -> Response:
    address = reading_of(request).link(path)
    more = ("&" if "?" in address else "?") + urlencode(query) if query else ""
    return RedirectResponse(address + more, 303)
