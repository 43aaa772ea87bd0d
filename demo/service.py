"""The service under demonstration, from outside: its command, its server process, its HTTP interface."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import httpx2

COMMAND = (sys.executable, "-m", "cli")
"""``yinxin`` of the interpreter that runs the demo, wherever its folder of scripts is."""
_PREFIX = "YINXIN_"
_START_SECONDS = 60
_STOP_SECONDS = 20


class DemoError(Exception):
    """The service did not do what the demo rests on; the message says what was asked and what came."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: no settings of another installation, only those of this one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
    return kept | {"PYTHONUTF8": "1"} | dict(settings)


def yinxin(
    *arguments: str, expect: tuple[int, ...] = (0,), settings: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, str]:
    """Run the command in a fresh process; its exit code and output. Raises :class:`DemoError`."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(settings),
        check=False,
    )
    if done.returncode not in expect:
        raise DemoError(f"yinxin {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.returncode, done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running service."""

    url: str
    data: Path
    log: Path
    settings: Mapping[str, str] = field(repr=False)

    def command(self, *arguments: str) -> Any:  # noqa: ANN401  the JSON that the command prints
        """Run a command on this installation. Raises :class:`DemoError`."""
        _, output = yinxin(*arguments, "--data", str(self.data), "--json", settings=self.settings)
        return json.loads(output)


@contextmanager
def serving(folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[Server]:
    """``yinxin serve`` on a free loopback port with its data in ``folder``; stopped at the end."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    server = Server(
        url=url,
        data=folder / "data",
        log=folder / "server.log",
        settings={f"{_PREFIX}PUBLIC_URL": url, **settings},
    )
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--data", str(server.data), "--port", str(port)],
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=environment(server.settings),
        )
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx2.get(f"{server.url}/ready", timeout=5, trust_env=False).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            pass  # not listening yet
        time.sleep(0.1)
    said = server.log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise DemoError(f"服务未能启动 / the server did not get ready; {server.log}:\n{said}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Client:
    """A machine client: gets its token with its secret, and calls the API with it."""

    def __init__(self, url: str, client: str = "", secret: str = "") -> None:
        """Without ``client`` it calls as the public."""
        # trust_env: a proxy set for the outside world must not stand between us and loopback.
        self._http = httpx2.Client(base_url=url, timeout=60, trust_env=False)
        self.id = client
        if client:
            self._http.headers["Authorization"] = f"Bearer {self._token(secret)}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _token(self, secret: str) -> str:
        answer = self._http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.id, secret))
        return str(_expected(answer, "POST /oauth/token").json()["access_token"])

    def get(self, path: str, *, accept: str = "application/json") -> httpx2.Response:
        """GET. Raises :class:`DemoError` for anything but success."""
        return _expected(self._http.get(path, headers={"Accept": accept}), f"GET {path}")

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST a JSON body. Raises :class:`DemoError` for anything but success."""
        answer: dict[str, Any] = _expected(self._http.post(path, json=body), f"POST {path}").json()
        return answer

    def ask(
        self, path: str, *, key: str, fields: dict[str, str] | None = None, document: bytes | None = None
    ) -> httpx2.Response:
        """POST a form that may be refused, under an idempotency key; the answer as it is."""
        files = None if document is None else {"document": ("document.pdf", document, "application/pdf")}
        return self._http.post(path, data=fields, files=files, headers={"Idempotency-Key": key})


def _expected(answer: httpx2.Response, what: str) -> httpx2.Response:
    if not answer.is_success:
        raise DemoError(f"{what}: {answer.status_code} {answer.text[:2000]}")
    return answer
