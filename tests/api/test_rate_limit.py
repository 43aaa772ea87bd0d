"""Who is counted as one caller, and what a caller is told who asks too often."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from api.addresses import Addresses
from api.errors import RateLimitedError
from api.rate_limit import RateLimits
from sealing.errors import InstallationError
from tests.api.live import Service, live_service


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    client = None if peer is None else (peer, 4711)
    return Request({"type": "http", "client": client, "headers": headers, "method": "GET", "path": "/"})


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("10.0.0.2", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.2", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.2", ("6.6.6.6", "198.51.100.1, 10.0.0.3"), "198.51.100.1"),
        ("10.0.0.2", ("6.6.6.6, not-an-address",), "10.0.0.2"),
        ("10.0.0.2", (), "10.0.0.2"),
        ("10.0.0.2", ("10.0.0.3",), "10.0.0.3"),
        ("2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        ("10.0.0.2", ("2001:db8:1:2::9",), "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", (), "203.0.113.7"),
        ("testclient", ("198.51.100.1",), "none"),
        (None, ("198.51.100.1",), "none"),
    ],
)
def test_only_a_trusted_proxy_speaks_for_others(peer: str | None, forwarded: tuple[str, ...], caller: str) -> None:
    limits = RateLimits("60/minute", Addresses(("10.0.0.2", "10.0.0.3")))
    assert limits.caller_of(request(peer, *forwarded)) == caller


def test_each_caller_and_each_kind_is_counted_apart() -> None:
    limits = RateLimits("2/hour", Addresses(()))
    for _ in range(2):
        limits.count("token", request("203.0.113.7"))
    limits.count("token", request("203.0.113.8"))
    limits.count("verification", request("203.0.113.7"))
    with pytest.raises(RateLimitedError) as refused:
        limits.count("token", request("203.0.113.7"))
    assert refused.value.code == "rate-limited"
    assert 1 <= refused.value.wait <= 3600


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(InstallationError) as refused:
        Addresses(("proxy.example",))
    assert refused.value.code == "proxy-unreadable"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with live_service(tmp_path_factory.mktemp("narrow"), verification_rate="3/hour") as made:
        yield made


@pytest.mark.parametrize("path", ["/v1/verifications", "/oauth/token"])
def test_the_answer_names_the_wait(narrow: Service, path: str, tmp_path: Path) -> None:
    answers = [narrow.http.post(path) for _ in range(4)]
    assert 429 not in {each.status_code for each in answers[:3]}
    last = answers[3]
    assert (last.status_code, last.json()["code"]) == (429, "rate-limited")
    assert last.headers["content-type"] == "application/problem+json"
    assert 1 <= int(last.headers["retry-after"]) <= 3600
