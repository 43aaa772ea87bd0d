"""The table of problems: complete, and silent about what a caller must not learn."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from sqlalchemy import select, update
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient

import authority.errors
import keystore.interface
import ledger.errors
import registry.errors
import sandbox.errors
import sealing.errors
import signer.errors
from api import errors as edge
from api.problems import TABLE, TITLES, problem, status_of
from registry.record import Record
from registry.records import Agreement, Client, Organ, Seal
from registry.sheets import BadCell, SheetRefusedError, SheetUnreadableError
from registry.tables import TABLES
from sealing.errors import InProgressError, StorageError, Wait
from tests.api.live import Service
from verify.receipt import ReceiptError

MODULES = (
    authority.errors,
    keystore.interface,
    ledger.errors,
    registry.errors,
    sandbox.errors,
    sealing.errors,
    signer.errors,
    edge,
)


def error_classes() -> Iterator[type[Exception]]:
    for module in MODULES:
        for _, found in inspect.getmembers(module, inspect.isclass):
            if issubclass(found, Exception) and found.__module__ == module.__name__:
                yield found


def made(kind: type[Exception]) -> Exception:
    """An instance of any of our errors, made the way its package makes it."""
    names = inspect.signature(kind).parameters
    values: dict[str, Any] = {"code": "some-code", "zh": "中文", "en": "English", "wait": Wait(seconds=7)}
    values |= {"findings": [{"code": "r", "passed": False}], "replayed": False, "failure": "badAlg"}
    return kind(**{name: values[name] for name in names if name in values})


ROOTS = {edge.ApiError, sandbox.errors.SandboxError, sealing.errors.SealingError}
"""Never raised themselves; each of their children is in the table."""


@pytest.mark.parametrize(
    "kind", sorted(set(error_classes()) - ROOTS, key=lambda kind: f"{kind.__module__}.{kind.__name__}")
)
def test_every_error_has_a_status_and_keeps_its_words(kind: type[Exception]) -> None:
    error = made(kind)
    found = problem(error)
    assert status_of(error) == found.status
    assert found.status in TITLES
    assert (found.zh, found.en) == ("中文", "English")
    assert found.code == getattr(error, "code", None)


def test_every_row_of_the_table_is_used() -> None:
    """A class that is covered by the one above it, with the same status, needs no row."""
    for kind, status in TABLE.items():
        above = next((TABLE[each] for each in kind.__mro__[1:] if each in TABLE), None)
        assert above != status or kind.__mro__[1] is Exception, kind


EXPECTED: list[tuple[Exception, int, str]] = [
    (InProgressError("in-progress", "中", "e", wait=Wait(seconds=9)), 409, "9"),
    (edge.OverloadedError("overloaded", "中", "e"), 503, "2"),
    (sealing.errors.AbandonedError("status-changed", "中", "e"), 409, "2"),
    (ledger.errors.DatabaseBusyError("中", "e"), 503, "2"),
    (ledger.errors.ClockBehindError("中", "e"), 503, "2"),
    (keystore.interface.KeyNotFoundError("中", "e"), 503, "2"),
    (sandbox.errors.WorkerOverloadedError("overloaded", "中", "e"), 503, "2"),
]


@pytest.mark.parametrize(("error", "status", "seconds"), EXPECTED, ids=lambda value: type(value).__name__)
def test_who_may_come_back_is_told_when(error: Exception, status: int, seconds: str) -> None:
    found = problem(error)
    assert (found.status, found.headers["Retry-After"]) == (status, seconds)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (StorageError("disk-full", "中", "e"), 507),
        (StorageError("document-changed", "中", "e"), 500),
        (SheetUnreadableError("sheet-too-large", "中", "e"), 413),
        (SheetUnreadableError("sheet-not-xlsx", "中", "e"), 422),
        (registry.errors.RowTamperedError("row-tampered", "中", "e"), 500),
        (registry.errors.RecordInvalidError("record-invalid", "中", "e"), 422),
        (ledger.errors.HeadRolledBackError("中", "e"), 500),
        (ledger.errors.DatabaseFullError("中", "e"), 507),
        (keystore.interface.PermitError("中", "e"), 500),
        (signer.errors.MissingGlyphError("glyph", "中", "e"), 500),
        (ReceiptError("中", "e"), 400),
        (HTTPException(404), 404),
        (HTTPException(405, headers={"Allow": "GET"}), 405),
        (HTTPException(400), 400),
        (RuntimeError("boom"), 500),
    ],
    ids=lambda value: getattr(value, "code", type(value).__name__),
)
def test_statuses(error: Exception, status: int) -> None:
    assert problem(error).status == status


def test_a_permit_that_fails_is_not_to_be_tried_again() -> None:
    assert "Retry-After" not in problem(keystore.interface.PermitError("中", "e")).headers


def test_bad_cells_are_listed() -> None:
    cell = BadCell(row=3, column="number", found="x", zh="整数", en="a whole number")
    found = problem(SheetRefusedError((cell,)))
    assert found.errors == [{"field": "3:number", "found": "x", "expected_zh": "整数", "expected_en": "a whole number"}]


def test_what_was_found_is_cut_short() -> None:
    detail = {"type": "string_type", "loc": ("body", "name"), "msg": "Input should be a string", "input": "x" * 10_000}
    (told,) = problem(RequestValidationError([detail])).errors
    assert len(told["found"]) < 200
    assert told["expected_zh"] == "应为文字"


def test_our_own_validators_speak_both_languages() -> None:
    detail = {"type": "value_error", "loc": ("body", "x"), "msg": "Value error, 有误 / wrong", "input": 1}
    (told,) = problem(RequestValidationError([detail])).errors
    assert (told["expected_zh"], told["expected_en"]) == ("有误", "wrong")


def test_the_members_of_rfc_9457(service: Service) -> None:
    answer = service.http.get("/v1/nothing")
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == "urn:yinxin:problem:route-unknown"
    assert body["status"] == 404
    assert body["detail"] == f"{body['zh']} / {body['en']}"
    assert body["instance"] == "urn:yinxin:request:" + answer.headers["x-request-id"]


def test_another_method(service: Service) -> None:
    answer = service.http.delete("/health")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


def test_an_unknown_error_says_nothing_outside(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """And the service goes on."""

    def explode(_request: Request) -> None:
        raise RuntimeError("the password is swordfish")

    service.app.router.add_route("/explode", explode)
    try:
        with TestClient(service.app, base_url="http://127.0.0.1:8420", raise_server_exceptions=True) as http:
            answer = http.get("/explode")
    finally:
        service.app.router.routes.pop()
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "swordfish" not in answer.text
    assert "RuntimeError" not in answer.text
    assert json.loads(answer.text)["instance"].endswith(answer.headers["x-request-id"])


def test_headers_of_every_answer(service: Service) -> None:
    for answer in (service.http.get("/health"), service.http.get("/nothing"), service.http.get("/v1/organs")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("kind", [Client, Seal, Agreement, Organ], ids=lambda kind: kind.__name__)
def test_a_row_changed_by_hand_is_told_and_not_used(service: Service, kind: type[Record]) -> None:
    """THREATS 7 as a caller sees it."""
    world, headers, table = service.world, service.headers("county system"), TABLES[kind]
    organ = world.codes["county"]
    path, column, value = {
        Client: (f"/v1/impressions/imp-{'a' * 26}", table.c.id, service.clients["county system"]),
        Seal: (f"/v1/seals/{world.seals['city']}", table.c.id, world.seals["city"]),
        Agreement: (f"/v1/agreements/{world.agreements['city']}", table.c.id, world.agreements["city"]),
        Organ: (f"/v1/organs/{organ}", table.c.id, None),
    }[kind]
    this = column == value if value is not None else table.c.code == organ
    engine = world.shop.database.engine
    with engine.begin() as connection:
        before: str = connection.execute(select(table.c.body).where(this)).scalar_one()
        changed = (
            before.replace("赣州", "宁都")
            .replace("兴国", "宁都")
            .replace("county system", "root")
            .replace("in_force", "ended")
        )
        assert changed != before
        connection.execute(update(table).where(this).values(body=changed))
    try:
        answer = service.http.get(path, headers=headers)
    finally:
        with engine.begin() as connection:
            connection.execute(update(table).where(this).values(body=before))
    assert (answer.status_code, answer.json()["code"]) == (500, "row-tampered")
    assert service.http.get("/v1/organs", headers=headers).status_code == 200
