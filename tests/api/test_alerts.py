"""Limits over HTTP: chosen by the owner, judged for the caller's own address; alerts for who looks after the seal."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.live import Service, live_service

POLICY = {"level": "PAdES-B-B", "may_lower": False, "check_mark": "none", "reason": "限定用章"}
OFFICE = {"from": "08:30", "until": "18:00", "working_days_only": True}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service behind a proxy at 10.0.0.2, which alerts from the second use of an hour on."""
    folder = tmp_path_factory.mktemp("narrow")
    with live_service(folder, trusted_proxies=("10.0.0.2",), burst_floor=1) as made:
        yield made


def put_limits(service: Service, name: str, by: str, limits: dict[str, Any] | None) -> Any:
    body = POLICY | ({} if limits is None else {"limits": limits})
    return service.http.put(f"/v1/seals/{service.world.seals[name]}/policy", json=body, headers=service.headers(by))


def from_peer(service: Service, peer: str) -> None:
    """Let the next requests come from this address, as the server underneath tells it."""
    service.http._transport.client = (peer, 4711)


def failed(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json()["findings"] if not each["passed"]]


def test_limits_are_chosen_by_the_owner_alone_and_stay_where_they_are_not_told(narrow: Service) -> None:
    limits = {"daily_cap": 90, "monthly_cap": 900, "working_hours": OFFICE, "suspend_on_burst": True}
    assert put_limits(narrow, "forest", "city office", limits).status_code == 404
    answer = put_limits(narrow, "forest", "forestry office", limits)
    assert answer.status_code == 200
    record = put_limits(narrow, "forest", "forestry office", None).json()["record"]
    assert (record["daily_cap"], record["limits"]["monthly_cap"]) == (90, 900)
    assert record["limits"]["working_hours"] == OFFICE
    lifted = put_limits(narrow, "forest", "forestry office", {"monthly_cap": 5}).json()["record"]
    assert (lifted["daily_cap"], lifted["limits"]["working_hours"], lifted["limits"]["monthly_cap"]) == (None, None, 5)


@pytest.mark.parametrize(
    "limits",
    [{"networks": ["10.0.0.1/8"]}, {"working_hours": {"from": "9:00", "until": "10:00"}}, {"weekly_cap": 3}],
    ids=["network", "hours", "unknown"],
)
def test_a_limit_that_cannot_be_is_told(narrow: Service, limits: dict[str, Any]) -> None:
    answer = put_limits(narrow, "forest", "forestry office", limits)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("body.limits.")


@pytest.mark.parametrize(
    ("peer", "forwarded", "sealed"),
    [
        ("10.8.1.1", None, True),
        ("203.0.113.9", None, False),
        ("203.0.113.9", "10.8.1.1", False),
        ("10.0.0.2", "10.8.1.1", True),
        ("10.0.0.2", "10.8.1.1, 203.0.113.9", False),
        ("10.0.0.2", None, False),
        ("10.0.0.2", "10.8.1.1, unknown", False),
    ],
    ids=["inside", "outside", "own-word", "proxy", "outside-proxy", "proxy-says-nothing", "proxy-unreadable"],
)
def test_the_network_is_that_of_the_caller(narrow: Service, peer: str, forwarded: str | None, sealed: bool) -> None:
    assert put_limits(narrow, "forest", "forestry office", {"networks": ["10.0.0.0/8"]}).status_code == 200
    from_peer(narrow, peer)
    order = narrow.world.order("forest")
    document = narrow.world.document("forest", order, narrow.folder)
    approval = narrow.world.approve("forest", order, document)
    named = {} if forwarded is None else {"X_Forwarded_For": forwarded}
    answer = narrow.send(order, document, approval, by="platform", **named)
    from_peer(narrow, "testclient")
    assert answer.status_code == (201 if sealed else 422)
    assert sealed or failed(answer) == ["allowed_network"]


def test_an_alert_is_told_to_the_grantor_and_not_to_the_client(narrow: Service) -> None:
    assert put_limits(narrow, "city", "city office", {"suspend_on_burst": True}).status_code == 200
    answers = [narrow.seal("city", by="platform") for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, 422]
    assert "seal_active" in failed(answers[2])
    assert "alert" not in answers[1].text

    mine = {"seal": narrow.world.seals["city"]}
    seen = {
        name: narrow.http.get("/v1/alerts", params=mine, headers=narrow.headers(name))
        for name in ("city office", "forestry office", "operator", "auditor", "platform")
    }
    assert seen["platform"].status_code == 403
    assert {name: len(each.json().get("entries", [])) for name, each in seen.items() if name != "platform"} == {
        "city office": 1,
        "forestry office": 0,
        "operator": 1,
        "auditor": 1,
    }
    (alert,) = seen["city office"].json()["entries"]
    assert (alert["client"], alert["uses"], alert["threshold"]) == (narrow.clients["platform"], 2, 1)
    assert alert["suspended"] is True
    assert alert["impression"] == answers[1].json()["impression"]
    page = narrow.http.get("/v1/alerts", params={"limit": 1}, headers=narrow.headers("auditor")).json()
    after = narrow.http.get("/v1/alerts", params={"after": page["next"]}, headers=narrow.headers("auditor")).json()
    assert alert in [*page["entries"], *after["entries"]]
