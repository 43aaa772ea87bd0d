"""Every route that names an object, called with the right role by a client of another organ: as if it did not exist."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from sealing.order import Order
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
    "changeSealPolicy": {"level": "PAdES-B-LT", "may_lower": False, "check_mark": "qr", **WHY},
    "reportSuspicion": WHY,
    "decideProposal": {"statement": "a.b.c"},
    "nameCustodian": {"custodian": "per-" + "a" * 26, **WHY},
    "fileSealChange": {"filing_number": "备〔2026〕9号", **WHY},
    "requestCertificate": WHY,
    "importCertificate": {"chain": "-----BEGIN CERTIFICATE-----", **WHY},
}
OBJECTS = {"{proposal_id}", "{impression_id}", "{agreement_id}", "{seal_id}", "{application_id}"}
NAMED = [
    route
    for route in ROUTES
    if any(each in route.path for each in OBJECTS) and route.operation_id != "sealDocument"  # told by its refusal
]


@pytest.fixture(scope="module")
def objects(service: Service) -> dict[str, str]:
    order, document = prepared(service)
    content = {"seal": service.world.seals["city"]}
    return {
        "{proposal_id}": service.propose("destroy_seal", "city", content).json()["record"]["id"],
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


SPEAKING = {"numbers_given", "custodian_named", "daily_cap", "agreement_in_force", "applicant_is_seal_user"}
"""Rules whose sentences hold numbers, persons and cases of the grantee."""


def probing(service: Service) -> tuple[Order, Path, Order]:
    """An order of the county, and that of a stranger who asks for the same number on the county's seal."""
    mine = service.world.order("city", case_number="张三案-0018")
    assert service.seal(document_number=mine.document_number, case_number=mine.case_number).status_code == 201
    probe = service.world.order("city", document_number=mine.document_number, organ=service.world.codes["other"])
    return mine, service.world.document("city", probe, service.folder), probe


def test_a_stranger_reads_no_findings_of_another_organs_seal(service: Service) -> None:
    """Neither at once, nor in two steps, nor from the application afterwards."""
    mine, document, probe = probing(service)
    headers = service.headers("other system")
    at_once = service.send(probe, document, None, by="other system")
    here = receive(service, probe, document, by="other system").headers["location"]
    two_steps = service.http.post(f"{here}/impression", headers=headers)
    afterwards = service.http.get(here, headers=headers)
    for answer in (at_once, two_steps, afterwards):
        assert [each["code"] for each in answer.json()["findings"]] == ["caller_for_grantee"], answer.text
        assert mine.case_number not in answer.text
        assert service.world.staff["county"].custodian not in answer.text


def test_the_grantor_and_the_auditor_read_all_findings_of_a_strangers_attempt(service: Service) -> None:
    _, document, probe = probing(service)
    here = receive(service, probe, document, by="other system").headers["location"]
    service.http.post(f"{here}/impression", headers=service.headers("other system"))
    for name in ("city office", "auditor"):
        found = service.http.get(here, headers=service.headers(name)).json()["findings"]
        assert {each["code"] for each in found} >= SPEAKING


def test_nobody_writes_into_another_organs_register(service: Service) -> None:
    mine, _, probe = probing(service)
    size = len_of_record(service)
    body = {
        "order": probe.to_json(),
        "used_at": "2026-11-01T00:00:00Z",
        "approver": service.world.staff["county"].principal,
        "reason": "停电",
    }
    headers = service.headers("other system")
    answer = service.http.post("/v1/paper-uses", headers=headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "seal-not-lent-to-organ")
    assert mine.case_number not in answer.text
    nowhere = body | {"order": probe.to_json() | {"seal": "sea-" + "a" * 26}}
    assert told(service.http.post("/v1/paper-uses", headers=headers, json=nowhere)) == told(answer)
    named = body | {"order": mine.to_json()}
    answer = service.http.post("/v1/paper-uses", headers=headers, json=named)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-your-organ")
    assert len_of_record(service) == size


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
