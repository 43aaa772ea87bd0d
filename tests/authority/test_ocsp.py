"""Revocation answers: requests read strictly, responses judged by openssl's and cryptography's readers and our own."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as library

from authority import ocsp
from authority.binding import SealBinding
from authority.certificate_parts import Places
from authority.errors import OcspRequestError, ProfileError
from authority.issue import new_serial
from authority.ocsp import Answer, Responder
from authority.ocsp_response import read_response
from authority.revocation import Reason, Revoked
from authority.service_certificates import PROFILES, ServiceDraft, make_service_certificate

if TYPE_CHECKING:
    from tests.authority.conftest import Authority

NOW = datetime(2026, 11, 23, 9, 30, 0, 999999, tzinfo=UTC)
WHOLE = NOW.replace(microsecond=0)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """An issuer, a certificate of it, and its responder."""

    issuer: x509.Certificate
    certificate: x509.Certificate
    responder: Responder

    def request(self, *, nonce: bytes | None = None, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        builder = library.OCSPRequestBuilder().add_certificate(
            self.certificate,
            self.issuer,
            algorithm or hashes.SHA1(),
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.build().public_bytes(Encoding.DER)

    def answer(self, request: bytes, status: Literal["good", "unknown"] | Revoked) -> bytes:
        found = ocsp.read_request(request)
        answers = [Answer(asked=each, status=status) for each in found.asked]
        return ocsp.make_response(answers, self.responder, nonce=found.nonce, now=NOW, next_update=NOW + HOUR)


@pytest.fixture(scope="module")
def scene(each_authority: "Authority", binding: SealBinding) -> Scene:
    issuer = each_authority.issuer
    key = each_authority.store.generate("ocsp", each_authority.issuer_key.algorithm)
    draft = ServiceDraft(
        service="ocsp",
        public_key=key.public_key,
        serial=new_serial(),
        not_before=issuer.not_valid_before_utc,
        not_after=issuer.not_valid_before_utc + PROFILES["ocsp"].life,
    )
    places = Places(crl="http://crl.example/issuer.crl", ocsp="http://crl.example/ocsp")
    made = make_service_certificate(issuer, each_authority.issuer_key, draft, places=places)
    return Scene(
        issuer=issuer, certificate=each_authority.seal(binding), responder=Responder(key=key, certificate=made)
    )


def test_the_responder_is_delegated_for_a_fortnight(scene: Scene) -> None:
    certificate = scene.responder.certificate
    assert certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        x509.ExtendedKeyUsageOID.OCSP_SIGNING
    ]
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=14)


def test_a_longer_life_than_the_profile_allows_is_refused(each_authority: "Authority", scene: Scene) -> None:
    begins = scene.issuer.not_valid_before_utc
    draft = ServiceDraft(
        service="ocsp",
        public_key=scene.responder.key.public_key,
        serial=new_serial(),
        not_before=begins,
        not_after=begins + timedelta(days=15),
    )
    with pytest.raises(ProfileError) as caught:
        make_service_certificate(
            scene.issuer, each_authority.issuer_key, draft, places=Places(crl="http://crl.example/")
        )
    assert caught.value.code == "service-life"


@pytest.mark.parametrize("nonce", [None, b"n", b"n" * 32, b"n" * 128], ids=["none", "1", "32", "128"])
@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256()], ids=["sha1", "sha256"])
def test_a_good_answer(scene: Scene, nonce: bytes | None, algorithm: hashes.HashAlgorithm) -> None:
    der = scene.answer(scene.request(nonce=nonce, algorithm=algorithm), "good")
    found = library.load_der_ocsp_response(der)
    assert found.response_status is library.OCSPResponseStatus.SUCCESSFUL
    assert found.certificate_status is library.OCSPCertStatus.GOOD
    assert found.serial_number == scene.certificate.serial_number
    assert isinstance(found.hash_algorithm, type(algorithm))
    assert (found.this_update_utc, found.next_update_utc, found.produced_at_utc) == (WHOLE, WHOLE + HOUR, WHOLE)
    assert found.certificates == [scene.responder.certificate]
    told = [each.value.nonce for each in found.extensions]
    assert told == ([] if nonce is None else [nonce])
    (read,) = read_response(der, scene.issuer)
    assert (read.serial, read.status, read.nonce) == (scene.certificate.serial_number, "good", nonce)
    assert read.responder == scene.responder.certificate


REASONS: tuple[Reason, ...] = (
    "unspecified",
    "key_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "privilege_withdrawn",
)


@pytest.mark.parametrize("reason", REASONS)
def test_a_revoked_answer(scene: Scene, reason: Reason) -> None:
    revoked = Revoked(serial=scene.certificate.serial_number, time=WHOLE - HOUR, reason=reason)
    der = scene.answer(scene.request(), revoked)
    found = library.load_der_ocsp_response(der)
    assert found.certificate_status is library.OCSPCertStatus.REVOKED
    assert found.revocation_time_utc == WHOLE - HOUR
    expected = None if reason == "unspecified" else x509.ReasonFlags[reason]
    assert found.revocation_reason is expected
    (read,) = read_response(der, scene.issuer)
    assert (read.status, read.revoked) == ("revoked", revoked)


def test_an_unknown_answer(scene: Scene) -> None:
    der = scene.answer(scene.request(), "unknown")
    assert library.load_der_ocsp_response(der).certificate_status is library.OCSPCertStatus.UNKNOWN


@pytest.mark.parametrize("failure", ["malformedRequest", "internalError", "tryLater", "unauthorized"])
def test_a_refusal(failure: ocsp.Failure) -> None:
    status = library.load_der_ocsp_response(ocsp.refusal(failure)).response_status
    assert status.name.replace("_", "").lower() == failure.lower()


def test_which_issuer_is_meant(each_authority: "Authority", scene: Scene) -> None:
    for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384()):
        (asked,) = ocsp.read_request(scene.request(algorithm=algorithm)).asked
        assert asked.issued_by(scene.issuer) == (algorithm.name != "sha384")
        assert not asked.issued_by(each_authority.root)
    assert ocsp.request_about(scene.certificate, scene.issuer).issued_by(scene.issuer)


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = bytes([length]) if length < 128 else bytes([0x80 | size]) + length.to_bytes(size, "big")
    return bytes([tag]) + head + content


ID = der(
    0x30, der(0x30, bytes.fromhex("06052b0e03021a"), b"\x05\x00"), der(4, b"n" * 20), der(4, b"k" * 20), der(2, b"\x05")
)
NONCE = bytes.fromhex("06092b0601050507300102")
OTHER = bytes.fromhex("06032a0304")
TRUE = b"\x01\x01\xff"


def asking(*ids: bytes, before: bytes = b"", extensions: tuple[bytes, ...] = (), behind: bytes = b"") -> bytes:
    more = der(0xA2, der(0x30, *extensions)) if extensions else b""
    return der(0x30, der(0x30, before, der(0x30, *(der(0x30, each) for each in ids)), more), behind)


def nonce_of(length: int) -> bytes:
    return der(0x30, NONCE, der(4, der(4, b"n" * length)))


REFUSED = {
    "empty": (b"", "not DER"),
    "text": (b"hello", "not DER"),
    "truncated": (asking(ID)[:-1], "not DER"),
    "bytes behind": (asking(ID) + b"\x00", "not DER"),
    "nobody asked about": (asking(), "0 certificates"),
    "101 certificates": (asking(*[ID] * 101), "101 certificates"),
    "version 2": (asking(ID, before=der(0xA0, b"\x02\x01\x01")), "version 1"),
    "nonce of no octet": (asking(ID, extensions=(nonce_of(0),)), "1 to 128 octets"),
    "nonce of 129 octets": (asking(ID, extensions=(nonce_of(129),)), "1 to 128 octets"),
    "two nonces": (asking(ID, extensions=(nonce_of(8), nonce_of(8))), "1 to 128 octets"),
    "nonce that is no octet string": (asking(ID, extensions=(der(0x30, NONCE, der(4, b"raw")),)), "not DER"),
    "critical extension": (asking(ID, extensions=(der(0x30, OTHER, TRUE, der(4, b"")),)), "critical"),
    "huge": (asking(ID, extensions=(der(0x30, OTHER, der(4, bytes(17_000))),)), "at most 16384"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_refused(name: str) -> None:
    asked, reason = REFUSED[name]
    with pytest.raises(OcspRequestError, match=reason):
        ocsp.read_request(asked)


def test_what_a_request_may_also_hold() -> None:
    """A signature, the name of who asks, an extension that is not critical, and a version written out."""
    name = der(0xA1, der(0xA4, der(0x30)))
    signature = der(0xA0, der(0x30, der(0x30), der(3, b"\x00")))
    found = ocsp.read_request(
        asking(
            *(ID, ID),
            before=der(0xA0, b"\x02\x01\x00") + name,
            extensions=(nonce_of(16), der(0x30, OTHER, der(4, b""))),
            behind=signature,
        )
    )
    assert ([each.serial for each in found.asked], found.nonce) == ([5, 5], b"n" * 16)


def test_every_prefix_of_a_request_is_refused(scene: Scene) -> None:
    whole = scene.request(nonce=b"n" * 16)
    for end in range(len(whole)):
        with pytest.raises(OcspRequestError):
            ocsp.read_request(whole[:end])
