from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from authority.binding import SealBinding
from authority.certificate_parts import Places
from authority.certificates import Period, make_issuer, make_root, make_seal_certificate
from authority.issue import new_serial
from keystore.files import FileKey, FileKeystore
from keystore.interface import Algorithm

NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
ALGORITHMS: list[Algorithm] = ["ecdsa-p256-sha256", "rsa3072-sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An embedded authority with one seal key, all keys of one algorithm."""

    root_key: FileKey
    issuer_key: FileKey
    seal_key: FileKey
    root: x509.Certificate
    issuer: x509.Certificate
    store: FileKeystore
    folder: Path

    def seal(self, binding: SealBinding, **changed: object) -> x509.Certificate:
        """A seal certificate for one year, or with what ``changed`` says."""
        given = {
            "grantor_name": "赣州市行政审批局",
            "period": Period(
                not_before=NOW,
                not_after=NOW + timedelta(days=365),
                agreement_ends=NOW + timedelta(days=365),
            ),
            "places": Places(crl="http://127.0.0.1:8080/v1/authority/issuer.crl"),
            "serial": new_serial(),
        }
        arguments: dict[str, object] = given | changed
        return make_seal_certificate(
            self.issuer,
            self.issuer_key,
            self.seal_key.public_key,
            binding,
            **arguments,  # type: ignore[arg-type]  # by name
        )

    def write(self, name: str, *certificates: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        return path


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FileKeystore:
    folder = tmp_path_factory.mktemp("authority")
    FileKeystore.create_key_encryption_key(folder / "kek")
    return FileKeystore(folder / "keys", folder / "kek")


def build(store: FileKeystore, algorithm: Algorithm, folder: Path) -> Authority:
    root_key, issuer_key = store.generate("ca", algorithm), store.generate("ca", algorithm)
    root = make_root(root_key, "印信内置根认证机构", now=NOW)
    issuer = make_issuer(
        root,
        root_key,
        issuer_public_key=issuer_key.public_key,
        name="印信内置签发机构",
        now=NOW,
        places=Places(crl="http://127.0.0.1:8080/v1/authority/root.crl"),
    )
    return Authority(
        root_key=root_key,
        issuer_key=issuer_key,
        seal_key=store.generate("seal", algorithm),
        root=root,
        issuer=issuer,
        store=store,
        folder=folder,
    )


@pytest.fixture(scope="session", params=ALGORITHMS)
def each_authority(
    store: FileKeystore, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Authority:
    """One with P-256 keys, one with RSA-3072 keys."""
    return build(store, request.param, tmp_path_factory.mktemp("pem"))


@pytest.fixture(scope="session")
def authority(store: FileKeystore, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return build(store, "ecdsa-p256-sha256", tmp_path_factory.mktemp("pem"))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def binding() -> SealBinding:
    return SealBinding(
        agreement="赣市审授〔2026〕12号",
        agreement_version=1,
        terms_digest="sha256:" + "0a" * 32,
        grantor_code="11360700SAMPLE0012",
        grantee_code="11360732SAMPLE0035",
        grantee_name="兴国县行政审批局",
        seal_name="赣州市行政审批局行政审批专用章（12）",
        seal_number=12,
        log_origin="log.example/yinxin",
        log_key_hash="sha256:" + "0b" * 32,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A certificate of a made-up outside authority, with its key."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


Mint = Callable[..., Minted]


@pytest.fixture(scope="session")
def mint() -> Mint:
    """Make certificates of any shape, also wrong ones, with the builders of the library."""

    def make(  # a test says only what it is about
        name: str,
        issuer: Minted | None = None,
        *,
        ca: bool | None = False,
        path_length: int | None = None,
        usage: tuple[str, ...] | None = ("digital_signature",),
        begins: datetime = NOW - timedelta(days=1),
        ends: datetime = NOW + timedelta(days=30),
        public_key: object = None,
        extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    ) -> Minted:
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .serial_number(x509.random_serial_number())
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .not_valid_before(begins)
            .not_valid_after(ends)
            .public_key(public_key or key.public_key())  # type: ignore[arg-type]  # a test passes what it likes
        )
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        if usage is not None:
            builder = builder.add_extension(key_usage(usage), critical=True)
        for value, critical in extra:
            builder = builder.add_extension(value, critical)
        signed = builder.sign(issuer.key if issuer else key, SHA256())
        return Minted(certificate=signed, key=key)

    return make


def key_usage(allowed: tuple[str, ...]) -> x509.KeyUsage:
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
    names += " key_cert_sign crl_sign encipher_only decipher_only"
    return x509.KeyUsage(**{name: name in allowed for name in names.split()})
