"""A custody process on another host: both ends show a certificate of the same roots."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from custody_process import client, running, settings_in, sign
from servers import free_port

from custody.errors import CustodyAddressError
from custody.settings import ProcessSettings
from keystore.interface import Grounds, KeyServiceGoneError, KeystoreError, Permit

NOW = datetime.now(UTC)


def certificate(
    name: str, issuer: "tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None"
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by, signing = (subject, key) if issuer is None else (issuer[0].subject, issuer[1])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(signing, SHA256())
    )
    return made, key


def folder_with(
    path: Path, name: str, root: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], trusted: x509.Certificate
) -> Path:
    shown, key = certificate(name, root)
    path.mkdir()
    (path / "certificate.pem").write_bytes(shown.public_bytes(Encoding.PEM))
    (path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (path / "roots.pem").write_bytes(trusted.public_bytes(Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessSettings]:
    folder = tmp_path_factory.mktemp("remote")
    root, other = certificate("root", None), certificate("other root", None)
    server = folder_with(folder / "server", "custody", root, root[0])
    folder_with(folder / "client", "web", root, root[0])
    folder_with(folder / "stranger", "stranger", other, root[0])
    folder_with(folder / "distrustful", "web", root, other[0])
    settings = settings_in(folder, listen=f"tls://127.0.0.1:{free_port()}", tls=server)
    with running(settings):
        yield settings


def as_client(settings: ProcessSettings, name: str) -> ProcessSettings:
    assert settings.tls is not None
    return replace(settings, tls=settings.tls.parent / name)


def test_a_client_of_the_same_roots_uses_keys_and_sends_its_file(remote: ProcessSettings, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    prepared.write_bytes(b"prepared " * 300_000)
    with client(as_client(remote, "client")) as keystore:
        key = keystore.generate("seal", "ecdsa-p256-sha256")
        assert key.sign(Permit.to_sign(key, b"m", Grounds(statement={}, file=prepared)), b"m")
        assert sign(keystore, key.ref, b"another")
        lines = [line.about for line in keystore.uses_after(0) if line.event == "use"]
    assert lines[0]["file"] == ("prepared " * 300)[:100]


def test_a_client_of_other_roots_is_refused(remote: ProcessSettings) -> None:
    with client(as_client(remote, "stranger")) as keystore, pytest.raises(KeyServiceGoneError, match="no key was used"):
        keystore.ping()


def test_a_process_of_other_roots_is_not_believed(remote: ProcessSettings) -> None:
    with client(as_client(remote, "distrustful")) as keystore, pytest.raises(KeyServiceGoneError, match="certificate"):
        keystore.ping()


def test_a_process_under_another_name_is_not_believed(remote: ProcessSettings) -> None:
    elsewhere = replace(as_client(remote, "client"), listen=remote.listen.replace("127.0.0.1", "localhost"))
    with client(elsewhere) as keystore, pytest.raises(KeyServiceGoneError, match=r"[Hh]ostname"):
        keystore.ping()


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, listen="tls://127.0.0.1:1", tls=tmp_path)
    with pytest.raises(CustodyAddressError, match="cannot be used"), client(settings):
        pass
    with pytest.raises(KeystoreError, match="custody_tls"), client(replace(settings, tls=None)):
        pass
