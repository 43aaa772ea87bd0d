"""Time-stamps over HTTP, as openssl, another library and pyHanko ask for them, and as strangers abuse them."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NoReturn

import pytest
import rfc3161_client
from asn1crypto import tsp
from cryptography import x509
from pyhanko.sign.timestamps import HTTPTimeStamper
from sqlalchemy import text

from authority import oids, timestamp
from authority.errors import TimeStampResponseError
from authority.timestamp_token import read_token
from keystore.interface import KeystoreError
from sealing import timestamp_authority
from sealing.clock_trust import ClockWatch
from sealing.errors import ClockNotTrustedError
from sealing.service_keys import service_key
from tests.authority_services.services import TSA, Services

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
DIGEST = sha256(b"a document").digest()


def failure_of(reply: bytes) -> str:
    with pytest.raises(TimeStampResponseError) as caught:
        timestamp.token_of(reply, digest=DIGEST, nonce=None)
    assert caught.value.code == "timestamp-refused"
    return caught.value.en.partition("(")[2].partition(")")[0]


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_gets_a_token_and_verifies_it(services: Services, algorithm: str) -> None:
    data, query, reply = (services.folder / f"{algorithm}.{end}" for end in ("data", "tsq", "tsr"))
    data.write_bytes(os.urandom(1000))
    services.openssl("ts", "-query", "-data", str(data), f"-{algorithm}", "-cert", "-out", str(query))
    answer = services.post(TSA, query.read_bytes(), QUERY)
    assert (answer.status_code, answer.headers["content-type"]) == (200, REPLY)
    reply.write_bytes(answer.content)
    roots = ("-CAfile", str(services.folder / "root.pem"), "-untrusted", str(services.folder / "issuer.pem"))
    verified = services.openssl("ts", "-verify", "-queryfile", str(query), "-in", str(reply), *roots)
    assert "Verification: OK" in verified
    assert f"Policy OID: {oids.TIME_STAMP_POLICY}" in services.openssl("ts", "-reply", "-in", str(reply), "-text")
    data.write_bytes(b"something else")
    services.openssl("ts", "-verify", "-data", str(data), "-in", str(reply), *roots, fails=True)


def test_another_library_verifies_it(services: Services) -> None:
    builder = rfc3161_client.TimestampRequestBuilder().data(b"x").nonce(nonce=True)
    query = builder.cert_request(cert_request=True).build()
    answer = services.post(TSA, query.as_bytes(), QUERY)
    response = rfc3161_client.decode_timestamp_response(answer.content)
    installation = services.shop.installation
    verifier = rfc3161_client.VerifierBuilder.from_request(query)
    verifier = verifier.add_root_certificate(installation.root_certificate)
    verifier = verifier.add_intermediate_certificate(installation.issuer_certificate)
    assert verifier.build().verify_message(response, b"x")


def test_what_the_token_says(services: Services) -> None:
    before = datetime.now(UTC)
    answer = services.post(TSA, timestamp.make_request(DIGEST, nonce=99), QUERY).content
    token = read_token(timestamp.token_of(answer, digest=DIGEST, nonce=99))
    assert token.accuracy == timedelta(seconds=2)
    assert abs(token.time - before) < timedelta(seconds=5)
    assert token.policy == oids.TIME_STAMP_POLICY
    assert token.signer in x509.load_pem_x509_certificates(services.get("/v1/authority/certificates.pem").content)


def test_a_policy_that_is_not_ours(services: Services) -> None:
    query = rfc3161_client.TimestampRequestBuilder().data(b"x").build().as_bytes()
    assert failure_of(services.post(TSA, _with_policy(query), QUERY).content) == "unacceptedPolicy"


def _with_policy(query: bytes) -> bytes:
    asked = tsp.TimeStampReq.load(query)
    asked["req_policy"] = "1.2.3.4"
    changed: bytes = asked.dump(force=True)
    return changed


HOSTILE = {
    "empty": (b"", "badDataFormat"),
    "text": (b"hello", "badDataFormat"),
    "truncated": (timestamp.make_request(DIGEST, nonce=5)[:-4], "badDataFormat"),
    "long": (b"\x30" * 8500, "badDataFormat"),
    "sha1": (
        bytes.fromhex("3026020101302130090605" + "2b0e03021a" + "0500" + "0414") + bytes(20),
        "badAlg",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_body_that_gets_a_refusal(services: Services, name: str) -> None:
    body, failure = HOSTILE[name]
    answer = services.post(TSA, body, QUERY)
    assert (answer.status_code, answer.headers["content-type"]) == (200, REPLY)
    assert failure_of(answer.content) == failure


def test_what_http_itself_refuses(services: Services) -> None:
    assert services.post(TSA, b"\x30" * 100_000, QUERY).status_code == 413
    assert services.post(TSA, timestamp.make_request(DIGEST, nonce=None), "application/octet-stream").status_code == 415
    assert services.get(TSA).status_code == 405


def test_no_time_while_the_clock_is_not_trusted(services: Services) -> None:
    shop, now = services.shop, datetime.now(UTC)
    early = now - timedelta(hours=1)
    request = timestamp.make_request(DIGEST, nonce=None)
    assert failure_of(timestamp_authority.respond(shop, request, early)) == "timeNotAvailable"
    with pytest.raises(ClockNotTrustedError) as caught:
        timestamp_authority.grant(shop, DIGEST, nonce=None, now=early)
    assert caught.value.code == "clock-behind-ledger"
    times = iter([now, now + timedelta(seconds=3)])
    jumping = replace(shop, clock_watch=ClockWatch(clock=lambda: next(times), elapsed=lambda: 0.0))
    assert failure_of(timestamp_authority.respond(jumping, request, now)) == "timeNotAvailable"


class BrokenKeystore:
    """Every key is gone, as when its folder was not mounted."""

    def generate(self, purpose: object, algorithm: object) -> NoReturn:
        self.refs()

    def open(self, ref: str) -> NoReturn:
        self.refs()

    def refs(self) -> NoReturn:
        raise KeystoreError("没有密钥库", "there is no keystore")

    def destroy(self, ref: str) -> NoReturn:
        self.refs()


def test_a_failure_of_our_own_is_told_as_one(services: Services) -> None:
    broken = replace(services.shop, keystore=BrokenKeystore())
    reply = timestamp_authority.respond(broken, timestamp.make_request(DIGEST, nonce=None), datetime.now(UTC))
    assert failure_of(reply) == "systemFailure"
    assert b"keystore" not in reply


def test_a_tampered_row_makes_no_token(services: Services) -> None:
    shop = services.shop
    service_key(shop, "timestamp", datetime.now(UTC))
    change = "UPDATE registry_service_key SET body = replace(body, 'timestamp-', :new) WHERE current IS NOT NULL"
    with shop.database.write() as connection:
        kept = connection.execute(text("SELECT id, body FROM registry_service_key")).all()
        connection.execute(text(change), {"new": "timestamp_"})
    try:
        reply = timestamp_authority.respond(shop, timestamp.make_request(DIGEST, nonce=None), datetime.now(UTC))
        assert failure_of(reply) == "systemFailure"
    finally:
        with shop.database.write() as connection:
            for row in kept:
                connection.execute(text("UPDATE registry_service_key SET body = :body WHERE id = :id"), row._mapping)


MAKE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from authority.timestamp_token import read_token
from sealing.settings import Settings
from sealing.timestamp_authority import grant
from sealing.workshop import open_workshop
with open_workshop(Settings(data=Path(sys.argv[1]), unsafe_in_process_keys=True)) as shop:
    print("ready", flush=True)
    while True:
        token = read_token(grant(shop, bytes(32), nonce=None, now=datetime.now(UTC)))
        print(token.serial, flush=True)
"""


def test_serials_never_repeat_also_when_processes_are_killed(services: Services) -> None:
    """Two processes over one installation, killed in the middle of their work, then two more."""
    serials: list[str] = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")}
    for _ in range(2):
        makers = [
            subprocess.Popen(
                [sys.executable, "-c", MAKE, str(services.shop.settings.data)],
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for _ in range(2)
        ]
        for maker in makers:
            assert maker.stdout is not None
            serials += [maker.stdout.readline().strip() for _ in range(30)]
        for maker in makers:
            maker.kill()
            maker.wait(10)
            assert maker.stdout is not None
            maker.stdout.close()
    numbers = [int(each) for each in serials if each != "ready"]
    assert len(numbers) > 100
    assert len(set(numbers)) == len(numbers)
    assert all(0 < each < 2**160 for each in numbers)


def test_pyhanko_accepts_the_token(services: Services) -> None:
    """PyHanko's own client against the server, with its checks of the response."""
    stamper = HTTPTimeStamper(services.server.address + TSA)
    found = asyncio.run(stamper.async_timestamp(DIGEST, "sha256"))
    assert read_token(found.dump()).imprint == DIGEST


def test_the_certificate_is_for_time_stamps_alone(services: Services) -> None:
    certificate = service_key(services.shop, "timestamp", datetime.now(UTC)).certificate
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [x509.ExtendedKeyUsageOID.TIME_STAMPING]
