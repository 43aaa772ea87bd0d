"""Every route that names an object, called with the right role by a client of another organ: as if it did not exist."""

import re
from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.api.live import Service
from tests.api.test_applications import prepared, receive
from tests.api.test_routes import ALLOWED, ROUTES

WHY = {"reason": "越权尝试"}
BODIES: dict[str, dict[str, Any]] = {
    "bringApproval": {"approval": "x.y.z"},
    "changeStatus": {"status": "annulled", "effective": "2026-11-02", **WHY},
    "signAgreement": {"signature": "x.y.z", **WHY},
    "changeAgreementState": {"change": "recall", **WHY},
    "amendAgreement": {"terms": {}, "original_digest": "sha256:" + "0" * 64, **WHY},
    "changeSealState": {"change": "suspend", **WHY},
    "nameCustodian": {"custodian": "per-" + "a" * 26, **WHY},
    "fileSealChange": {"filing_number": "备〔2026〕9号", **WHY},
    "requestCertificate": WHY,
    "importCertificate": {"chain": "-----BEGIN CERTIFICATE-----", **WHY},
}
OBJECTS = {"{impression_id}", "{agreement_id}", "{seal_id}", "{application_id}"}
NAMED = [
    route
    for route in ROUTES
    if any(each in route.path for each in OBJECTS) and route.operation_id != "sealDocument"  # told by its refusal
]


@pytest.fixture(scope="module")
def objects(service: Service) -> dict[str, str]:
    order, document = prepared(service)
    return {
        "{impression_id}": service.seal().json()["impression"],
        "{agreement_id}": service.world.agreements["city"],
        "{seal_id}": service.world.seals["city"],
        "{application_id}": receive(service, order, document).json()["id"],
        "{position}": "0",
    }


def ask(service: Service, route: APIRoute, objects: dict[str, str], client: str) -> Any:
    path = route.path
    for name, value in objects.items():
        path = path.replace(name, value)
    (method,) = route.methods
    body = BODIES.get(str(route.operation_id))
    return service.http.request(method, path, headers=service.headers(client), **({"json": body} if body else {}))


@pytest.mark.parametrize(
    ("route", "role"),
    [
        (route, role)
        for route in NAMED
        for role in ALLOWED[str(route.operation_id)].split()
        if role in {"approval_system", "grantor_administrator"}
    ],
    ids=lambda value: getattr(value, "operation_id", value),
)
def test_another_organs_object_does_not_exist(
    service: Service, objects: dict[str, str], route: APIRoute, role: str
) -> None:
    client = f"foreign {role}"
    if client not in service.clients:
        service.register(client, (role,), (service.world.codes["other"],))  # type: ignore[arg-type]  # one of the roles
    size = len_of_record(service)
    answer = ask(service, route, objects, client)
    assert answer.status_code == 404, answer.text
    unknown = {name: value[:4] + "b" * 26 if name != "{position}" else value for name, value in objects.items()}
    not_there = ask(service, route, unknown, client)
    assert not_there.status_code == 404
    assert told(answer) == told(not_there)
    assert len_of_record(service) == size  # nothing was recorded either


@pytest.mark.parametrize("side", ["grantor", "grantee"])
def test_a_role_holds_on_its_own_side_only(service: Service, objects: dict[str, str], side: str) -> None:
    """Administering seals needs the grantor, applying the grantee; the right organ on the wrong side sees nothing."""
    organ = service.world.codes["county" if side == "grantor" else "city"]
    role = "grantor_administrator" if side == "grantor" else "approval_system"
    client = f"wrong side {role}"
    service.register(client, (role,), (organ,))  # type: ignore[arg-type]  # one of the roles
    for route in NAMED:
        if route.methods == {"GET"} and role in ALLOWED[str(route.operation_id)].split():
            assert ask(service, route, objects, client).status_code == 404, route.operation_id


def told(answer: Any) -> tuple[str, ...]:
    """What a caller reads, without the ids it sent itself and the one of the request."""
    body = answer.json()
    return (
        body["code"],
        *(re.sub(r"[a-z]{3}-[a-z2-7]{26}", "ID", body[name]) for name in ("title", "zh", "en", "detail")),
    )


def len_of_record(service: Service) -> int:
    size: int = service.http.get("/v1/log").json()["size"]
    return size
