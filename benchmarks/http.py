"""What HTTP costs: sealed documents a second through the real server against ``seal()`` in process.

The server runs two processes, the peer is two processes that call ``seal()`` on the same data folder, and the
client that loads the server runs on the same two cores. Rounds alternate; the ratio is that of the medians.
"""

import http.client
import json
import secrets
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from servers import Server, running

from benchmarks.load import PROCESSES, Crew, installation, submissions
from sealing.order import Submission

ROUNDS, EACH = 9, 15
CONNECTIONS = 4


def run(out: Callable[[str], None]) -> None:
    """Print ``http_share`` and what it is made of."""
    with installation() as prepared:
        count = ROUNDS * EACH
        crew = Crew(prepared, [submissions(prepared.world, prepared.folder, count + 2) for _ in range(PROCESSES)])
        waiting = submissions(prepared.world, prepared.folder, count * PROCESSES + 4 * PROCESSES)
        with running(prepared.settings, prepared.folder, processes=str(PROCESSES), sandbox_seconds="30") as server:
            server.log_in(prepared.caller.client)
            bodies = [_request(submission) for submission in waiting]
            whole, served = [], []
            _load(server, [bodies.pop() for _ in range(4 * PROCESSES)])
            for _ in range(ROUNDS):
                whole.append(crew.seconds("whole", EACH) / (EACH * PROCESSES))
                served.append(_load(server, [bodies.pop() for _ in range(EACH * PROCESSES)]))
        crew.close()
    out(_line("seal() in process", whole))
    out(_line("through HTTP", served))
    out(f"figure http_share {statistics.median(whole) / statistics.median(served):.3f}")


def _request(submission: Submission) -> tuple[str, dict[str, str], bytes]:
    order = submission.order.to_json()
    boundary = secrets.token_hex(16)
    fields = {"order": json.dumps(order), "approval": submission.approval or ""}
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="document"; filename="x.pdf"\r\n'
    head = "".join(parts) + file + "Content-Type: application/pdf\r\n\r\n"
    body = head.encode() + submission.source.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Idempotency-Key": submission.idempotency_key,
        "Accept": "application/pdf",
    }
    return f"/v1/seals/{order['seal']}/impressions", headers, body


def _load(server: Server, requests: list[tuple[str, dict[str, str], bytes]]) -> float:
    """Seconds for each of the requests, sent over a few connections at once."""
    share = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(lambda mine: _send(server, mine), share))
    return (time.perf_counter() - started) / len(requests)


def _send(server: Server, requests: list[tuple[str, dict[str, str], bytes]]) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    for path, headers, body in requests:
        connection.request("POST", path, body, headers | {"Authorization": f"Bearer {server.token}"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.client.CREATED or not content.startswith(b"%PDF-"):
            raise RuntimeError(f"{answer.status} {content[:500]!r}")
    connection.close()


def _line(what: str, times: list[float]) -> str:
    median, least = statistics.median(times), min(times)
    return f"   {what}: median {median * 1000:.2f} ms, minimum {least * 1000:.2f} ms, {1 / median:.0f} a second"
