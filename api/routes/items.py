"""The catalogue: items, setup tables, pilot regions; read, exported, and sheets tried before they are proposed."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from api import files
from api.bodies import After, Answer, Limit, Page, page_of
from api.callers import PUBLIC, Operator, act_of
from api.errors import TooLargeError
from api.negotiation import CSV, XLSX, preferred
from api.openapi import FieldError, multipart
from api.service import Serving
from api.uploads import Parts, Upload
from policies.facts import ItemKey, Regime
from registry.catalogue import item_in_force
from registry.catalogue_rows import CatalogueItem, SetupRow
from registry.errors import NotFoundError
from registry.sheets import MOST_BYTES
from sealing.administration import catalogue
from sealing.administration.catalogue import SheetFormat, TableName

router: Final = APIRouter(prefix="/v1", tags=["catalogue"])
_BODY: Final = multipart("file")
_FORMATS: Final[dict[str, SheetFormat]] = {CSV: "csv", XLSX: "xlsx"}
SheetParts = Annotated[Upload, Depends(Parts("file", suffix=".xlsx"))]


class CheckAnswer(Answer):
    """What an import would do; with any bad cell, nothing."""

    table: TableName
    rows: int
    opened: int
    closed: int
    bad: list[FieldError]


@router.get("/items", operation_id="listItems", dependencies=[PUBLIC])
def list_items(
    service: Serving,
    limit: Limit = 100,
    after: After = None,
    list_: Annotated[str | None, Query(alias="list", max_length=32)] = None,
) -> Page[CatalogueItem]:
    """The items in force now, by list and number."""
    now, wanted = service.now(), {} if list_ is None else {"list": list_}
    with service.shop.database.read() as connection:
        found = [each.record for each in service.shop.registry.find(connection, CatalogueItem, **wanted)]
    in_force = [row for row in found if row.in_force(now)]
    return page_of(in_force, lambda row: f"{row.list}/{row.number:04}", after=after, limit=limit)


@router.get("/items/{list_}/{number}", operation_id="readItem", dependencies=[PUBLIC])
def read_item(
    service: Serving,
    list_: Annotated[str, Path(max_length=32)],
    number: Annotated[int, Path(ge=1, le=9999)],
) -> CatalogueItem:
    """The row of an item that is in force now."""
    with service.shop.database.read() as connection:
        rows = [
            each.record for each in service.shop.registry.find(connection, CatalogueItem, list=list_, number=number)
        ]
    found = item_in_force(rows, ItemKey(list=list_, number=number), service.now())
    if found is None:
        raise NotFoundError("item-unknown", f"没有现行事项 {list_} {number}", f"no item {list_} {number} is in force")
    return found


@router.get("/setup", operation_id="listSetup", dependencies=[PUBLIC])
def list_setup(
    service: Serving, limit: Limit = 100, after: After = None, regime: Regime | None = None
) -> Page[SetupRow]:
    """The setup tables in force now: which number each region's seals carry."""
    now, wanted = service.now(), {} if regime is None else {"regime": regime}
    with service.shop.database.read() as connection:
        found = [each.record for each in service.shop.registry.find(connection, SetupRow, **wanted)]
    in_force = [row for row in found if row.in_force(now)]
    return page_of(in_force, lambda row: f"{row.regime}/{row.region}", after=after, limit=limit)


@router.get("/catalogue/{table}", operation_id="exportCatalogue", dependencies=[PUBLIC], response_class=Response)
def export_catalogue(request: Request, service: Serving, table: TableName) -> Response:
    """A whole table, past rows too, as CSV or XLSX that can be imported again."""
    form = preferred(request.headers.get("accept"), tuple(_FORMATS))
    format_ = _FORMATS[form]
    content = catalogue.export(service.shop, service.now(), table=table, format_=format_)
    return files.file_of(content, name=f"{table}.{format_}", media_type=form)


@router.post("/items/check", operation_id="checkCatalogue", openapi_extra=_BODY)
def check_catalogue(
    service: Serving,
    caller: Operator,
    upload: SheetParts,
    format_: Annotated[Literal["csv", "xlsx"], Query(alias="format")],
    table: TableName = "items",
) -> CheckAnswer:
    """What a sheet would change, and each bad cell. Nothing is changed: that takes a proposal (docs/proposals.md)."""
    if upload.file.length > MOST_BYTES:
        raise TooLargeError(
            "sheet-too-large", f"表格超过 {MOST_BYTES} 字节", f"the sheet is longer than {MOST_BYTES} bytes"
        )
    act = act_of(caller, "试查 / a dry run", service)
    found = catalogue.import_sheet(service.shop, upload.file.path, act, table=table, format_=format_, dry_run=True)
    return CheckAnswer(
        table=found.table,
        rows=found.rows,
        opened=found.opened,
        closed=found.closed,
        bad=[
            FieldError(field=f"{cell.row}:{cell.column}", found=cell.found, expected_zh=cell.zh, expected_en=cell.en)
            for cell in found.bad
        ],
    )
