"""A seal is suspended while 20 requests are in flight at a server of two processes: nothing is sealed afterwards.

The suspension is made by a third process. Revocation list and OCSP answer say so at once, whichever process is asked.
"""

from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder
from databases import KINDS, empty_database
from servers import running
from sqlalchemy import select
from world import build_world

from authority.ocsp_response import read_response
from authority.revocation import read_crl
from ledger.tables import entries
from registry.records import SealKey
from sealing.administration.seals import change_state
from sealing.clock import utc_now
from sealing.workshop import open_workshop

REQUESTS = 20


@pytest.mark.parametrize("kind", KINDS)
def test_no_process_seals_after_a_suspension(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    postgres = request.getfixturevalue("postgres") if kind == "postgresql" else None
    with empty_database(kind, tmp_path, postgres) as url:
        settings, plan = build_world(tmp_path / "data", utc_now(), database_url=url)
        with open_workshop(settings) as shop:
            world = plan.fill(shop)
            with running(settings, tmp_path, processes="2") as server:
                server.log_in(world.clients["platform"].client)
                wanted = [world.submission("city", tmp_path) for _ in range(REQUESTS)]
                with ThreadPoolExecutor(REQUESTS) as threads:
                    pending = [threads.submit(server.seal, each) for each in wanted]
                    assert pending[0].result().status_code == 201  # others are in flight
                    act = replace(world.act("发现异常"), now=utc_now())
                    change_state(shop, world.seals["city"], "suspend", act)
                    told = [held(server.address, shop, world.seals["city"]) for _ in range(4)]
                    answers = [each.result().status_code for each in pending]
                assert server.seal(world.submission("city", tmp_path)).status_code != 201
        with open_workshop(settings) as shop, shop.database.read() as connection:
            kinds = list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())
    assert told == [("certificate_hold", "certificate_hold")] * 4
    after = kinds[kinds.index("seal.suspended") :]
    assert after.count("seal.impressed") == 0  # revoke_to_refuse
    assert answers.count(201) == kinds.count("seal.impressed") >= 1
    assert answers.count(201) < REQUESTS  # else nothing was in flight


def held(address: str, shop, seal: str) -> tuple[str, str]:
    """Why the seal's certificate is listed, by list and by answer of whichever process answers."""
    with shop.database.read() as connection:
        key = shop.registry.find_one(connection, SealKey, seal=seal, current=True).record
    issuer = shop.installation.issuer_certificate
    listed = read_crl(httpx2.get(f"{address}/v1/authority/issuer.crl", timeout=10).content, issuer)
    certificate = x509.load_der_x509_certificate(b64decode(key.chain[0]))
    asked = OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1()).build()
    response = httpx2.post(
        f"{address}/v1/authority/ocsp",
        content=asked.public_bytes(Encoding.DER),
        headers={"Content-Type": "application/ocsp-request"},
        timeout=10,
    )
    (answer,) = read_response(response.content, issuer)
    return listed.revoked[int(key.serial, 16)].reason, answer.revoked.reason
