"""Reading what was sealed, and the status of documents: each of its own organs, strangers nothing."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger.merkle import leaf_hash
from sealing.administration.seals import SealPolicy, set_policy
from sealing.renewal import Task, renew_store
from sealing.service_keys import revoke_service_key, service_key
from tests.api.live import Service
from verify.receipt import MEDIA_TYPE, Receipt

READERS = {
    "county system": 200,
    "platform": 200,
    "city office": 200,
    "auditor": 200,
    "other system": 404,
    "forestry office": 404,
    "operator": 403,
}


@pytest.fixture(scope="module")
def sealed(service: Service) -> dict[str, Any]:
    answer: dict[str, Any] = service.seal().json()
    return answer


@pytest.mark.parametrize("what", ["", "/document", "/receipt", "/status"])
def test_who_reads_an_impression(service: Service, sealed: dict[str, Any], what: str) -> None:
    here = f"/v1/impressions/{sealed['impression']}{what}"
    found = {name: service.http.get(here, headers=service.headers(name)).status_code for name in READERS}
    assert found == READERS


def test_a_foreign_id_answers_as_an_unknown_one(service: Service, sealed: dict[str, Any]) -> None:
    headers = service.headers("other system")
    foreign = service.http.get(f"/v1/impressions/{sealed['impression']}", headers=headers).json()
    unknown = service.http.get(f"/v1/impressions/imp-{'a' * 26}", headers=headers).json()
    assert foreign["code"] == unknown["code"] == "impression-unknown"
    assert foreign.keys() == unknown.keys()
    assert foreign["title"] == unknown["title"]


def test_a_malformed_id(service: Service) -> None:
    answer = service.http.get("/v1/impressions/../../etc", headers=service.headers("auditor"))
    assert answer.status_code == 404
    answer = service.http.get("/v1/impressions/%00", headers=service.headers("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")


def test_the_document_by_etag_and_by_range(service: Service, sealed: dict[str, Any]) -> None:
    headers = service.headers("county system")
    whole = service.http.get(sealed["document"], headers=headers)
    same = service.http.get(sealed["document"], headers=headers | {"If-None-Match": whole.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    part = service.http.get(sealed["document"], headers=headers | {"Range": "bytes=0-7"})
    assert (part.status_code, part.content) == (206, whole.content[:8])
    assert whole.headers["cache-control"] == "no-store"
    assert whole.headers["content-security-policy"].startswith("sandbox")


def test_a_document_changed_on_disk_does_not_leave(service: Service) -> None:
    body = service.seal().json()
    path = service.world.shop.documents.read_path(body["sealed_digest"])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"%%EOF", b"%%EOX", 1))
    try:
        answer = service.http.get(body["document"], headers=service.headers("county system"))
        assert (answer.status_code, answer.json()["code"]) == (500, "document-changed")
        path.unlink()
        answer = service.http.get(body["document"], headers=service.headers("county system"))
        assert (answer.status_code, answer.json()["code"]) == (500, "document-lost")
    finally:
        path.write_bytes(content)


def test_the_receipt_is_the_one_that_came_with_the_seal(service: Service, sealed: dict[str, Any]) -> None:
    here = f"/v1/impressions/{sealed['impression']}/receipt"
    answer = service.http.get(here, headers=service.headers("county system"))
    assert answer.headers["content-type"] == MEDIA_TYPE
    receipt = Receipt.from_bytes(answer.content)
    assert receipt.to_json() == sealed["receipt"]
    leaf, checkpoint = receipt.evidence.check(service.world.shop.identity)
    assert leaf.kind == "seal.impressed"
    proof = service.http.get(f"/v1/proofs/inclusion?entry={sealed['entry']}&size={checkpoint.size}").json()
    assert proof["leaf_hash"].encode() != b""
    assert len(leaf_hash(receipt.evidence.leaf)) == 32


def test_lists_hold_ones_own(service: Service, sealed: dict[str, Any]) -> None:
    town = service.seal("town", by="platform").json()

    def ids(name: str) -> set[str]:
        answer = service.http.get("/v1/impressions", headers=service.headers(name)).json()
        return {entry["id"] for entry in answer["entries"]}

    both = {sealed["impression"], town["impression"]}
    assert both <= ids("platform") & ids("auditor")
    assert sealed["impression"] in ids("city office")
    assert town["impression"] not in ids("city office")
    # The county is the town's grantor, but this client approves for the county and does not administer its seals.
    assert town["impression"] not in ids("county system")
    assert ids("other system") == set()


def test_pages(service: Service) -> None:
    for _ in range(2):
        service.seal()
    headers, found, after = service.headers("auditor"), [], "-1"
    for _ in range(100):
        page = service.http.get(f"/v1/impressions?limit=1&after={after}", headers=headers).json()
        found += [entry["entry"] for entry in page["entries"]]
        if page["next"] is None:
            break
        after = page["next"]
    whole = service.http.get("/v1/impressions?limit=200", headers=headers).json()
    assert found == [entry["entry"] for entry in whole["entries"]]
    assert len(found) >= 3
    assert whole["next"] is None


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "after=-2", "after=x", "case_number=" + "x" * 201]
)
def test_pages_have_bounds(service: Service, query: str) -> None:
    answer = service.http.get(f"/v1/impressions?{query}", headers=service.headers("auditor"))
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
    assert answer.json()["errors"][0]["field"].startswith("query.")


def test_by_case_and_by_seal(service: Service) -> None:
    body = service.seal(case_number="并案一号").json()
    headers = service.headers("auditor")
    found = service.http.get("/v1/impressions", params={"case_number": "并案一号"}, headers=headers).json()
    assert [entry["id"] for entry in found["entries"]] == [body["impression"]]
    none = service.http.get("/v1/impressions", params={"seal": "sea-" + "a" * 26}, headers=headers).json()
    assert none["entries"] == []


CHANGE = {"status": "annulled", "effective": "2026-11-02", "reason": "依法撤销", "document": "示例决定〔2026〕1号"}


def test_only_the_grantor_changes_the_status(service: Service) -> None:
    here = f"/v1/impressions/{service.seal().json()['impression']}/status"
    assert service.http.get(here, headers=service.headers("county system")).json()["status"] == "in_force"
    wanted = {"county system": 403, "auditor": 403, "operator": 403, "forestry office": 404, "city office": 200}
    found = {name: service.http.put(here, json=CHANGE, headers=service.headers(name)).status_code for name in wanted}
    assert found == wanted
    told = service.http.get(here, headers=service.headers("county system")).json()
    assert told["status"] == "annulled"
    assert [(each["status"], each["reason"], each["by"]) for each in told["changes"]] == [
        ("annulled", "依法撤销", service.clients["city office"])
    ]
    again = service.http.put(here, json=CHANGE, headers=service.headers("city office"))
    assert (again.status_code, again.json()["code"]) == (409, "status-change-refused")


@pytest.mark.parametrize("changed", [{"status": "gone"}, {"effective": "soon"}, {"reason": ""}, {"extra": 1}])
def test_a_malformed_change_of_status(service: Service, sealed: dict[str, Any], changed: dict[str, Any]) -> None:
    here = f"/v1/impressions/{sealed['impression']}/status"
    answer = service.http.put(here, json=CHANGE | changed, headers=service.headers("city office"))
    assert (answer.status_code, answer.json()["code"]) == (400, "request-invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [f"body.{next(iter(changed))}"]


def test_the_document_is_what_was_hashed(service: Service, sealed: dict[str, Any]) -> None:
    pdf = service.http.get(sealed["document"], headers=service.headers("auditor")).content
    assert "sha256:" + hashlib.sha256(pdf).hexdigest() == sealed["sealed_digest"]


def test_a_download_gives_the_newest_file(service: Service) -> None:
    shop, world = service.world.shop, service.world
    policy = SealPolicy(level="PAdES-B-LT", check_mark="none")
    set_policy(shop, world.seals["city"], policy, world.act())
    sealed = service.seal().json()
    headers = service.headers("county system")
    before = service.http.get(sealed["document"], headers=headers)
    later = replace(world.act(), now=world.now + timedelta(minutes=5))
    unit = service_key(shop, "timestamp", world.now).certificate
    revoke_service_key(shop, f"{unit.serial_number:x}", "superseded", later)  # the next one lasts longer
    task = Task(within=timedelta(days=9999), dry_run=False, clock=lambda: later.now)

    states = {each.subject: each.state for each in renew_store(shop, task)}

    after = service.http.get(sealed["document"], headers=headers | {"If-None-Match": before.headers["etag"]})
    assert states[sealed["impression"]] == "renewed"
    assert (after.status_code, after.content.startswith(before.content)) == (200, True)
    assert after.headers["etag"] == f'"sha256:{hashlib.sha256(after.content).hexdigest()}"'
    assert len(after.content) > len(before.content)
