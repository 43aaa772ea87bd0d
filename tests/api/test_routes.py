"""Every route of the application: who may call it, under which name it is described, and that the docs know it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.callers import Admission, Public
from api.routes import ROUTERS
from sealing.order import Order
from tests.api.live import Service

ROLES = ("approval_system", "grantor_administrator", "operator", "auditor")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
ID = "aaa-" + "a" * 26

ALLOWED: dict[str, str] = {
    "issueToken": "public",
    "sealDocument": "approval_system",
    "receiveApplication": "approval_system",
    "readApplication": "approval_system grantor_administrator auditor",
    "bringApproval": "approval_system",
    "sealApplication": "approval_system",
    "listImpressions": "approval_system grantor_administrator auditor",
    "readImpression": "approval_system grantor_administrator auditor",
    "downloadDocument": "approval_system grantor_administrator auditor",
    "downloadReceipt": "approval_system grantor_administrator auditor",
    "readStatus": "approval_system grantor_administrator auditor",
    "changeStatus": "grantor_administrator",
    "readRegister": "approval_system grantor_administrator auditor",
    "recordPaperUse": "approval_system",
    "listAlerts": "grantor_administrator operator auditor",
    "draftAgreement": "grantor_administrator",
    "listAgreements": "approval_system grantor_administrator auditor",
    "readAgreement": "approval_system grantor_administrator auditor",
    "signAgreement": "grantor_administrator",
    "changeAgreementState": "grantor_administrator",
    "amendAgreement": "grantor_administrator",
    "propose": "grantor_administrator",
    "listProposals": "grantor_administrator auditor",
    "readProposal": "grantor_administrator auditor",
    "decideProposal": "grantor_administrator",
    "listSeals": "approval_system grantor_administrator auditor",
    "readSeal": "approval_system grantor_administrator auditor",
    "changeSealState": "grantor_administrator",
    "reportSuspicion": "grantor_administrator",
    "nameCustodian": "grantor_administrator",
    "changeSealPolicy": "grantor_administrator",
    "fileSealChange": "grantor_administrator",
    "requestCertificate": "grantor_administrator",
    "importCertificate": "grantor_administrator",
    "drawSealSvg": "approval_system grantor_administrator auditor",
    "drawSealPng": "approval_system grantor_administrator auditor",
    "listItems": "public",
    "readItem": "public",
    "listSetup": "public",
    "exportCatalogue": "public",
    "checkCatalogue": "operator",
    "listOrgans": "approval_system grantor_administrator operator auditor",
    "readOrgan": "approval_system grantor_administrator operator auditor",
    "registerOrgan": "operator",
    "changeOrgan": "operator",
    "succeedOrgan": "operator",
    "registerOrganKey": "operator",
    "endOrganKey": "operator",
    "registerPerson": "operator",
    "readPerson": "operator auditor",
    "assignRole": "operator",
    "endRole": "operator",
    "registerPersonKey": "operator",
    "endPersonKey": "operator",
    "registerClient": "operator",
    "listClients": "operator auditor",
    "readClient": "operator auditor",
    "changeClientState": "operator",
    "renewClientSecret": "operator",
    "registerApprovalKey": "operator",
    "endApprovalKey": "operator",
    "verifyDocument": "public",
    "readLog": "public",
    "readCheckpoint": "public",
    "readTile": "public",
    "proveInclusion": "public",
    "proveConsistency": "public",
    "readRoot": "public",
    "readIssuer": "public",
    "readIssuerCrl": "public",
    "readRootCrl": "public",
    "readRootCertificate": "public",
    "readIssuerCertificate": "public",
    "readServiceCertificates": "public",
    "askRevocation": "public",
    "readRevocation": "public",
    "issueTimeStamp": "public",
    "readPracticeStatement": "public",
    "health": "public",
    "readiness": "public",
    "metrics": "operator auditor",
    "describe": "public",
}
"""Written out by hand, so that a route opened to one role more does not pass unseen."""


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


ROUTES = routes()


def declarations(dependant: Dependant) -> Iterator[Admission | Public]:
    for each in dependant.dependencies:
        if isinstance(each.call, Admission | Public):
            yield each.call
        yield from declarations(each)


def address(route: APIRoute) -> str:
    named = {"list_": "001-2", "number": "30", "position": "0", "table": "items", "code": "1" * 18, "path": "0/000.p/1"}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: named.get(match[1], ID), route.path)


def test_every_route_names_its_callers_once() -> None:
    found = {route.operation_id: list(declarations(route.dependant)) for route in ROUTES}
    assert [name for name, declared in found.items() if len(declared) != 1] == []


def test_callers_are_those_written_down() -> None:
    found = {}
    for route in ROUTES:
        (declared,) = declarations(route.dependant)
        found[route.operation_id] = "public" if isinstance(declared, Public) else " ".join(declared.roles)
    assert found == ALLOWED


def test_the_application_has_no_other_routes(service: Service) -> None:
    """No page of the framework, nothing mounted."""
    described = {(path, method) for path, item in service.app.openapi()["paths"].items() for method in item}
    assert described == {
        (route.path.replace(":path", ""), method.lower()) for route in ROUTES for method in route.methods
    }
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect", "/", "/v1", "/static"):
        assert service.http.get(path).status_code == 404


@pytest.mark.parametrize("role", [None, *ROLES])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_who_may_call_a_route(service: Service, route: APIRoute, role: str | None) -> None:
    """Each role at each route, with a body nobody could accept: allowed callers get past the door, others do not."""
    if role is not None and role not in service.clients:
        service.register(role, (role,), (service.world.codes["other"],))  # type: ignore[arg-type]  # one of the roles
    (method,) = route.methods
    answer = service.http.request(method, address(route), headers=service.headers(role))
    allowed = ALLOWED[str(route.operation_id)].split()
    if "public" in allowed:
        assert answer.status_code not in {401, 403}
    elif role is None:
        assert (answer.status_code, answer.json()["code"]) == (401, "token-missing")
    elif role in allowed:
        assert answer.status_code not in {401, 403}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "role-required")


def test_operation_ids_are_unique_and_plain() -> None:
    names = [str(route.operation_id) for route in ROUTES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_the_docs_name_every_route() -> None:
    """docs/api.md names each path, by its parts behind /v1 (an id stands as {…} there)."""
    text = DOCS.read_text(encoding="utf-8")
    parts = {part for route in ROUTES for part in route.path.split("/") if part and "{" not in part}
    assert sorted(part for part in parts if part not in text) == []


def operations(app: FastAPI) -> Iterator[dict[str, Any]]:
    for item in app.openapi()["paths"].values():
        yield from item.values()


def test_every_operation_describes_its_problems(service: Service) -> None:
    for operation in operations(service.app):
        answers = operation["responses"]
        assert "application/problem+json" in answers["default"]["content"]
        assert "HTTPValidationError" not in str(operation)
        secured = bool(operation.get("security"))
        assert ("401" in answers) == ("403" in answers) == secured, operation["operationId"]
        assert operation["description"], operation["operationId"]
        assert operation["tags"], operation["operationId"]


def test_every_reference_in_the_description_leads_somewhere(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    wanted = set(re.findall(r"#/components/schemas/([^\"']+)", str(document)))
    assert wanted - document["components"]["schemas"].keys() == set()
    assert {"Order", "ProblemDocument"} <= wanted


def test_bodies_are_strict_in_the_description(service: Service) -> None:
    schemas = service.app.openapi()["components"]["schemas"]
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for operation in operations(service.app)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    }
    assert len(bodies) > 15
    assert [name for name in sorted(bodies) if schemas[name].get("additionalProperties") is not False] == []


def test_the_order_shown_as_an_example_is_one(service: Service) -> None:
    schema = service.app.openapi()["components"]["schemas"]["Order"]
    order = Order.model_validate_json(json.dumps(schema["examples"][0]))
    assert order.where()
    answer = service.app.openapi()["components"]["schemas"]["SealedAnswer"]
    assert answer["examples"][0].keys() == answer["properties"].keys()
