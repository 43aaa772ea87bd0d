"""Certificates of licensed authorities: a request for the seal's key, an import against configured roots only."""

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authority.errors import OutsideCertificateError
from registry.errors import TransitionError
from registry.records import SealKey
from sealing.administration import outside_certificates, seals
from sealing.administration.faces import face
from sealing.errors import InstallationError
from sealing.workshop import open_workshop
from signer.face import Face


@dataclass
class Licensed:
    """A licensed authority as a test needs it: one root that issues to requests."""

    key: ec.EllipticCurvePrivateKey
    root: x509.Certificate

    def answer(self, request: bytes, now, days: int = 365) -> bytes:
        wanted = x509.load_pem_x509_csr(request)
        return (
            x509.CertificateBuilder()
            .subject_name(wanted.subject)
            .issuer_name(self.root.subject)
            .public_key(wanted.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage("digital_signature"), critical=True)
            .sign(self.key, SHA256())
            .public_bytes(Encoding.PEM)
        )


def _usage(allowed: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name == allowed for name in names})


@pytest.fixture
def licensed(office) -> Licensed:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "示例持牌机构")])
    root = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(office.now - timedelta(days=100))
        .not_valid_after(office.now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage("key_cert_sign"), critical=True)
        .sign(key, SHA256())
    )
    return Licensed(key=key, root=root)


@pytest.fixture
def trusting(office, licensed) -> Iterator:
    """The same office, with the licensed root in its settings."""
    roots = office.folder / "roots.pem"
    roots.write_bytes(licensed.root.public_bytes(Encoding.PEM))
    settings = office.shop.settings.model_copy(update={"licensed_roots": roots})
    with open_workshop(settings) as shop:
        yield replace(office, world=replace(office.world, shop=shop))


def drawn(office) -> Face:
    with office.shop.database.read() as connection:
        return face(office.shop, connection, office.world.seals["town"])


def test_a_request_names_the_seal_and_is_recorded_before_the_key_is_used(trusting):
    seal = trusting.world.seals["town"]
    pem = outside_certificates.request_certificate(trusting.shop, seal, trusting.act("申领证书"))
    request = x509.load_pem_x509_csr(pem)
    names = [each.value for each in request.subject]
    assert "兴国县行政审批局行政审批专用章（35）" in names
    kind, groups = trusting.newest()
    assert kind == "certificate.requested"
    assert groups["request"]["seal"] == seal


def test_an_imported_certificate_seals_without_the_sample_mark(trusting, licensed):
    seal, before = trusting.world.seals["town"], drawn(trusting)
    (old,) = trusting.find(SealKey, seal=seal, current=True)
    pem = outside_certificates.request_certificate(trusting.shop, seal, trusting.act())
    answer = licensed.answer(pem, trusting.now)
    key = outside_certificates.import_certificate(trusting.shop, seal, answer, trusting.act("导入")).record
    assert (key.issuer, key.key_ref) == ("licensed", old.key_ref)
    assert b64decode(key.chain[0]) == x509.load_pem_x509_certificate(answer).public_bytes(Encoding.DER)
    assert drawn(trusting).operators != before.operators


def test_an_amendment_leaves_a_licensed_certificate_in_place(trusting, licensed):
    seal = trusting.world.seals["town"]
    pem = outside_certificates.request_certificate(trusting.shop, seal, trusting.act())
    answer = licensed.answer(pem, trusting.now)
    key = outside_certificates.import_certificate(trusting.shop, seal, answer, trusting.act()).record
    trusting.change_agreement(trusting.amended().id, "bring_into_force")
    assert trusting.find(SealKey, seal=seal, current=True) == [key]


def test_a_suspended_seals_imported_certificate_is_on_hold(trusting, licensed):
    seal = trusting.world.seals["town"]
    pem = outside_certificates.request_certificate(trusting.shop, seal, trusting.act())
    seals.change_state(trusting.shop, seal, "suspend", trusting.act())
    answer = licensed.answer(pem, trusting.now)
    key = outside_certificates.import_certificate(trusting.shop, seal, answer, trusting.act()).record
    assert key.revoked_reason == "certificate_hold"


def test_without_configured_roots_nothing_is_licensed(office, licensed):
    seal = office.world.seals["town"]
    pem = outside_certificates.request_certificate(office.shop, seal, office.act())
    with pytest.raises(InstallationError) as caught:
        outside_certificates.import_certificate(office.shop, seal, licensed.answer(pem, office.now), office.act())
    assert caught.value.code == "no-licensed-roots"


def test_the_embedded_root_is_never_a_licensed_one(office):
    roots = office.folder / "roots.pem"
    roots.write_text(office.shop.installation.root)
    settings = office.shop.settings.model_copy(update={"licensed_roots": roots})
    with open_workshop(settings) as shop, pytest.raises(InstallationError) as caught:
        outside_certificates.licensed_roots(shop)
    assert caught.value.code == "embedded-root-is-not-licensed"


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\n"], ids=["missing", "empty", "broken"])
def test_roots_that_cannot_be_read_are_told(office, content):
    roots = office.folder / "roots.pem"
    if content is not None:
        roots.write_bytes(content)
    settings = office.shop.settings.model_copy(update={"licensed_roots": roots})
    with open_workshop(settings) as shop, pytest.raises(InstallationError) as caught:
        outside_certificates.licensed_roots(shop)
    assert caught.value.code == "licensed-roots-unreadable"


def test_a_certificate_of_another_key_or_another_authority_is_refused(trusting, licensed):
    seal = trusting.world.seals["town"]
    other = outside_certificates.request_certificate(trusting.shop, trusting.world.seals["city"], trusting.act())
    own = outside_certificates.request_certificate(trusting.shop, seal, trusting.act())
    stranger = replace(licensed, key=ec.generate_private_key(ec.SECP256R1()))
    before = trusting.kinds()
    for answer in (licensed.answer(other, trusting.now), stranger.answer(own, trusting.now), b"no pem"):
        with pytest.raises(OutsideCertificateError):
            outside_certificates.import_certificate(trusting.shop, seal, answer, trusting.act())
    assert trusting.kinds() == before


def test_a_cancelled_seal_asks_for_nothing(trusting):
    seal = trusting.world.seals["town"]
    trusting.cancel("town")
    with pytest.raises(TransitionError):
        outside_certificates.request_certificate(trusting.shop, seal, trusting.act())
