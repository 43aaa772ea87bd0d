"""The real server as a child process on a free port, and a client that speaks HTTP to it."""

import json
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import httpx2
from world import SECRET

from sealing.order import Submission
from sealing.settings import Settings

START = (
    "from sealing.settings import Settings; from api.server import serve; from web.pages import add_pages; "
    "serve(Settings(), complete=add_pages)"
)


@dataclass(slots=True)
class Server:
    """A server process and what it listens on."""

    process: subprocess.Popen[bytes]
    address: str
    log: Path
    token: str = field(default="", repr=False)

    def log_in(self, client: str) -> None:
        credentials = b64encode(f"{client}:{SECRET}".encode()).decode()
        answer = httpx2.post(
            f"{self.address}/oauth/token",
            headers={"Authorization": f"Basic {credentials}"},
            data={"grant_type": "client_credentials"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]

    def seal(self, submission: Submission) -> httpx2.Response:
        order = submission.order.to_json()
        fields: dict[str, Any] = {"order": json.dumps(order)}
        if submission.approval is not None:
            fields["approval"] = submission.approval
        return httpx2.post(
            f"{self.address}/v1/seals/{order['seal']}/impressions",
            headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": submission.idempotency_key},
            data=fields,
            files={"document": ("x.pdf", submission.source.read_bytes(), "application/pdf")},
            timeout=60,
        )


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(settings: Settings, folder: Path, **changed: str) -> Iterator[Server]:
    """Start the server with ``settings`` and these environment settings over them; stop it at the end."""
    port = int(changed.pop("port", "0")) or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
    chosen = {
        "YINXIN_DATA": str(settings.data),
        "YINXIN_DATABASE_URL": settings.database_url,
        "YINXIN_PORT": str(port),
        "YINXIN_UNSAFE_IN_PROCESS_KEYS": str(settings.unsafe_in_process_keys),
        **{f"YINXIN_{name.upper()}": value for name, value in changed.items()},
    }
    log = folder / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", START], env=environment | chosen, stdout=output, stderr=subprocess.STDOUT
        )
    server = Server(process=process, address=f"http://127.0.0.1:{port}", log=log)
    try:
        _await_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _await_ready(server: Server) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert server.process.poll() is None, server.log.read_text(errors="replace")
        try:
            if httpx2.get(f"{server.address}/ready", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(server.log.read_text(errors="replace"))
