"""The small parts: negotiation, pages, lanes, figures."""

from threading import Event, Thread

import pytest

from api.bodies import page_of
from api.errors import NotAcceptableError, OverloadedError
from api.lane import Lane
from api.metrics import Metrics
from api.negotiation import CSV, JSON, PDF, XLSX, preferred
from tests.api.live import Service


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/pdf", PDF),
        ("application/pdf, application/json", JSON),
        ("application/json;q=0.1, application/pdf", PDF),
        ("application/pdf;q=0.5, */*;q=0.4", PDF),
        ("application/*;q=0.5, application/json;q=0", PDF),
        ("text/html, APPLICATION/PDF ; q=0.3", PDF),
        ("application/pdf;q=x, application/json;q=0.1", JSON),
    ],
)
def test_what_the_caller_likes_best(accept: str | None, expected: str) -> None:
    assert preferred(accept, (JSON, PDF)) == expected


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0, application/pdf;q=0", "*/*;q=0", ";;;", ","])
def test_what_nobody_offers(accept: str) -> None:
    with pytest.raises(NotAcceptableError) as caught:
        preferred(accept, (JSON, PDF))
    assert JSON in caught.value.en


def test_types_of_one_family_are_told_apart() -> None:
    assert preferred("text/*", (JSON, CSV, XLSX)) == CSV


def test_pages_meet_and_end() -> None:
    entries = [5, 3, 1, 2, 4]
    first = page_of(entries, str, after=None, limit=2)
    second = page_of(entries, str, after=first.next, limit=2)
    third = page_of(entries, str, after=second.next, limit=2)
    assert [first.entries, second.entries, third.entries] == [[1, 2], [3, 4], [5]]
    assert third.next is None
    assert page_of(entries, str, after="5", limit=2).entries == []
    assert page_of(entries, str, after=None, limit=5).next is None


def test_a_lane_gives_back_what_the_work_gave() -> None:
    thread = Lane("sealing", 1)
    assert thread.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 // 0)
    assert thread.run(lambda: 8) == 8  # the place was given back
    thread.close()


def test_no_more_wait_than_there_are_places() -> None:
    thread, release, begun = Lane("sealing", 1), Event(), Event()
    results: list[int] = []

    def work() -> int:
        begun.set()
        release.wait(10)
        return 1

    callers = [Thread(target=lambda: results.append(thread.run(work))) for _ in range(2)]
    for caller in callers:
        caller.start()
    assert begun.wait(5)
    while thread._places._value:  # both places are taken
        pass
    with pytest.raises(OverloadedError):
        thread.run(lambda: 2)
    release.set()
    for caller in callers:
        caller.join(5)
    assert results == [1, 1]
    thread.close()


def test_a_closed_lane_finishes_and_takes_no_more() -> None:
    thread = Lane("sealing", 1)
    thread.close()
    for _ in range(3):  # and keeps no place
        with pytest.raises(OverloadedError):
            thread.run(lambda: 1)


def test_figures_of_seal_uses() -> None:
    metrics = Metrics()
    findings = [{"code": "item_listed", "passed": False}, {"code": "seal_active", "passed": True}]
    metrics.sealed(outcome="refused", findings=findings, seconds=0.02)
    metrics.sealed(outcome="sealed", findings=[], seconds=0.02)
    text = metrics.text().decode()
    assert 'yinxin_seal_uses_total{outcome="refused"} 1.0' in text
    assert 'yinxin_refusals_total{rule="item_listed"} 1.0' in text
    assert "seal_active" not in text
    assert "yinxin_sealing_seconds_count 2.0" in text


def test_figures_of_the_service(service: Service) -> None:
    assert service.seal().status_code == 201
    order = service.world.order("city", document_number=None)
    document = service.world.document("city", order, service.folder)
    service.send(order, document, None)
    service.send(order, document.with_suffix(".pdf"), "x" * 10)
    answer = service.http.get("/metrics", headers=service.headers("auditor"))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        'yinxin_seal_uses_total{outcome="sealed"} 1.0',
        'yinxin_seal_uses_total{outcome="refused"} 2.0',
        'yinxin_refusals_total{rule="principal_approved"} 2.0',
        "yinxin_sealing_waiting 0.0",
        'yinxin_request_seconds_count{operation="sealDocument",status="201"} 1.0',
    ):
        assert line in answer.text


def test_ready_until_something_is_missing(service: Service) -> None:
    answer = service.http.get("/ready")
    assert answer.json() == {
        "ready": True,
        "checks": {"database": True, "keystore": True, "record": True, "documents": True, "workers": True},
        "unwitnessed": [],
    }
    incoming = service.world.shop.documents.incoming
    hidden = incoming.rename(incoming.with_name("hidden"))
    try:
        answer = service.http.get("/ready")
        assert answer.status_code == 503
        assert [name for name, works in answer.json()["checks"].items() if not works] == ["documents"]
        assert service.http.get("/health").status_code == 200
    finally:
        hidden.rename(incoming)
