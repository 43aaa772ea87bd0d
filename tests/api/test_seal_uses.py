"""Sealing over HTTP: the answers, the repeats, the refusals, and what leaves the house."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world import START

from api.lane import Lane
from ledger.cosignature import WitnessIdentity
from ledger.ids import new_id
from sealing.administration.seals import change_state
from sealing.audit import audit
from sealing.witness_list import Witness
from tests.api.live import Service, basic
from verify.receipt import Receipt


def test_a_client_gets_a_token_seals_and_downloads(service: Service) -> None:
    told = service.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(service.clients["county system"])
    )
    answer = service.seal()
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"/v1/impressions/{body['impression']}"
    headers = {"Authorization": f"Bearer {told.json()['access_token']}"}
    pdf = service.http.get(body["document"], headers=headers)
    assert "sha256:" + hashlib.sha256(pdf.content).hexdigest() == body["sealed_digest"]


def test_the_answer_holds_the_receipt_and_every_finding(service: Service) -> None:
    body = service.seal().json()
    evidence = Receipt.from_json(body["receipt"]).evidence
    leaf, _ = evidence.check(service.world.shop.identity)
    assert (leaf.kind, evidence.index) == ("seal.impressed", body["entry"])
    assert body["findings"]
    assert all(finding["passed"] for finding in body["findings"])


def test_the_sealed_bytes_by_accept(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval = service.world.approve("city", order, document)
    answer = service.send(order, document, approval, Accept="application/pdf")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(document.read_bytes())
    assert answer.headers["link"] == f'<{answer.headers["location"]}/receipt>; rel="describedby"'
    digest = "sha256:" + hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["etag"] == f'"{digest}"'
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_form_nobody_offers_is_refused_before_anything_is_sealed(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval = service.world.approve("city", order, document)
    key = new_id("key")
    answer = service.send(order, document, approval, Accept="image/png", Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
    assert service.send(order, document, approval, Idempotency_Key=key).status_code == 201


def test_the_same_key_again_gives_the_same_bytes(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    first = service.send(order, document, approval, Idempotency_Key=key)
    again = service.send(order, document, approval, Idempotency_Key=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    as_pdf = service.send(order, document, approval, Idempotency_Key=key, Accept="application/pdf")
    assert (as_pdf.status_code, as_pdf.headers["idempotency-replayed"]) == (200, "true")
    assert "sha256:" + hashlib.sha256(as_pdf.content).hexdigest() == first.json()["sealed_digest"]


def test_the_same_key_with_another_order(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    assert service.send(order, document, approval, Idempotency_Key=key).status_code == 201
    other = order.model_copy(update={"case_number": "另一办件"})
    answer = service.send(other, document, approval, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency-conflict")


def test_a_key_belongs_to_its_client(service: Service) -> None:
    key = new_id("key")
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval = service.world.approve("city", order, document)
    first = service.send(order, document, approval, Idempotency_Key=key)
    other = service.send(order, document, approval, by="platform", Idempotency_Key=key)
    assert first.status_code == 201
    assert (other.status_code, other.json()["code"]) == (422, "refused")  # the approval and the number are used


@pytest.mark.parametrize("key", [None, "", "x" * 201, "办件", "a\tb", " "])
def test_the_idempotency_key_is_needed_and_printable(service: Service, key: str | None) -> None:
    order = service.world.order("city")
    headers = service.headers("county system") | (
        {} if key is None else {"Idempotency-Key": key.encode().decode("latin-1")}
    )
    answer = service.http.post(
        f"/v1/seals/{order.seal}/impressions",
        headers={name: value.encode("latin-1") for name, value in headers.items()},
        data={"order": json.dumps(order.to_json())},
        files={"document": ("x.pdf", b"%PDF-", "application/pdf")},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


def test_a_refusal_names_every_rule_that_failed(service: Service) -> None:
    order = service.world.order("city", document_number=None)
    document = service.world.document("city", order, service.folder)
    key = new_id("key")
    answer = service.send(order, document, None, Idempotency_Key=key)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "refused")
    assert answer.headers["content-type"] == "application/problem+json"
    codes = {finding["code"] for finding in body["findings"]}
    assert {"principal_approved", "numbers_given"} <= codes
    assert not any(finding["passed"] for finding in body["findings"])
    assert all(finding["zh"] and finding["en"] and finding["source"] for finding in body["findings"])
    again = service.send(order, document, None, Idempotency_Key=key)
    assert again.json()["findings"] == body["findings"]
    assert again.headers["idempotency-replayed"] == "true"


def test_a_stranger_to_the_organ_is_told_that_alone(service: Service) -> None:
    order = service.world.order("city", document_number=None)
    document = service.world.document("city", order, service.folder)
    answer = service.send(order, document, None, by="other system")
    assert answer.status_code == 422
    assert [finding["code"] for finding in answer.json()["findings"]] == ["caller_for_grantee"]
    assert "numbers_given" not in answer.text


def test_the_address_and_the_order_name_one_seal(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    answer = service.http.post(
        f"/v1/seals/{service.world.seals['town']}/impressions",
        headers=service.headers("county system", Idempotency_Key=new_id("key")),
        data={"order": json.dumps(order.to_json())},
        files={"document": ("x.pdf", document.read_bytes(), "application/pdf")},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "seal-differs")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"facts": {"volume_m3": 22.5}}, "facts.volume_m3"),
        ({"facts": {"a b": "x"}}, "facts"),
        ({"item": {"list": "001-2", "number": "30"}}, "item.number"),
        ({"copy": "third"}, "copy"),
        ({"document_kind": "love letter"}, "document_kind"),
        ({"surprise": 1}, "surprise"),
        ({"case_number": "x" * 201}, "case_number"),
        ({"case_number": None}, "case_number"),
    ],
)
def test_a_malformed_order_names_the_field(service: Service, changed: dict[str, Any], field: str) -> None:
    value = service.world.order("city").to_json() | changed
    answer = service.http.post(
        f"/v1/seals/{value['seal']}/impressions",
        headers=service.headers("county system", Idempotency_Key=new_id("key")),
        data={"order": json.dumps(value)},
        files={"document": ("x.pdf", b"%PDF-", "application/pdf")},
    )
    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, "request-invalid")
    assert any(error["field"].startswith(field) for error in body["errors"])
    assert all(error["expected_zh"] and error["expected_en"] for error in body["errors"])


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "\ud800", "NaN"])
def test_an_order_that_is_no_object(service: Service, text: str) -> None:
    answer = service.http.post(
        f"/v1/seals/{service.world.seals['city']}/impressions",
        headers=service.headers("county system", Idempotency_Key=new_id("key")),
        data={"order": text.encode("utf-8", "surrogatepass")},
        files={"document": ("x.pdf", b"%PDF-", "application/pdf")},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")


DOCUMENTS: list[tuple[bytes, dict[str, Any], int, str]] = [
    (b"", {}, 422, "refused"),
    (b"hello", {}, 422, "refused"),
    (b"%PDF-1.7\n%%EOF\n", {}, 422, "refused"),
    (b"PDF", {"placement": {"kind": "position", "page": 9, "x_mm": "100", "y_mm": "100"}}, 422, "page-out-of-range"),
    (b"PDF", {"placement": {"kind": "position", "page": 1, "x_mm": "1", "y_mm": "1"}}, 422, "box-off-page"),
    (b"PDF", {"placement": {"kind": "keyword", "text": "没有这几个字"}}, 422, "keyword-not-found"),
    (b"PDF", {"placement": {"kind": "nowhere"}}, 422, "placement-malformed"),
    (b"PDF", {"case_number": "e\u0301"}, 422, "not-canonical"),
]


@pytest.mark.parametrize(("content", "changed", "status", "code"), DOCUMENTS)
def test_documents_and_places_that_cannot_be_sealed(
    service: Service, content: bytes, changed: dict[str, Any], status: int, code: str
) -> None:
    order = service.world.order("city").model_copy(update=changed)
    document = service.world.document("city", order, service.folder)
    if content != b"PDF":
        document.write_bytes(content)
    answer = service.send(order, document, None)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["zh"]


def test_a_suspended_seal(service: Service) -> None:
    seal = service.world.seals["forest"]
    change_state(service.world.shop, seal, "suspend", service.world.act("演练"))
    try:
        answer = service.seal("forest", by="platform")
        assert "seal_active" in {finding["code"] for finding in answer.json()["findings"]}
    finally:
        change_state(service.world.shop, seal, "resume", service.world.act("演练结束"))


def test_a_clock_behind_the_record(service: Service) -> None:
    assert service.seal().status_code == 201
    token = service.headers("county system")
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval = service.world.approve("city", order, document)
    try:
        service.world.now = START - timedelta(seconds=30)
        answer = service.http.post(
            f"/v1/seals/{order.seal}/impressions",
            headers=token | {"Idempotency-Key": new_id("key")},
            data={"order": json.dumps(order.to_json()), "approval": approval},
            files={"document": ("x.pdf", document.read_bytes(), "application/pdf")},
        )
    finally:
        service.world.now = START
    assert (answer.status_code, answer.json()["code"]) == (503, "clock-behind")
    assert answer.headers["retry-after"]


def test_too_many_waiting(service: Service) -> None:
    """The queue is full: 503 at once, nothing is recorded, and the same key works later."""
    state = service.app.state.service
    narrow, release, begun = Lane("sealing", 0), Event(), Event()

    def work() -> None:
        begun.set()
        release.wait(10)

    busy = Thread(target=lambda: narrow.run(work))
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    object.__setattr__(state, "sealing", narrow)
    try:
        busy.start()
        assert begun.wait(5)
        answer = service.send(order, document, approval, Idempotency_Key=key)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "2"
        release.set()
        busy.join(5)
        assert service.send(order, document, approval, Idempotency_Key=key).status_code == 201
    finally:
        release.set()
        narrow.close()
        object.__setattr__(state, "sealing", Lane("sealing", 4))


def test_one_key_from_many_threads_seals_once(service: Service) -> None:
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    answers: list[Any] = []
    threads = [
        Thread(target=lambda: answers.append(service.send(order, document, approval, Idempotency_Key=key)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(201) == 1
    assert set(statuses) <= {200, 201, 409}
    assert len({a.json()["impression"] for a in answers if a.status_code < 300}) == 1


def test_no_upload_is_left_behind_and_the_record_is_sound(service: Service) -> None:
    """Runs last in this file: after all that was refused above."""
    assert list(service.world.shop.documents.incoming.iterdir()) == []
    assert audit(service.world.shop, START) == []


def test_a_seal_use_is_told_while_its_witnesses_are_away(service: Service, tmp_path: Path) -> None:
    public_key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    away = Witness(identity=WitnessIdentity(name="away", public_key=public_key), url="https://127.0.0.1:1")
    shop = service.world.shop
    settings = shop.settings.model_copy(update={"witnesses_needed": 1})
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    kept = service.app.state.service
    service.app.state.service = replace(kept, shop=replace(shop, settings=settings, witnesses=(away,)))
    try:
        first = service.send(order, document, approval, Idempotency_Key=key)
        again = service.send(order, document, approval, Idempotency_Key=key)
    finally:
        service.app.state.service = kept
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert first.json()["receipt"] is None
    assert again.json() == first.json()
    later = service.send(order, document, approval, Idempotency_Key=key).json()
    assert {**later, "receipt": None} == first.json()
    assert Receipt.from_json(later["receipt"]).impression == first.json()["impression"]
