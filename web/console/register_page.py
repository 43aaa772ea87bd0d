"""``/console/register``: the usage register 台账 of the person's organs, searched, and given to Excel or to paper."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import files
from api.service import Service, Serving
from registry.persons import AssignedRole
from registry.sheets import write_xlsx
from sealing.register_lines import KINDS
from sealing.register_print import printed
from sealing.usage_register import Line, table
from sealing.usage_search import LINES_A_PAGE, MOST, Wanted, search
from web.console.entrance import APPROVERS, GRANTOR, Present, entrance
from web.reading import reading_of
from web.templates import page
from web.words import Words

router: Final = APIRouter(prefix="/console/register", include_in_schema=False)
ROLES: Final[tuple[AssignedRole, ...]] = (GRANTOR, *APPROVERS, "custodian")
Viewer = Annotated[Present, entrance(*ROLES)]
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FIELDS: Final = ("since", "until", "kind", "item", "number")
_DAYS: Final = ("since", "until")
_EXPECTED: Final = ("应为日期，例如 2026-12-31", "a day as 2026-12-31 is expected")
Pair = tuple[str, str]


@router.get("", operation_id="showRegister")
def show_register(request: Request, service: Serving, present: Viewer) -> Response:
    """A page of lines; what cannot be read of the filters is said beside its field, and nothing is shown."""
    typed, wanted, wrong = _wanted(request, present)
    before = request.query_params.get("before", "")
    found = [] if wrong else _found(service, wanted, before=int(before) if before.isdecimal() else None)
    query = {name: value for name, value in typed.items() if value} | {"lang": reading_of(request).language}
    return page(
        request,
        "console/register.html",
        status=422 if wrong else 200,
        present=present,
        found=found,
        fields=typed,
        wrong=wrong,
        kinds=KINDS,
        most=MOST,
        older=urlencode(query | {"before": str(found[-1].entry)}) if len(found) == LINES_A_PAGE else "",
        query=urlencode(query),
    )


@router.get("/xlsx", operation_id="giveRegisterSheet")
def give_sheet(request: Request, service: Serving, present: Viewer) -> Response:
    """The same lines for Excel; text stays text."""
    _, wanted, wrong = _wanted(request, present)
    if wrong:
        return show_register(request, service, present)
    rows = table(iter(_found(service, wanted, most=MOST)))
    return files.file_of(write_xlsx(rows, service.now()), name="register.xlsx", media_type=XLSX)


@router.get("/pdf", operation_id="giveRegisterPrint")
def give_print(request: Request, service: Serving, present: Viewer) -> Response:
    """The same lines as PDF/A."""
    typed, wanted, wrong = _wanted(request, present)
    if wrong:
        return show_register(request, service, present)
    words = Words("zh")
    chosen = "；".join(f"{words(f'register_{name}')}：{value}" for name, value in typed.items() if value)
    chosen = "、".join(present.organ_names[each] for each in wanted.organs) + ("；" + chosen if chosen else "")
    found = _found(service, wanted, most=MOST)
    content = printed(found, chosen=chosen, person=present.person.name, now=service.now())
    return files.file_of(content, name="register.pdf", media_type="application/pdf")


def _found(service: Service, wanted: Wanted, *, before: int | None = None, most: int = LINES_A_PAGE) -> list[Line]:
    with service.shop.database.read() as connection:
        return search(connection, service.shop, wanted, before=before, most=most)


def _wanted(request: Request, present: Present) -> tuple[dict[str, str], Wanted, Mapping[str, Pair]]:
    """What was typed, what it asks for, and what of it cannot be read by field."""
    typed = {name: request.query_params.get(name, "").strip()[:200] for name in _FIELDS}
    days: dict[str, date] = {}
    wrong: dict[str, Pair] = {}
    for name in _DAYS:
        try:
            if typed[name]:
                days[name] = date.fromisoformat(typed[name])
        except ValueError:
            wrong[name] = _EXPECTED
    if typed["kind"] not in {"", *KINDS}:
        wrong["kind"] = ("没有这种结果", "there is no such result")
    rest = {name: typed[name] for name in ("kind", "item", "number")}
    wanted = Wanted(organs=present.organs(*ROLES), since=days.get("since"), until=days.get("until"), **rest)
    return typed, wanted, wrong
