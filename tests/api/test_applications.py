"""The two-step way in: received, approved, sealed; and whose application it is."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.ids import new_id
from sealing.order import Order
from tests.api.live import Service


def receive(
    service: Service, order: Order, document: Path, *, by: str = "county system", key: str | None = None
) -> Any:
    return service.http.post(
        "/v1/applications",
        headers=service.headers(by, Idempotency_Key=key or new_id("key")),
        data={"order": json.dumps(order.to_json())},
        files={"document": ("x.pdf", document.read_bytes(), "application/pdf")},
    )


def prepared(service: Service, **changed: Any) -> tuple[Order, Path]:
    order = service.world.order("city", **changed)
    return order, service.world.document("city", order, service.folder)


def test_received_approved_sealed(service: Service) -> None:
    order, document = prepared(service)
    received = receive(service, order, document)
    assert received.status_code == 201, received.text
    here, headers = received.headers["location"], service.headers("county system")
    assert received.json()["state"] == "waiting"
    assert received.json()["document"] == "sha256:" + hashlib.sha256(document.read_bytes()).hexdigest()
    assert not received.json()["approved"]
    approval = service.world.approve("city", order, document)
    brought = service.http.post(f"{here}/approval", json={"approval": approval}, headers=headers)
    assert (brought.status_code, brought.json()["approved"]) == (200, True)
    sealed = service.http.post(f"{here}/impression", headers=headers)
    assert sealed.status_code == 201, sealed.text
    shown = service.http.get(here, headers=headers).json()
    assert (shown["state"], shown["impression"]) == ("sealed", sealed.json()["impression"])
    assert shown["findings"]
    again = service.http.post(f"{here}/impression", headers=headers | {"Accept": "application/pdf"})
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert "sha256:" + hashlib.sha256(again.content).hexdigest() == sealed.json()["sealed_digest"]


def test_without_its_approval_it_is_refused_for_good(service: Service) -> None:
    order, document = prepared(service)
    here, headers = receive(service, order, document).headers["location"], service.headers("county system")
    first = service.http.post(f"{here}/impression", headers=headers)
    assert (first.status_code, first.json()["code"]) == (422, "refused")
    assert "principal_approved" in {finding["code"] for finding in first.json()["findings"]}
    late = service.http.post(
        f"{here}/approval", json={"approval": service.world.approve("city", order, document)}, headers=headers
    )
    assert (late.status_code, late.json()["code"]) == (409, "application-not-waiting")
    assert service.http.get(here, headers=headers).json()["state"] == "refused"


def test_the_same_key_gives_the_same_application(service: Service) -> None:
    order, document = prepared(service)
    key = new_id("key")
    first, again = receive(service, order, document, key=key), receive(service, order, document, key=key)
    assert first.json()["id"] == again.json()["id"]
    other, _ = prepared(service)
    answer = receive(service, other, document, key=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-conflict")


def test_an_organ_that_is_not_the_callers(service: Service) -> None:
    order, document = prepared(service)
    answer = receive(service, order, document, by="other system")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-organ")


def test_who_sees_an_application(service: Service) -> None:
    order, document = prepared(service)
    here = receive(service, order, document).headers["location"]
    wanted = {"county system": 200, "city office": 200, "auditor": 200, "platform": 404, "other system": 404}
    wanted |= {"forestry office": 404, "operator": 403}
    found = {name: service.http.get(here, headers=service.headers(name)).status_code for name in wanted}
    assert found == wanted


@pytest.mark.parametrize("step", ["approval", "impression"])
def test_another_system_cannot_go_on_with_it(service: Service, step: str) -> None:
    order, document = prepared(service)
    here = receive(service, order, document).headers["location"]
    for name in ("platform", "other system"):
        body = {"json": {"approval": "x.y.z"}} if step == "approval" else {}
        answer = service.http.post(f"{here}/{step}", headers=service.headers(name), **body)
        unknown = service.http.post(f"/v1/applications/app-{'a' * 26}/{step}", headers=service.headers(name), **body)
        assert answer.status_code == unknown.status_code == 404
        assert answer.json()["code"] == unknown.json()["code"] == "application-unknown"


@pytest.mark.parametrize("approval", ["", "x" * 70_000, 5, None])
def test_an_approval_that_cannot_be_one(service: Service, approval: Any) -> None:
    order, document = prepared(service)
    here = receive(service, order, document).headers["location"]
    answer = service.http.post(
        f"{here}/approval", json={"approval": approval}, headers=service.headers("county system")
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
