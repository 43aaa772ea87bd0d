"""Requests to outside authorities, and what is accepted from them."""

import subprocess
from base64 import b64decode, encodebytes
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID

from authority.errors import IssuedSignatureError, OutsideCertificateError, ProfileError
from authority.names import seal_subject
from authority.outside import accept_outside_certificate, make_csr
from keystore.files import FileKey
from keystore.interface import Permit

if TYPE_CHECKING:
    from tests.authority.conftest import Authority, Mint, Minted

CA = ("key_cert_sign", "crl_sign")


@pytest.fixture
def subject() -> x509.Name:
    return seal_subject(
        seal_name="兴国县林业局行政审批专用章（11）",
        seal_number=11,
        grantor_name="兴国县林业局",
        grantor_code="11360732SAMPLE0011",
    )


def test_a_request_names_seal_and_key(each_authority: "Authority", subject: x509.Name) -> None:
    request = x509.load_pem_x509_csr(make_csr(each_authority.seal_key, subject))
    assert request.subject == subject
    assert request.is_signature_valid
    named = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert named == each_authority.seal_key.public_key


def test_a_request_is_one_key_use(authority: "Authority", subject: x509.Name) -> None:
    before = authority.store.uses(authority.seal_key.ref)
    make_csr(authority.seal_key, subject)
    assert authority.store.uses(authority.seal_key.ref) == before + 1


def test_no_request_for_an_ed25519_key(authority: "Authority", subject: x509.Name) -> None:
    key = authority.store.generate("seal", "ed25519")
    with pytest.raises(ProfileError):
        make_csr(key, subject)
    assert authority.store.uses(key.ref) == 0


class GarblingKey:
    """A backend whose answer was damaged on the way."""

    def __init__(self, key: FileKey) -> None:
        self.ref, self.purpose = key.ref, key.purpose
        self.algorithm, self.public_key = key.algorithm, key.public_key
        self._key = key

    def sign(self, permit: Permit, message: bytes) -> bytes:
        return self._key.sign(permit, message)[:-1] + b"\x00"


def test_a_damaged_signature_is_never_released(each_authority: "Authority", subject: x509.Name) -> None:
    with pytest.raises(IssuedSignatureError):
        make_csr(GarblingKey(each_authority.seal_key), subject)


@pytest.mark.tool("openssl")
def test_openssl_verifies_the_request(each_authority: "Authority", subject: x509.Name, tmp_path: Path) -> None:
    path = tmp_path / "seal.csr"
    path.write_bytes(make_csr(each_authority.seal_key, subject))
    told = subprocess.run(
        ["openssl", "req", "-in", path, "-verify", "-noout", "-subject", "-nameopt", "utf8"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "verify OK" in told.stdout + told.stderr
    assert "兴国县林业局行政审批专用章（11）" in told.stdout


@pytest.fixture
def outside(mint: "Mint") -> "list[Minted]":
    """Root and two levels of issuers of an outside authority."""
    root = mint("outside root", ca=True, usage=CA)
    upper = mint("outside upper", root, ca=True, usage=CA)
    return [root, upper, mint("outside lower", upper, ca=True, usage=CA)]


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def certified(authority: "Authority", mint: "Mint", issuer: "Minted", **changed: object) -> x509.Certificate:
    key = load_der_public_key(authority.seal_key.public_key)
    return mint("seal", issuer, public_key=key, **changed).certificate


def accept(authority: "Authority", file: bytes, roots: "list[Minted]", now: datetime) -> tuple[bytes, ...]:
    trusted = [root.certificate for root in roots]
    return accept_outside_certificate(file, authority.seal_key.public_key, trusted, now)


def refusal(authority: "Authority", file: bytes, roots: "list[Minted]", now: datetime) -> OutsideCertificateError:
    with pytest.raises(OutsideCertificateError) as caught:
        accept(authority, file, roots, now)
    return caught.value


def test_certificates_in_any_order_become_an_ordered_chain(
    each_authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    root, upper, lower = outside
    leaf = certified(each_authority, mint, lower)
    right = tuple(each.public_bytes(Encoding.DER) for each in (leaf, lower.certificate, upper.certificate))
    stranger = mint("stranger").certificate
    for file in (
        pem(leaf, lower.certificate, upper.certificate),
        pem(upper.certificate, root.certificate, leaf, lower.certificate),
        pem(stranger, upper.certificate, lower.certificate, leaf, lower.certificate),
    ):
        assert accept(each_authority, file, [root], now) == right


def test_a_certificate_for_another_key(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    other = mint("seal of another", outside[2]).certificate
    error = refusal(authority, pem(other, outside[2].certificate), outside[:1], now)
    assert error.code == "other-public-key"
    assert "seal of another" in error.en


def test_an_expired_certificate(authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime) -> None:
    root, upper, lower = outside
    leaf = certified(authority, mint, lower, ends=now - timedelta(seconds=1))
    error = refusal(authority, pem(leaf, lower.certificate, upper.certificate), [root], now)
    assert error.code == "expired"
    assert "2026-11-23 08:59:59" in error.zh


def test_an_expired_certificate_beside_its_successor(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    root, upper, lower = outside
    old = certified(authority, mint, lower, ends=now - timedelta(seconds=1))
    new = certified(authority, mint, lower)
    file = pem(old, new, lower.certificate, upper.certificate)
    assert accept(authority, file, [root], now)[0] == new.public_bytes(Encoding.DER)


def test_an_unknown_root(authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime) -> None:
    *_, upper, lower = outside
    file = pem(certified(authority, mint, lower), lower.certificate, upper.certificate)
    assert refusal(authority, file, [], now).code == "unknown-root"
    namesake = mint("outside root", ca=True, usage=CA)
    assert refusal(authority, file, [namesake], now).code == "unknown-root"


def test_the_roots_in_the_file_are_not_trusted(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    root, upper, lower = outside
    leaf = certified(authority, mint, lower)
    file = pem(leaf, *(each.certificate for each in (lower, upper, root)))
    assert refusal(authority, file, [mint("ours", ca=True, usage=CA)], now).code == "unknown-root"


def test_a_missing_issuer(authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime) -> None:
    root, upper, lower = outside
    leaf = certified(authority, mint, lower)
    error = refusal(authority, pem(leaf, upper.certificate), [root], now)
    assert error.code == "unknown-root"
    assert "outside lower" in error.en


@pytest.mark.parametrize("usage", [None, ("key_encipherment",)])
def test_a_certificate_that_is_not_for_signatures(
    authority: "Authority",
    mint: "Mint",
    outside: "list[Minted]",
    now: datetime,
    usage: tuple[str, ...] | None,
) -> None:
    root, upper, lower = outside
    leaf = certified(authority, mint, lower, usage=usage)
    error = refusal(authority, pem(leaf, lower.certificate, upper.certificate), [root], now)
    assert error.code == "leaf-key-usage"


def test_all_problems_stand_in_the_text(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    leaf = certified(authority, mint, outside[2], usage=None, ends=now - timedelta(days=1) + timedelta(hours=1))
    error = refusal(authority, pem(leaf), [], now)
    assert error.code == "expired"
    assert "keyUsage" in error.en or "key usage" in error.en
    assert "no trusted root" in error.en
    assert error.zh.count("；") == 2


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "pem-malformed"),
        (b"not a certificate", "pem-malformed"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "pem-malformed"),
        (b"A" * (256 * 1024 + 1), "pem-too-large"),
    ],
)
def test_a_file_that_cannot_be_read(authority: "Authority", now: datetime, file: bytes, code: str) -> None:
    assert refusal(authority, file, [], now).code == code


def test_an_unsupported_curve_is_a_typed_error(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    """The curve identifier of SM2 in place of P-256: same length of file, no library support yet."""
    key = generate_private_key(SECP256R1()).public_key()
    der = mint("国密", outside[2], public_key=key).certificate.public_bytes(Encoding.PEM)
    body = b64decode(b"".join(der.splitlines()[1:-1]))
    p256, sm2 = bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a811ccf5501822d")
    forged = encodebytes(body.replace(p256, sm2))
    file = b"-----BEGIN CERTIFICATE-----\n" + forged + b"-----END CERTIFICATE-----\n"
    error = refusal(authority, file, outside[:1], now)
    assert error.code == "pem-malformed"
    assert "SM2" in error.zh


def test_the_subject_of_an_outside_certificate_is_the_authoritys_business(
    authority: "Authority", mint: "Mint", outside: "list[Minted]", now: datetime
) -> None:
    root, upper, lower = outside
    leaf = certified(authority, mint, lower)
    (first, *_) = accept(authority, pem(leaf, lower.certificate, upper.certificate), [root], now)
    found = x509.load_der_x509_certificate(first).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert found[0].value == "seal"
