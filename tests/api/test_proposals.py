"""Proposals over HTTP: what is refused tells why, and nobody sees or decides those of another organ."""

from tests.api.live import Service

ALGORITHM = "ecdsa-p256-sha256"


def rotation(service: Service, name: str = "city") -> dict[str, str]:
    return {"seal": service.world.seals[name], "algorithm": ALGORITHM}


def code_of(answer) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["code"])


def test_a_proposal_waits_and_its_decision_carries_it_out(service: Service) -> None:
    proposed = service.propose("rotate_key", "city", rotation(service))
    assert proposed.status_code == 201
    record = proposed.json()["record"]
    assert (record["state"], record["decision"]) == ("open", None)
    path = f"/v1/proposals/{record['id']}"
    headers = service.headers("city office")
    listed = service.http.get("/v1/proposals?state=open", headers=headers).json()
    assert record["id"] in {each["id"] for each in listed["entries"]}
    decided = service.decide(record, "city").json()["record"]
    assert decided["state"] == "carried_out"
    assert service.http.get(path, headers=headers).json()["record"]["outcome"] == decided["outcome"]


def test_a_decision_is_made_once(service: Service) -> None:
    record = service.propose("rotate_key", "city", rotation(service)).json()["record"]
    assert service.decide(record, "city", choice="reject").json()["record"]["state"] == "rejected"
    again = service.decide(record, "city")
    assert (again.status_code, code_of(again)) == (409, "proposal-not-open")


def test_a_content_that_is_not_what_was_signed(service: Service) -> None:
    first, _ = service.world.administrators["city"]
    content = rotation(service)
    statement = first.proposal(service.world.shop.installation.log_origin, "rotate_key", content, service.world.now)
    body = {"action": "rotate_key", "organ": first.organ, "content": {**content, "algorithm": "rsa3072-sha256"}}
    answer = service.http.post(
        "/v1/proposals", json={**body, "statement": statement}, headers=service.headers("city office")
    )
    assert (answer.status_code, code_of(answer)) == (422, "proposal-other-content")


def test_the_organ_of_another_seal_is_refused(service: Service) -> None:
    answer = service.propose("rotate_key", "city", rotation(service, "town"))
    assert code_of(answer) == "proposal-of-another-organ"


def test_a_client_of_another_organ_neither_sees_nor_decides(service: Service) -> None:
    record = service.propose("rotate_key", "city", rotation(service)).json()["record"]
    path = f"/v1/proposals/{record['id']}"
    assert service.http.get(path, headers=service.headers("forestry office")).status_code == 404
    assert service.decide(record, "city", by="forestry office").status_code == 404
    listed = service.http.get("/v1/proposals", headers=service.headers("forestry office")).json()["entries"]
    assert record["id"] not in {each["id"] for each in listed}
    assert service.http.get(path, headers=service.headers("auditor")).status_code == 200


def test_a_restore_is_not_proposed_to_a_service(service: Service) -> None:
    content = {"backup": "sha256:" + "0" * 64, "from_size": 1, "to_size": 0}
    assert code_of(service.propose("restore_backup", "city", content)) == "proposal-not-here"
