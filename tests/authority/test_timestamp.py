"""Time-stamps, made and delivered; judged by openssl, by another library, and by our own reader."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import new as new_hash
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import rfc3161_client
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authority import timestamp
from authority.certificate_parts import Places
from authority.errors import (
    IssuedSignatureError,
    ProfileError,
    TimeStampRequestError,
    TimeStampResponseError,
    TimeStampTokenError,
)
from authority.issue import new_serial
from authority.service_certificates import PROFILES, ServiceDraft, make_service_certificate
from authority.timestamp import TimeStampRequest
from authority.timestamp_token import read_token
from keystore.files import FileKey

if TYPE_CHECKING:
    from tests.authority.conftest import Authority

POLICY = "2.25.3049388739464150714408541230447424913"
DATA = b"a document"
DIGEST = sha256(DATA).digest()
NOW = datetime(2026, 11, 23, 9, 30, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A time-stamp unit under a test's authority."""

    key: FileKey
    chain: tuple[x509.Certificate, ...]

    def token(self, request: TimeStampRequest, **changed: object) -> bytes:
        given: dict[str, object] = {
            "serial": new_serial(),
            "now": NOW,
            "accuracy": timedelta(seconds=1),
            "policy": POLICY,
        }
        ders = [each.public_bytes(Encoding.DER) for each in self.chain]
        key = changed.pop("key", self.key)
        return timestamp.make_token(request, key, self.chain[0], ders, **(given | changed))  # type: ignore[arg-type]  # by name


@pytest.fixture(scope="module")
def unit(each_authority: "Authority") -> Unit:
    key = each_authority.store.generate("timestamp", each_authority.issuer_key.algorithm)
    issuer = each_authority.issuer
    draft = ServiceDraft(
        service="timestamp",
        public_key=key.public_key,
        serial=new_serial(),
        not_before=issuer.not_valid_before_utc,
        not_after=issuer.not_valid_before_utc + PROFILES["timestamp"].life,
    )
    places = Places(crl="http://crl.example/issuer.crl", ocsp="http://crl.example/ocsp")
    certificate = make_service_certificate(issuer, each_authority.issuer_key, draft, places=places)
    return Unit(key=key, chain=(certificate, issuer))


def request(**changed: object) -> TimeStampRequest:
    given = {"algorithm": "sha256", "digest": DIGEST, "policy": None, "nonce": 2**63 + 7, "certificates": True}
    return TimeStampRequest(**(given | changed))  # type: ignore[arg-type]  # by name


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("certificates", [True, False], ids=["with certificates", "without"])
@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_openssl_verifies_what_it_asked_for(
    each_authority: "Authority",
    unit: Unit,
    tmp_path: Path,
    algorithm: str,
    certificates: bool,
) -> None:
    (tmp_path / "data").write_bytes(DATA)
    query, reply = tmp_path / "query.tsq", tmp_path / "reply.tsr"
    asked = ["-cert"] if certificates else []
    openssl("ts", "-query", "-data", str(tmp_path / "data"), f"-{algorithm}", *asked, "-out", str(query))
    found = timestamp.read_request(query.read_bytes())
    assert (found.algorithm, found.certificates) == (algorithm, certificates)
    assert found.digest == new_hash(algorithm, DATA).digest()
    reply.write_bytes(timestamp.granted(unit.token(found)))
    root = each_authority.write("root.pem", each_authority.root)
    others = each_authority.write("chain.pem", *unit.chain)
    said = openssl(
        *("ts", "-verify", "-queryfile", str(query), "-in", str(reply)),
        *("-CAfile", str(root), "-untrusted", str(others)),
    )
    assert "Verification: OK" in said
    shown = openssl("ts", "-reply", "-in", str(reply), "-text")
    for line in (f"Policy OID: {POLICY}", "Accuracy: 0x01 seconds", "Ordering: no", f"{found.nonce:X}\nTSA"):
        assert line in shown


def test_another_library_verifies_it(each_authority: "Authority", unit: Unit) -> None:
    asked = rfc3161_client.TimestampRequestBuilder().data(DATA).hash_algorithm(rfc3161_client.HashAlgorithm.SHA256)
    query = asked.nonce(nonce=True).cert_request(cert_request=True).build()
    reply = timestamp.granted(unit.token(timestamp.read_request(query.as_bytes())))
    response = rfc3161_client.decode_timestamp_response(reply)
    verifier = rfc3161_client.VerifierBuilder.from_request(query).add_root_certificate(each_authority.root)
    verifier = verifier.add_intermediate_certificate(each_authority.issuer)
    assert verifier.tsa_certificate(unit.chain[0]).build().verify(response, sha256(DATA).digest())


def test_our_reader_reads_it(unit: Unit) -> None:
    token = read_token(unit.token(request(), serial=77))
    assert (token.serial, token.policy, token.nonce) == (77, POLICY, 2**63 + 7)
    assert (token.imprint, token.accuracy) == (DIGEST, timedelta(seconds=1))
    assert timedelta(0) <= NOW - token.time < timedelta(milliseconds=1)
    assert (token.signer, token.certificates) == (unit.chain[0], (unit.chain[1],))
    assert token.weak == ()


def test_a_token_without_certificates_or_nonce(unit: Unit) -> None:
    bare = unit.token(request(certificates=False, nonce=None))
    assert all(each.public_bytes(Encoding.DER) not in bare for each in unit.chain)


@pytest.mark.parametrize(
    "accuracy", [timedelta(milliseconds=250), timedelta(seconds=2, microseconds=1500)], ids=["250 ms", "2.0015 s"]
)
def test_accuracy_is_told_in_its_parts(unit: Unit, accuracy: timedelta) -> None:
    assert read_token(unit.token(request(), accuracy=accuracy)).accuracy == accuracy


def test_only_a_key_for_time_stamps_makes_them(each_authority: "Authority", unit: Unit) -> None:
    with pytest.raises(ProfileError) as caught:
        unit.token(request(), key=each_authority.seal_key)
    assert caught.value.code == "key-purpose"


def test_a_signature_by_another_key_does_not_leave(each_authority: "Authority", unit: Unit) -> None:
    other = each_authority.store.generate("timestamp", unit.key.algorithm)
    with pytest.raises(IssuedSignatureError):
        unit.token(request(), key=other)


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = bytes([length]) if length < 128 else bytes([0x80 | size]) + length.to_bytes(size, "big")
    return bytes([tag]) + head + content


SHA256_OID = bytes.fromhex("0609608648016503040201")
ONE = b"\x02\x01\x01"


def query(
    *more: bytes, version: bytes = ONE, oid: bytes = SHA256_OID, parameters: bytes = b"", digest: bytes = DIGEST
) -> bytes:
    return der(0x30, version, der(0x30, der(0x30, oid, parameters), der(0x04, digest)), *more)


REFUSED = {
    "sha1": (query(oid=bytes.fromhex("06052b0e03021a"), digest=bytes(20)), "badAlg"),
    "md5": (query(oid=bytes.fromhex("06082a864886f70d0205"), digest=bytes(16)), "badAlg"),
    "parameters": (query(parameters=ONE), "badAlg"),
    "digest of another length": (query(digest=bytes(20)), "badDataFormat"),
    "version 2": (query(version=b"\x02\x01\x02"), "badRequest"),
    "extension": (query(der(0xA0, der(0x30, SHA256_OID, der(0x04, b"x")))), "unacceptedExtension"),
    "long nonce": (query(der(0x02, b"\x01" * 40)), "badDataFormat"),
    "empty": (b"", "badDataFormat"),
    "truncated": (query()[:-3], "badDataFormat"),
    "bytes behind": (query() + b"\x00", "badDataFormat"),
    "no algorithm": (der(0x30, ONE, der(0x30, der(0x30), der(0x04, DIGEST))), "badAlg"),
    "text": (b"GET / HTTP/1.1", "badDataFormat"),
    "huge": (query(der(0xA0, b"\x00" * 9000)), "badDataFormat"),
    "indefinite length": (b"\x30\x80" + query()[2:] + b"\x00\x00", "badDataFormat"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_refused(name: str) -> None:
    asked, failure = REFUSED[name]
    with pytest.raises(TimeStampRequestError) as caught:
        timestamp.read_request(asked)
    assert caught.value.failure == failure


def test_a_request_with_a_null_parameter_and_a_false_written_out() -> None:
    found = timestamp.read_request(query(b"\x01\x01\x00", parameters=b"\x05\x00"))
    assert (found.certificates, found.nonce, found.policy) == (False, None, None)


def test_every_prefix_of_a_request_is_refused_with_a_reason() -> None:
    whole = timestamp.make_request(DIGEST, nonce=1)
    for end in range(len(whole)):
        with pytest.raises(TimeStampRequestError):
            timestamp.read_request(whole[:end])


WORDS = {
    "badAlg": "unrecognized or unsupported algorithm identifier",
    "badRequest": "transaction not permitted or supported",
    "badDataFormat": "the data submitted has the wrong format",
    "timeNotAvailable": "the TSA's time source is not available",
    "unacceptedPolicy": "the requested TSA policy is not supported by the TSA",
    "unacceptedExtension": "the requested extension is not supported by the TSA",
    "systemFailure": "the request cannot be handled due to system failure",
}


@pytest.mark.tool("openssl")
@pytest.mark.parametrize("failure", WORDS)
def test_a_refusal_says_why(tmp_path: Path, failure: str) -> None:
    reply = tmp_path / "reply.tsr"
    reply.write_bytes(timestamp.rejected(failure, "不行", "no"))  # type: ignore[arg-type]  # one of the failures
    said = openssl("ts", "-reply", "-in", str(reply), "-text")
    assert "Status: Rejected." in said
    assert f"Failure info: {WORDS[failure]}" in said
    with pytest.raises(TimeStampResponseError, match=f"{failure}.*no") as caught:
        timestamp.token_of(reply.read_bytes(), digest=DIGEST, nonce=None)
    assert caught.value.code == "timestamp-refused"


def test_the_token_of_a_response(unit: Unit) -> None:
    asked = timestamp.read_request(timestamp.make_request(DIGEST, nonce=42))
    token = unit.token(asked)
    assert timestamp.token_of(timestamp.granted(token), digest=DIGEST, nonce=42) == token


@pytest.mark.parametrize(
    "changed", [{"nonce": 43}, {"nonce": None}, {"digest": bytes(32)}, {"algorithm": "sha512", "digest": bytes(64)}]
)
def test_a_token_for_something_else(unit: Unit, changed: dict[str, object]) -> None:
    token = unit.token(replace(request(nonce=42), **changed))  # type: ignore[arg-type]  # by name
    with pytest.raises(TimeStampResponseError) as caught:
        timestamp.token_of(timestamp.granted(token), digest=DIGEST, nonce=42)
    assert caught.value.code == "timestamp-of-another"


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda whole: whole[:-1],
    "bytes behind": lambda whole: whole + b"\x00",
    "granted without a token": lambda _: bytes.fromhex("30053003020100"),
    "a page": lambda _: b"<html>",
    "huge": lambda whole: whole + bytes(300_000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_response_that_is_none(unit: Unit, name: str) -> None:
    with pytest.raises(TimeStampResponseError) as caught:
        timestamp.token_of(BROKEN[name](timestamp.granted(unit.token(request()))), digest=DIGEST, nonce=2**63 + 7)
    assert caught.value.code == "timestamp-response-malformed"


def test_a_token_that_was_changed(unit: Unit) -> None:
    token = bytearray(unit.token(request()))
    token[-1] ^= 1
    with pytest.raises(TimeStampTokenError):
        timestamp.token_of(timestamp.granted(bytes(token)), digest=DIGEST, nonce=2**63 + 7)


def openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
