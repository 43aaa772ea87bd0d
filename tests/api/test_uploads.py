"""Multipart bodies as a hostile hand would send them; each is refused and leaves no file behind."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from ledger.ids import new_id
from tests.api.live import Service

BOUNDARY = "b0undary"


def body(*parts: tuple[str, bytes], end: bool = True, extra: str = "") -> bytes:
    lines = b""
    for name, content in parts:
        disposition = f'Content-Disposition: form-data; name="{name}"{extra}\r\n\r\n'
        lines += f"--{BOUNDARY}\r\n{disposition}".encode() + content + b"\r\n"
    return lines + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def send(service: Service, content: Any, *, kind: str | None = None, by: str | None = "county system") -> Any:
    headers = service.headers(by, Idempotency_Key=new_id("key"))
    headers["Content-Type"] = kind or f"multipart/form-data; boundary={BOUNDARY}"
    seal = service.world.seals["city"]
    return service.http.post(f"/v1/seals/{seal}/impressions", headers=headers, content=content)


@pytest.fixture(autouse=True)
def nothing_left(service: Service) -> Iterator[None]:
    yield
    assert list(service.world.shop.documents.incoming.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "multipart-malformed"),
        (b"not multipart at all", "multipart-malformed"),
        (body(("document", b"%PDF-")), "part-missing"),
        (body(("order", b"{}")), "part-missing"),
        (body(("document", b"x"), ("order", b"{}"), end=False), "multipart-malformed"),
        (body(("document", b"x"), ("document", b"y"), ("order", b"{}")), "part-twice"),
        (body(("document", b"x"), ("order", b"{}"), ("order", b"{}")), "part-twice"),
        (body(("document", b"x"), ("order", b"{}"), ("other", b"z")), "part-unknown"),
        (body(("", b"x")), "part-unknown"),
        (body(("document", b"x"), ("order", b"{}"), ("approval", b"\xff")), "request-invalid"),
        (body(("document", b"x"), ("order", b"{}"))[:-20], "multipart-malformed"),
        (body(("document", b"x" * 100))[:60], "multipart-malformed"),
    ],
)
def test_malformed_bodies(service: Service, content: bytes, code: str) -> None:
    answer = send(service, content)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_approval_that_is_not_text(service: Service) -> None:
    order = json.dumps(service.world.order("city").to_json()).encode()
    answer = send(service, body(("document", b"x"), ("order", order), ("approval", b"\xff")))
    assert (answer.status_code, answer.json()["code"]) == (400, "part-not-utf8")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "text/plain",
        "multipart/mixed; boundary=x",
    ],
)
def test_other_kinds_of_body(service: Service, kind: str) -> None:
    answer = send(service, body(("document", b"x"), ("order", b"{}")), kind=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "multipart-expected")


def test_a_boundary_that_is_too_long(service: Service) -> None:
    answer = send(service, b"x", kind="multipart/form-data; boundary=" + "x" * 300)
    assert (answer.status_code, answer.json()["code"]) == (400, "multipart-malformed")


def test_a_document_over_the_limit(service: Service) -> None:
    most = service.world.shop.settings.max_pdf_bytes
    right = send(service, body(("document", b"x" * most), ("order", b"{}")))
    assert right.json()["code"] == "request-invalid"  # the document passed, the order did not
    answer = send(service, body(("document", b"x" * (most + 1)), ("order", b"{}")))
    assert (answer.status_code, answer.json()["code"]) == (413, "document-too-large")


def chunks(size: int) -> Iterator[bytes]:
    yield body(("document", b"%PDF-"), end=False)
    yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="order"\r\n\r\n'.encode()
    for _ in range(size // 100_000):
        yield b"x" * 100_000


def test_a_part_over_its_limit_without_a_length(service: Service) -> None:
    answer = send(service, chunks(4_500_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "part-too-large")


def test_a_length_over_the_limit_is_refused_unread(service: Service) -> None:
    most = service.world.shop.settings.max_pdf_bytes
    answer = send(service, b"x" * (most + 9_000_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_strangers_upload_nothing(service: Service) -> None:
    read: list[int] = []

    def counted() -> Iterator[bytes]:
        for chunk in chunks(1_000_000):
            read.append(len(chunk))
            yield chunk

    answer = send(service, counted(), by=None)
    assert answer.status_code == 401
    answer = send(service, body(("document", b"x")), by="auditor")
    assert answer.status_code == 403


def test_json_bodies_are_small(service: Service) -> None:
    long = json.dumps({"name": "x" * 1_100_000}).encode()
    headers = service.headers("operator") | {"Content-Type": "application/json"}
    answer = service.http.post("/v1/clients", content=long, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    streamed = service.http.post("/v1/clients", content=iter([long[:600_000], long[600_000:]]), headers=headers)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "request-invalid"),
        (b"\xff", "body-unreadable"),
        (b"[" * 100_000, "body-unreadable"),
        (b"", "request-invalid"),
    ],
)
def test_json_that_is_none(service: Service, content: bytes, code: str) -> None:
    headers = service.headers("operator") | {"Content-Type": "application/json"}
    answer = service.http.post("/v1/clients", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_full_disk(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The incoming folder cannot take the file: a link to the device that is always full."""
    documents = service.world.shop.documents
    full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115  closed by the code under test
    monkeypatch.setattr("api.uploads._new_file", lambda _path: full)
    answer = send(service, body(("document", b"x" * 100_000), ("order", b"{}")))
    assert (answer.status_code, answer.json()["code"]) == (507, "disk-full")
    assert documents.incoming.is_dir()


def test_a_caller_that_leaves_in_the_middle(service: Service) -> None:
    """Half a document and then nothing: no answer, no file, no entry."""
    seal = service.world.seals["city"]
    headers = service.headers("county system", Idempotency_Key=new_id("key"))
    headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
    messages = [
        {"type": "http.request", "body": body(("document", b"%PDF-"), end=False)[:-2], "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send_(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/v1/seals/{seal}/impressions",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 8420),
    }
    anyio.run(lambda: service.app(scope, receive, send_))
    assert sent == []


def test_a_database_that_is_locked(service: Service) -> None:
    """Somebody else holds the write lock for longer than the busy timeout: come back later, nothing is done."""
    order = service.world.order("city")
    document = service.world.document("city", order, service.folder)
    approval, key = service.world.approve("city", order, document), new_id("key")
    with service.world.shop.database.write():
        answer = service.send(order, document, approval, Idempotency_Key=key)
    assert (answer.status_code, answer.json()["code"]) == (503, "database-busy")
    assert answer.headers["retry-after"]
    assert service.send(order, document, approval, Idempotency_Key=key).status_code == 201
