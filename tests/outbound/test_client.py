"""The one way out: what it calls, what it refuses to call, and what it does not wait for (threat model, 22)."""

import gzip
import socket
import time
import traceback
from contextlib import contextmanager
from threading import Thread
from types import SimpleNamespace

import pytest
from outside_servers import NAME, says, serving

from outbound.client import OutboundClient, authority_of
from outbound.deadline import Deadline
from outbound.errors import OutboundError, OutboundFailedError, OutboundRefusedError

LOCAL = ("127.0.0.0/8",)


def at_home(_host, _port):
    return ["127.0.0.1"]


def caller(server, **changed):
    chosen = {"networks": LOCAL, "allow_http": True, "resolver": at_home, "seconds": 5.0} | changed
    return OutboundClient([server.host], **chosen)


def failing(call) -> OutboundError:
    with pytest.raises(OutboundError) as raised:
        call()
    return raised.value


def test_get_and_post_over_tls_by_name(tls):
    with serving(says(b"answer", media_type="Application/X-Test; a=b"), tls.context) as server:
        client = caller(server, allow_http=False, roots=tls.roots)
        got = client.get(f"https://{server.host}/a?b=c")
        posted = client.post(f"https://{server.host}/p", b"body", media_type="x/y", authorization="Bearer s3cret")

    assert (got.body, got.media_type, posted.body) == (b"answer", "application/x-test", b"answer")
    (method, path, headers, _), (_, _, sent, body) = server.seen.requests
    assert (method, path, headers["host"]) == ("GET", "/a?b=c", server.host)
    assert "cookie" not in headers
    assert "authorization" not in headers
    assert (sent["authorization"], sent["content-type"], body) == ("Bearer s3cret", "x/y", b"body")


def test_a_server_with_another_name_or_root_is_not_believed(tls, tmp_path):
    with serving(says(b""), tls.context) as server:
        other = OutboundClient([f"other.example:{server.port}"], networks=LOCAL, roots=tls.roots, resolver=at_home)
        assert failing(lambda: other.get(f"https://other.example:{server.port}/")).code == "outbound-unreachable"
        stranger = caller(server, allow_http=False)  # the system's roots
        assert failing(lambda: stranger.get(f"https://{server.host}/")).code == "outbound-unreachable"
        by_number = OutboundClient([f"127.0.0.9:{server.port}"], networks=LOCAL, roots=tls.roots, resolver=at_home)
        assert by_number.get(f"https://127.0.0.9:{server.port}/").body == b""
    assert len(server.seen.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://tsa.example/",
        "https://user:pass@tsa.example/",
        "https://user@tsa.example/",
        "https://@tsa.example/",
        "https://tsa.example/#part",
        "https://tsa.example/a b",
        "https://tsa.example/\r\nX: y",
        "https://tsa.example:port/",
        "https://tsa.example:99999/",
        "https://印信.example/",
        "https://",
        "tsa.example",
        "",
    ],
    ids=[
        "scheme", "password", "user", "empty_user", "fragment", "blank", "line_break", "port", "port_range", "han",
        "no_host", "no_scheme", "empty",
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused_without_quoting_it(url):
    error = failing(lambda: OutboundClient(["tsa.example:443"]).get(url))

    assert isinstance(error, OutboundRefusedError)
    assert error.code == "outbound-url-refused"
    assert "pass" not in str(error)


def test_only_configured_hosts_and_ports_and_only_https():
    with serving(says(b"")) as server:
        client = caller(server)
        for url in (f"http://127.0.0.1:{server.port}/", f"http://{NAME}:{server.port + 1}/", f"http://{NAME}/"):
            assert failing(lambda url=url: client.get(url)).code == "outbound-host-not-configured"
        strict = caller(server, allow_http=False)
        assert failing(lambda: strict.get(f"http://{server.host}/")).code == "outbound-not-https"
        assert client.get(f"http://{server.host.upper()}/".replace("HTTP", "http")).body == b""
    assert len(server.seen.requests) == 1


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::", "::ffff:10.0.0.1", "2002:a00:1::1",
        "64:ff9b::a00:1", "192.0.2.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "::2", "4000::1", "192.0.0.8",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public_are_not_called(address):
    client = OutboundClient(["tsa.example:443"], resolver=lambda *_: [address])

    assert failing(lambda: client.get("https://tsa.example/")).code == "outbound-address-refused"


def test_one_bad_address_among_good_ones_refuses_the_name():
    client = OutboundClient(["tsa.example:443"], resolver=lambda *_: ["93.184.215.14", "10.0.0.1"])

    assert failing(lambda: client.get("https://tsa.example/")).code == "outbound-address-refused"


def test_a_multicast_address_is_not_called_even_inside_a_configured_network():
    client = OutboundClient(["tsa.example:443"], networks=["224.0.0.0/4"], resolver=lambda *_: ["224.0.0.1"])

    assert failing(lambda: client.get("https://tsa.example/")).code == "outbound-address-refused"


def test_a_name_that_is_rebound_is_asked_once_and_the_connection_goes_where_the_check_looked():
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = []

    def rebinding(host, port):
        asked.append((host, port))
        return next(answers)

    with serving(says(b"first")) as server:
        client = caller(server, resolver=rebinding)
        assert client.get(f"http://{server.host}/").body == b"first"
        assert asked == [(NAME, server.port)]
        assert failing(lambda: client.get(f"http://{server.host}/")).code == "outbound-address-refused"
    assert len(server.seen.requests) == 1
    assert server.seen.requests[0][2]["host"] == server.host


def test_a_name_that_does_not_resolve_or_takes_for_ever():
    def unknown(*_):
        raise socket.gaierror

    def hanging(*_):
        time.sleep(2)

    url, hosts = "https://tsa.example/", ["tsa.example:443"]
    assert failing(lambda: OutboundClient(hosts, resolver=unknown).get(url)).code == "outbound-name-unresolved"
    begun = time.monotonic()
    assert failing(lambda: OutboundClient(hosts, resolver=hanging, seconds=0.2).get(url)).code == "outbound-too-slow"
    assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status):
    with serving(says(b"elsewhere")) as goal, serving(says(b"", status=status, location=f"http://{goal.host}/")) as old:
        client = OutboundClient([old.host, goal.host], networks=LOCAL, allow_http=True, resolver=at_home)
        assert failing(lambda: client.get(f"http://{old.host}/")).code == "outbound-redirected"
    assert goal.seen.requests == []


@pytest.mark.parametrize("status", [204, 206, 401, 404, 500, 503])
def test_only_a_full_answer_is_one(status):
    with serving(says(b"", status=status)) as server:
        error = failing(lambda: caller(server).get(f"http://{server.host}/"))

    assert error.code == "outbound-status"
    assert str(status) in error.en


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    with serving(says(b"proxy")) as proxy, serving(says(b"direct")) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert caller(server).get(f"http://{server.host}/").body == b"direct"
    assert proxy.seen.requests == []


def test_cookies_are_not_kept():
    with serving(says(b"", set_cookie="a=b")) as server:
        client = caller(server)
        client.get(f"http://{server.host}/")
        client.get(f"http://{server.host}/")
    assert "cookie" not in server.seen.requests[1][2]


def test_an_answer_that_is_too_long_is_left_when_the_limit_is_reached():
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            sent.append(handler.wfile.write(b"x" * 65536))

    with serving(endless) as server:
        client = caller(server, longest=100_000)
        assert failing(lambda: client.get(f"http://{server.host}/")).code == "outbound-answer-too-large"
        exact = caller(server, longest=100_000)
        assert failing(lambda: exact.get(f"http://{server.host}/", longest=5)).code == "outbound-answer-too-large"
    assert sum(sent) < 20_000_000


def test_a_compressed_answer_is_refused_without_unpacking_it():
    with serving(says(gzip.compress(b"\0" * 1_000_000), content_encoding="gzip")) as server:
        assert failing(lambda: caller(server).get(f"http://{server.host}/")).code == "outbound-answer-encoded"
    assert server.seen.requests[0][2]["accept-encoding"] == "identity"


def drip(before: bytes):
    """A server that sends a byte every 50 ms for ever, after ``before``; it never exceeds a limit on single reads."""

    def answer(handler):
        handler.wfile.write(before)
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    "before",
    [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["headers", "body", "body_without_length"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_slow_answer_ends_at_the_limit_however_it_is_dripped(before, secure, tls):
    with serving(drip(before), tls.context if secure else None) as server:
        client = caller(server, seconds=0.4, roots=tls.roots)
        begun = time.monotonic()
        scheme = "https" if secure else "http"
        assert failing(lambda: client.get(f"{scheme}://{server.host}/")).code == "outbound-too-slow"
        assert time.monotonic() - begun < 2


@contextmanager
def silent():
    """Takes connections and says nothing, not even in a TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = []
        Thread(target=lambda: kept.append(listening.accept()), daemon=True).start()
        yield listening.getsockname()[1]
        for connection, _ in kept:
            connection.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_silent_server_is_left(scheme):
    with silent() as port:
        hosts = [f"{NAME}:{port}"]
        client = OutboundClient(hosts, networks=LOCAL, allow_http=True, resolver=at_home, seconds=0.3)
        assert failing(lambda: client.get(f"{scheme}://{NAME}:{port}/")).code == "outbound-too-slow"


def test_nobody_listening_and_nonsense_are_failures_of_the_other_side():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    client = OutboundClient([f"{NAME}:{port}"], networks=LOCAL, allow_http=True, resolver=at_home)
    assert isinstance(failing(lambda: client.get(f"http://{NAME}:{port}/")), OutboundFailedError)
    with serving(lambda handler: handler.wfile.write(b"nonsense\r\n\r\n")) as server:
        assert failing(lambda: caller(server).get(f"http://{server.host}/")).code == "outbound-unreachable"


@pytest.mark.parametrize(
    "secret", ["Bearer t0ps3cret", "t0ps3cret\r\nX: y", "t0ps3cret\0"], ids=["plain", "lines", "nul"]
)
def test_no_error_quotes_the_credentials(secret):
    with serving(says(b"", status=401)) as server, pytest.raises(OutboundError) as raised:
        caller(server).post(f"http://{server.host}/", b"", media_type="x/y", authorization=secret)
    told = [line for line in traceback.format_exception(raised.value) if not line.lstrip().startswith("File")]
    assert "t0ps3cret" not in "".join(told)
    assert all(headers.get("x") != "y" for _, _, headers, _ in server.seen.requests)


def test_host_and_port_of_an_address():
    assert authority_of("https://TSA.example/x?y") == "tsa.example:443"
    assert authority_of("http://[::1]:8080/") == "[::1]:8080"


def test_a_connection_that_comes_as_the_time_ends_is_cut_all_the_same():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.01) as deadline:
        time.sleep(0.05)  # the timer found nothing to cut
        stream = SimpleNamespace(get_extra_info=lambda _: ours)
        deadline.watch("connection.connect_tcp.complete", {"return_value": stream})
        theirs.settimeout(1)
        assert theirs.recv(1) == b""
