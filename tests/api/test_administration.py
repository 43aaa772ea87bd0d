"""Organs, persons, clients, catalogue, agreements and seals through HTTP: from nothing to a seal that is used."""

import json
import secrets
from base64 import b64encode
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from world import ITEMS, identity_number, organ_code, public_bytes, terms

from registry.agreement_terms import terms_digest
from registry.agreements import sign_version
from registry.records import Agreement
from registry.xlsx_reading import read_xlsx_rows
from tests.api.live import Service

WHY = {"reason": "依据示例函〔2026〕2号"}


def call(service: Service, method: str, path: str, by: str = "operator", status: int = 200, **options: Any) -> Any:
    service.world.now += timedelta(seconds=1)  # what begins and ends at one moment never was
    answer = service.http.request(method, path, headers=service.headers(by), **options)
    assert answer.status_code == status, answer.text
    return answer.json()


def key_body(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    return {"public_key": public_bytes(key), "document": "示例登记表", **WHY}


def test_an_organ_is_registered_changed_and_succeeded(service: Service) -> None:
    code, heir = organ_code(901), organ_code(902)
    body = {"code": code, "legal_name": "示例局", "level": "county", "region": "360732", **WHY}
    made = call(service, "POST", "/v1/organs", status=201, json=body)
    assert (made["record"]["code"], made["version"]) == (code, 1)
    twice = call(service, "POST", "/v1/organs", status=409, json=body)
    assert twice["code"] == "record-not-unique"
    changed = {"legal_name": "示例新局", "level": "county", "region": "360732", "aliases": ["新局"], **WHY}
    assert call(service, "PUT", f"/v1/organs/{code}", json=changed)["record"]["aliases"] == ["新局"]
    call(service, "POST", "/v1/organs", status=201, json=body | {"code": heir, "legal_name": "承继局"})
    step = {"successor": heir, "on": "2026-12-01", "document": "示例机构改革文件", **WHY}
    call(service, "POST", f"/v1/organs/{code}/succession", status=201, json=step)
    told = call(service, "GET", f"/v1/organs/{code}", by="county system")
    assert told["record"]["succeeded_by"]["organ"] == heir
    assert told["version"] == 3
    assert call(service, "GET", f"/v1/organs/{organ_code(903)}", status=404)["code"] == "record-not-found"


def test_the_entry_of_a_change_names_client_and_reason(service: Service) -> None:
    body = {"code": organ_code(910), "legal_name": "留痕局", "level": "county", "region": "360732", **WHY}
    made = call(service, "POST", "/v1/organs", status=201, json=body)
    with service.world.shop.database.read() as connection:
        entry = service.world.shop.book.entry(connection, made["entry"])
    by = {"id": service.clients["operator"], "name": "operator", "organ": None}
    assert entry.value("act") == {"by": by, "why": WHY["reason"]}


def test_keys_of_organs_and_persons_end(service: Service) -> None:
    code, other = service.world.codes["other"], service.world.codes["county"]
    key = ec.generate_private_key(ec.SECP256R1())
    made = call(service, "POST", f"/v1/organs/{code}/keys", status=201, json=key_body(key))
    here = f"keys/{made['record']['id']}/end"
    assert call(service, "POST", f"/v1/organs/{other}/{here}", status=404, json=WHY)["code"] == "record-not-found"
    ended = call(service, "POST", f"/v1/organs/{code}/{here}", json=WHY)
    assert ended["record"]["valid_until"] is not None
    assert call(service, "POST", f"/v1/organs/{code}/{here}", status=409, json=WHY)["code"] == "ended-already"


def test_a_person_with_role_and_key(service: Service) -> None:
    body = {"name": "示例丙", "identity_number": identity_number(88_001), **WHY}
    person = call(service, "POST", "/v1/persons", status=201, json=body)["id"]
    role = {"organ": service.world.codes["county"], "role": "principal", "document": "示例任〔2026〕3号", **WHY}
    assigned = call(service, "POST", f"/v1/persons/{person}/roles", status=201, json=role)
    key = ec.generate_private_key(ec.SECP256R1())
    registered = call(service, "POST", f"/v1/persons/{person}/keys", status=201, json=key_body(key))
    told = call(service, "GET", f"/v1/persons/{person}", by="auditor")
    assert [each["role"] for each in told["roles"]] == ["principal"]
    assert [each["id"] for each in told["keys"]] == [registered["record"]["id"]]
    assert "natural_person" not in told
    elsewhere = service.world.staff["county"].user
    for kind, record in (("roles", assigned), ("keys", registered)):
        here = f"{kind}/{record['record']['id']}/end"
        call(service, "POST", f"/v1/persons/{elsewhere}/{here}", status=404, json=WHY)
        ended = call(service, "POST", f"/v1/persons/{person}/{here}", json=WHY)
        assert ended["record"]["valid_until"] is not None


def test_a_key_has_one_holder(service: Service) -> None:
    key = service.world.staff["county"].key
    code = service.world.codes["other"]
    answer = call(service, "POST", f"/v1/organs/{code}/keys", status=422, json=key_body(key))
    assert answer["code"] == "key-of-another"


def test_a_client_from_registration_to_closing(service: Service) -> None:
    body = {"name": "示例系统", "roles": ["approval_system"], "organs": [service.world.codes["county"]], **WHY}
    made = call(service, "POST", "/v1/clients", status=201, json=body)
    here = f"/v1/clients/{made['client']['id']}"
    assert len(made["secret"]) == 43
    assert "secret" not in str(call(service, "GET", here)).replace("client_secret_basic", "")
    renewed = call(service, "POST", f"{here}/secret", status=201, json=WHY)
    assert renewed["secret"] != made["secret"]
    key = call(
        service, "POST", f"{here}/approval-keys", status=201, json=key_body(ec.generate_private_key(ec.SECP256R1()))
    )
    other = f"/v1/clients/{service.clients['platform']}/approval-keys/{key['record']['id']}/end"
    call(service, "POST", other, status=404, json=WHY)
    call(service, "POST", f"{here}/approval-keys/{key['record']['id']}/end", json=WHY)
    assert call(service, "POST", f"{here}/state", json={"change": "close", **WHY})["state"] == "closed"
    refused = call(service, "POST", f"{here}/state", status=409, json={"change": "resume", **WHY})
    assert refused["code"] == "client-change-refused"
    listed = call(service, "GET", "/v1/clients?limit=200", by="auditor")["entries"]
    assert made["client"]["id"] in {client["id"] for client in listed}
    assert "secret_hash" not in str(listed)


def test_a_client_that_needs_organs(service: Service) -> None:
    body = {"name": "示例系统", "roles": ["approval_system"], **WHY}
    assert call(service, "POST", "/v1/clients", status=422, json=body)["code"] == "record-invalid"
    body["organs"] = [organ_code(990)]
    assert call(service, "POST", "/v1/clients", status=404, json=body)["code"] == "record-not-found"


def test_the_catalogue_for_everybody(service: Service) -> None:
    entries: list[dict[str, Any]] = []
    after = ""
    while True:
        page = service.http.get("/v1/items", params={"limit": 50} | ({"after": after} if after else {})).json()
        entries += page["entries"]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(entries) == len({entry["id"] for entry in entries}) == 144
    list_, number = ITEMS["city"]
    one = service.http.get(f"/v1/items/{list_}/{number}").json()
    assert one in entries
    assert service.http.get("/v1/items/001-2/9998").json()["code"] == "item-unknown"
    setup = service.http.get("/v1/setup?regime=city_county&limit=200").json()["entries"]
    assert len(setup) == 18


def test_the_catalogue_out_and_in_again(service: Service) -> None:
    csv = service.http.get("/v1/catalogue/items", headers={"Accept": "text/csv"})
    xlsx_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    xlsx = service.http.get("/v1/catalogue/items", headers={"Accept": xlsx_type})
    assert xlsx.headers["content-type"] == xlsx_type
    for name, answer in (("csv", csv), ("xlsx", xlsx)):
        sheet = {"file": (f"x.{name}", answer.content)}
        found = call(service, "POST", f"/v1/items/check?format={name}", files=sheet)
        assert (found["rows"], found["opened"], found["closed"], found["bad"]) == (144, 0, 0, [])
        file = b64encode(answer.content).decode()
        content = {"change": "import", "table": "items", "format": name, "file": file}
        service.world.now += timedelta(seconds=1)
        done = service.two_persons("change_catalogue", "city", content)
        assert done == {"rows": 144, "opened": 0, "closed": 0}


def test_a_sheet_with_a_bad_cell(service: Service) -> None:
    csv = service.http.get("/v1/catalogue/items", headers={"Accept": "text/csv"}).text
    bad = csv.replace("substantive_review", "by_friendship", 1).encode()
    cells = call(service, "POST", "/v1/items/check?format=csv", files={"file": ("x.csv", bad)})["bad"]
    assert [cell["found"] for cell in cells] == ["by_friendship"]
    assert cells[0]["expected_zh"]
    content = {"change": "import", "table": "items", "format": "csv", "file": b64encode(bad).decode()}
    proposed = service.propose("change_catalogue", "city", content).json()["record"]
    ended = service.decide(proposed, "city").json()["record"]
    assert (ended["state"], json.loads(ended["outcome"])["code"]) == ("failed", "sheet-refused")


@pytest.mark.parametrize(
    ("content", "form"), [(b"PK\x03\x04 no archive", "xlsx"), (b"\xff\xfe", "csv")], ids=["archive", "text"]
)
def test_sheets_that_are_none(service: Service, content: bytes, form: str) -> None:
    answer = call(service, "POST", f"/v1/items/check?format={form}", status=422, files={"file": ("x", content)})
    assert answer["zh"]


def test_a_pilot_region(service: Service) -> None:
    content = {
        "change": "add_pilot",
        "list": "002-2",
        "number": 12,
        "region": "360732100",
        "valid_from": "2026-01-01T00:00:00.000000Z",
        "valid_until": None,
        "source": "示例通知",
    }
    pilot = service.two_persons("change_catalogue", "city", content)["pilot"]
    for wrong, code in (({}, "record-changed"), ({"number": 999}, "item-unknown")):
        proposed = service.propose("change_catalogue", "city", content | wrong).json()["record"]
        ended = service.decide(proposed, "city").json()["record"]
        assert (ended["state"], json.loads(ended["outcome"])["code"]) == ("failed", code)
    service.world.now += timedelta(seconds=1)
    assert service.two_persons("change_catalogue", "city", {"change": "end_pilot", "pilot": pilot}) == {"pilot": pilot}


def new_terms(service: Service, **changed: Any) -> dict[str, Any]:
    number = f"示例协〔2026〕{secrets.randbelow(10**6)}号"
    return terms(service.world, "city", number=number, **changed)


def draft(service: Service, value: dict[str, Any], *, status: int = 201, by: str = "city office") -> Any:
    body = {"terms": value, "original_digest": "sha256:" + "0" * 64, **WHY}
    return call(service, "POST", "/v1/agreements", by=by, status=status, json=body)


def sign(service: Service, agreement: str, *organs: str) -> None:
    for organ in organs:
        with service.world.shop.database.read() as connection:
            record = service.world.shop.registry.get(connection, Agreement, agreement).record
        kid, key = service.world.organ_keys[organ]
        jws = sign_version(record, service.world.codes[organ], kid=kid, key=key)
        path = f"/v1/agreements/{agreement}/signatures"
        call(service, "POST", path, by="city office", status=201, json={"signature": jws, **WHY})


def changing(service: Service, agreement: str, change: str) -> dict[str, Any]:
    """The content of a proposal about the agreement as it is."""
    with service.world.shop.database.read() as connection:
        found = service.world.shop.registry.get(connection, Agreement, agreement).record
    version = found.pending if change == "bring_into_force" and found.pending else found.current
    return {"agreement": agreement, "change": change, "terms_digest": terms_digest(version.terms)}


def test_an_agreement_through_its_life(service: Service) -> None:
    value = new_terms(service, grantee=service.world.codes["other"], users=[service.world.codes["other"]])
    agreement = draft(service, value)["record"]["id"]
    here = f"/v1/agreements/{agreement}"
    state = f"{here}/state"
    early = call(service, "POST", state, by="city office", status=409, json={"change": "bring_into_force", **WHY})
    assert early["code"] == "agreement-not-signed"
    sign(service, agreement, "city", "other")
    done = call(service, "POST", state, by="city office", json={"change": "bring_into_force", **WHY})
    assert done["record"]["state"] == "in_force"
    amended = {"terms": value | {"scope": "另作约定"}, "original_digest": "sha256:" + "1" * 64, **WHY}
    call(service, "POST", f"{here}/amendments", by="city office", status=201, json=amended)
    sign(service, agreement, "city", "other")
    alone = call(service, "POST", state, by="city office", status=409, json={"change": "bring_into_force", **WHY})
    assert alone["code"] == "two-persons-needed"
    done = service.two_persons("change_agreement", "city", changing(service, agreement, "bring_into_force"))
    assert done == {"agreement": agreement, "state": "in_force", "version": 2}
    assert call(service, "GET", here, by="other system")["record"]["current"]["terms"]["scope"] == "另作约定"
    call(service, "GET", here, by="county system", status=404)
    done = call(service, "POST", state, by="city office", json={"change": "suspend", **WHY})
    assert done["record"]["state"] == "suspended"
    for change, expected in (("resume", "in_force"), ("recall", "recalled")):
        alone = call(service, "POST", state, by="city office", status=409, json={"change": change, **WHY})
        assert alone["code"] == "two-persons-needed"
        done = service.two_persons("change_agreement", "city", changing(service, agreement, change))
        assert done["state"] == expected


def test_an_agreement_without_a_part_the_clause_demands(service: Service) -> None:
    answer = draft(service, new_terms(service, liability=""), status=422)
    assert answer["code"] == "agreement-part-missing"
    assert "法律责任" in answer["zh"]


def test_agreements_of_others(service: Service) -> None:
    assert draft(service, new_terms(service), by="forestry office", status=403)["code"] == "not-your-organ"
    agreement = service.world.agreements["city"]
    for path, body in (
        ("signatures", {"signature": "x.y.z", **WHY}),
        ("state", {"change": "recall", **WHY}),
        ("amendments", {"terms": {}, "original_digest": "sha256:" + "0" * 64, **WHY}),
    ):
        answer = call(
            service, "POST", f"/v1/agreements/{agreement}/{path}", by="forestry office", status=404, json=body
        )
        assert answer["code"] == "record-not-found"
    listed = call(service, "GET", "/v1/agreements", by="forestry office")["entries"]
    assert [each["id"] for each in listed] == [service.world.agreements["forest"]]


def test_a_seal_through_its_life(service: Service) -> None:
    world = service.world
    value = new_terms(service, grantee=world.codes["other"], users=[world.codes["other"]])
    agreement = draft(service, value)["record"]["id"]
    content = {"agreement": agreement, "custodian": world.staff["other"].custodian}
    early = service.decide(service.propose("issue_seal", "city", content).json()["record"], "city").json()["record"]
    assert json.loads(early["outcome"])["code"] == "agreement-not-in-force"
    sign(service, agreement, "city", "other")
    state = f"/v1/agreements/{agreement}/state"
    call(service, "POST", state, by="city office", json={"change": "bring_into_force", **WHY})
    issued = service.two_persons("issue_seal", "city", content)
    assert issued["name"].startswith("赣州市行政审批局行政审批专用章（")
    here = f"/v1/seals/{issued['seal']}"
    assert call(service, "GET", here, by="city office")["certificate"]["issuer"] == "internal"
    for change, state in (("enable", "active"), ("suspend", "suspended"), ("resume", "active")):
        done = call(service, "POST", f"{here}/state", by="city office", json={"change": change, **WHY})
        assert done["record"]["state"] == state
        assert done["certificate"]["revoked_reason"] == {"suspended": "certificate_hold"}.get(state)
    told = call(service, "POST", f"{here}/suspicion", by="city office", json=WHY)
    assert (told["record"]["state"], told["certificate"]["revoked_reason"]) == ("suspended", "key_compromise")
    service.two_persons("rotate_key", "city", {"seal": issued["seal"], "algorithm": "ecdsa-p256-sha256"})
    assert call(service, "GET", here, by="city office")["certificate"]["revoked_reason"] == "certificate_hold"
    service.two_persons("cancel_seal", "city", {"seal": issued["seal"], "reason": "cessation_of_operation"})
    service.two_persons("destroy_seal", "city", {"seal": issued["seal"]})
    filed = call(service, "PUT", f"{here}/filings/0", by="city office", json={"filing_number": "备〔2026〕1号", **WHY})
    assert filed["record"]["filings"][0]["filing_number"] == "备〔2026〕1号"
    assert call(service, "GET", here, by="other system")["record"]["state"] == "destroyed"
    call(service, "GET", here, by="county system", status=404)


def test_the_policy_of_a_seal(service: Service) -> None:
    here = f"/v1/seals/{service.world.seals['city']}"
    chosen = {"level": "PAdES-B-LTA", "may_lower": True, "check_mark": "code"}
    told = call(service, "PUT", f"{here}/policy", by="city office", json={**chosen, **WHY})
    assert chosen.items() <= told["record"].items()
    assert chosen.items() <= call(service, "GET", here, by="county system")["record"].items()
    call(service, "PUT", f"{here}/policy", by="forestry office", status=404, json={**chosen, **WHY})
    for wrong in ({"level": "PAdES-B-X"}, {"check_mark": "barcode"}, {"may_lower": "yes"}):
        call(service, "PUT", f"{here}/policy", by="city office", status=400, json={**chosen, **wrong, **WHY})
    call(service, "PUT", f"{here}/policy", by="city office", status=400, json={"level": "PAdES-B-B", **WHY})


def test_custodian_and_request_for_an_outside_certificate(service: Service) -> None:
    here, world = f"/v1/seals/{service.world.seals['city']}", service.world
    custodian = {"custodian": world.staff["county"].custodian, **WHY}
    told = call(service, "PUT", f"{here}/custodian", by="city office", json=custodian)
    assert told["record"]["custodian"] == custodian["custodian"]
    call(service, "PUT", f"{here}/custodian", by="forestry office", status=404, json=custodian)
    answer = service.http.post(f"{here}/certificate-requests", json=WHY, headers=service.headers("city office"))
    assert answer.content.startswith(b"-----BEGIN CERTIFICATE REQUEST-----")
    chain = {"chain": "-----BEGIN CERTIFICATE-----\n", **WHY}
    refused = call(service, "PUT", f"{here}/certificate", by="city office", status=500, json=chain)
    assert refused["code"] == "no-licensed-roots"


def test_the_face(service: Service) -> None:
    here = f"/v1/seals/{service.world.seals['city']}"
    svg = service.http.get(f"{here}/face.svg", headers=service.headers("county system"))
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg")
    assert "sandbox" in svg.headers["content-security-policy"]
    png = service.http.get(f"{here}/face.png?pixels=128", headers=service.headers("county system"))
    assert png.content[16:24] == (128).to_bytes(4) * 2  # width and height in the header of a PNG
    call(service, "GET", f"{here}/face.png?pixels=9999", by="county system", status=400)


def test_the_usage_register_in_three_forms(service: Service, tmp_path: Any) -> None:
    sealed = service.seal(case_number="台账一号").json()
    order = service.world.order("city", case_number="台账一号", document_number=None)
    service.send(order, service.world.document("city", order, service.folder), None)
    headers = service.headers("city office")
    page = service.http.get("/v1/register", params={"case_number": "台账一号"}, headers=headers).json()
    assert [line["outcome"] for line in page["entries"]] == ["盖章", "拒绝"]
    assert page["entries"][0]["sealed_digest"] == sealed["sealed_digest"]
    csv = service.http.get("/v1/register", headers=headers | {"Accept": "text/csv"})
    assert "台账一号" in csv.content.decode("utf-8-sig")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    xlsx = service.http.get("/v1/register", headers=headers | {"Accept": kind})
    path = tmp_path / "x.xlsx"
    path.write_bytes(xlsx.content)
    assert any("台账一号" in row for row in read_xlsx_rows(str(path))["rows"])
    assert service.http.get("/v1/register", headers=service.headers("other system")).json()["entries"] == []
    first = service.http.get("/v1/register?limit=1", headers=headers).json()
    second = service.http.get(f"/v1/register?limit=1&after={first['next']}", headers=headers).json()
    assert second["entries"][0]["entry"] > first["entries"][0]["entry"]
    none = service.http.get("/v1/register?until=2020-01-01T00:00:00Z", headers=headers).json()
    assert none == {"entries": [], "next": None}
    assert service.http.get("/v1/register?since=2020-01-01T00:00:00", headers=headers).status_code == 400


def test_a_paper_use_is_recorded_with_findings(service: Service) -> None:
    order = service.world.order("city", case_number="纸质一号")
    body = {"order": order.to_json(), "used_at": "2026-11-01T08:00:00Z", "reason": "系统中断"}
    recorded = call(service, "POST", "/v1/paper-uses", by="county system", status=201, json=body)
    assert {finding["code"]: finding["passed"] for finding in recorded["findings"]}["approver_is_principal"] is False
    assert call(service, "POST", "/v1/paper-uses", by="other system", status=403, json=body)["code"] == "not-your-organ"
    late = call(
        service,
        "POST",
        "/v1/paper-uses",
        by="county system",
        status=422,
        json=body | {"used_at": "2029-01-01T00:00:00Z"},
    )
    assert late["code"] == "used-in-the-future"
    lines = call(service, "GET", "/v1/register?limit=200", by="auditor")["entries"]
    assert ("纸质用章", "纸质一号") in {(line["outcome"], line["case_number"]) for line in lines}


@pytest.mark.parametrize(
    "change",
    [
        {"reason": ""},
        {"reason": None},
        {"level": "galaxy"},
        {"code": "123"},
        {"legal_name": "x\u202e"},
        {"more": 1},
        {"region": 36},
    ],
)
def test_bodies_are_strict(service: Service, change: dict[str, Any]) -> None:
    body = {"code": organ_code(950), "legal_name": "示例局", "level": "county", "region": "360732", **WHY} | change
    answer = call(service, "POST", "/v1/organs", status=400, json=body)
    assert answer["code"] == "request-invalid"
    assert answer["errors"][0]["field"] == f"body.{next(iter(change))}"
