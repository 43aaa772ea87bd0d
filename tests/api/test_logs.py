"""What is logged, and that no secret, token, document or personal number ever is."""

import io
import json
import logging
import secrets
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import IntegrityError
from world import identity_number

from api import logs
from tests.api.live import SECRET, Service, basic


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything this process logs while the test runs, as JSON."""
    root = logging.getLogger()
    handlers, level, configuration = list(root.handlers), root.level, structlog.get_config()
    logs.configure("json")
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    monkeypatch.setattr(logging.getLogger("httpx2"), "disabled", True)  # the test's own client
    handler.setStream(written)
    logs.log = structlog.get_logger("yinxin")
    import api.shell

    api.shell.log = logs.log
    yield written
    root.handlers, root.level = handlers, level
    structlog.configure(**configuration)
    logs.log = api.shell.log = structlog.get_logger("yinxin")


def events(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_one_line_without_its_query(service: Service, lines: io.StringIO) -> None:
    service.http.get("/v1/impressions?case_number=private", headers=service.headers("auditor"))
    (event,) = events(lines)
    assert event["operation"] == "listImpressions"
    assert (event["status"], event["path"], event["client"]) == (200, "/v1/impressions", service.clients["auditor"])
    assert event["request"].startswith("req-")
    assert "private" not in lines.getvalue()


def test_no_secret_is_ever_logged(service: Service, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that comes in and goes out while sealing, refusing, registering and failing."""
    number, marker = identity_number(77_777), "内容标记" + secrets.token_hex(8)
    told = service.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(service.clients["operator"])
    ).json()
    service.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic("cli-" + "a" * 26, "wrong-secret")
    )
    order = service.world.order("city", case_number=marker)
    document = service.world.document("city", order, service.folder)
    approval = service.world.approve("city", order, document)
    assert service.send(order, document, approval).status_code == 201
    assert service.send(order, document, None).status_code == 422
    operator = {"Authorization": f"Bearer {told['access_token']}"}
    person = {"name": "某某", "identity_number": number, "reason": "登记"}
    assert service.http.post("/v1/persons", json=person, headers=operator).status_code == 201
    assert (
        service.http.post(
            "/v1/persons", json=person | {"identity_number": number[:-1] + "#"}, headers=operator
        ).status_code
        == 422
    )
    client = {"name": "新系统", "roles": ["auditor"], "reason": "登记"}
    secret = service.http.post("/v1/clients", json=client, headers=operator).json()["secret"]
    service.http.get("/v1/organs", headers={"Authorization": "Bearer stolen.token.value"})

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the store is gone")

    monkeypatch.setattr("api.routes.organs.organs.register", broken)
    body = {"code": "1136000000000000AA", "legal_name": "某局", "level": "city", "region": "360700", "reason": "x"}
    service.http.post("/v1/organs", json=body, headers=operator)
    written = lines.getvalue()
    for hidden in (
        SECRET,
        "wrong-secret",
        b64encode(SECRET.encode()).decode(),
        told["access_token"],
        "stolen",
        approval,
    ):
        assert hidden not in written
    for hidden in (number, secret, marker, "%PDF", "PRIVATE KEY", service.world.shop.persons_secret.hex()):
        assert hidden not in written
    assert len(events(lines)) >= 9


def test_a_failure_is_told_whole_with_its_request(
    service: Service, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the store is gone") from OSError("no such device")

    monkeypatch.setattr(service.world.shop.registry, "find", broken)
    answer = service.http.get("/v1/organs", headers=service.headers("operator"))
    failed = next(event for event in events(lines) if event["event"] == "failed")
    assert failed["request"] == answer.headers["x-request-id"]
    assert [each["type"] for each in failed["exception"]] == ["builtins.RuntimeError", "builtins.OSError"]
    assert failed["exception"][0]["message"] == "the store is gone"
    assert any("organs.py" in frame for frame in failed["exception"][0]["frames"])


class _Inner(BaseModel):
    pin: int


def test_messages_that_hold_inputs_are_left_out() -> None:
    with pytest.raises(ValidationError) as caught:
        _Inner.model_validate({"pin": "secret-input"})
    assert "secret-input" not in str(logs.account(caught.value))
    assert "pin: int_parsing" in str(logs.account(caught.value))
    error = IntegrityError("INSERT INTO t VALUES (?)", ("secret-parameter",), Exception("UNIQUE failed"))
    told = str(logs.account(error))
    assert "secret-parameter" not in told
    assert "UNIQUE failed" in told


def test_a_chain_of_causes_ends() -> None:
    error: Exception = ValueError("0")
    for number in range(1, 30):
        following = ValueError(str(number))
        following.__cause__ = error
        error = following
    assert len(logs.account(error)) == 10


@pytest.mark.parametrize(
    "name", ["authorization", "client_secret", "access_token", "client_assertion", "PIN", "private_key"]
)
def test_members_that_sound_like_secrets_are_masked(name: str) -> None:
    assert logs.masked(None, "", {name: "x", "event": "e"}) == {name: "***", "event": "e"}


def test_foreign_loggers_take_the_same_form(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("something %s", "happened")
    (event,) = events(lines)
    assert (event["event"], event["level"], event["logger"]) == ("something happened", "warning", "uvicorn.error")
