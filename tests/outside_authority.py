"""An outside time-stamp authority: a root and a unit of its own behind a real HTTP server, which may lie."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from outside_servers import Local, Seen, says, serving

from authority.timestamp import granted, make_token, read_request
from keystore.interface import Keystore, SigningKey

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=3650)
AUTHORIZATION = "Basic dXNlcjpzZWNyZXQ="
_CA = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
_LEAF = x509.KeyUsage(True, True, False, False, False, False, False, False, False)


@dataclass(frozen=True)
class OutsideAuthority:
    """Root, unit and its key."""

    root_key: ec.EllipticCurvePrivateKey
    root: x509.Certificate
    unit: x509.Certificate
    key: SigningKey

    @classmethod
    def made(cls, keystore: Keystore) -> "OutsideAuthority":
        root_key, key = ec.generate_private_key(ec.SECP256R1()), keystore.generate("timestamp", "ecdsa-p256-sha256")
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "示例时间戳根")])
        ski = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
        root = (
            _draft(name, name, root_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_CA, critical=True)
            .add_extension(ski, critical=False)
            .sign(root_key, hashes.SHA256())
        )
        own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "示例时间戳单元")])
        unit = (
            _draft(own, name, load_der_public_key(key.public_key))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_LEAF, critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        return cls(root_key=root_key, root=root, unit=unit, key=key)

    def write_roots(self, folder: Path) -> Path:
        path = folder / "timestamp-roots.pem"
        path.write_bytes(self.root.public_bytes(Encoding.PEM))
        return path

    def crl(self, now: datetime, *revoked: x509.Certificate) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.root.subject)
            .last_update(now - timedelta(hours=1))
            .next_update(now + timedelta(days=1))
            .add_extension(x509.CRLNumber(1), critical=False)
        )
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _ballast(self) -> tuple[bytes, ...]:
        """A certificate of 12 KB that leads nowhere."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ballast")])
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), bytes(12_000))
        made = _draft(name, name, self.root_key.public_key()).add_extension(extension, critical=False)
        return (made.sign(self.root_key, hashes.SHA256()).public_bytes(Encoding.DER),)

    def answer(self, request: bytes, now: datetime, lie: str) -> bytes:
        asked = read_request(request)
        if lie == "nonce":
            asked = replace(asked, nonce=(asked.nonce or 0) ^ 1)
        if lie == "no_nonce":
            asked = replace(asked, nonce=None)
        if lie == "imprint":
            asked = replace(asked, digest=bytes(32))
        if lie == "time":
            now += timedelta(hours=2)
        token = make_token(
            asked,
            self.key,
            self.unit,
            (self.unit.public_bytes(Encoding.DER),) + (self._ballast() if lie == "large" else ()),
            serial=x509.random_serial_number(),
            now=now,
            accuracy=timedelta(seconds=1),
            policy="1.2.3.4.1",
        )
        return token if lie == "bare" else granted(token)


def _draft(name: x509.Name, issuer: x509.Name, key: object) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(END)
    )


@dataclass
class Mood:
    """How the server behaves; a test may change it while it runs."""

    lie: str = ""


@contextmanager
def time_stamping(
    authority: OutsideAuthority, clock: Callable[[], datetime], mood: Mood
) -> Iterator[tuple[Local, Seen]]:
    def behave(handler):
        if handler.path.endswith(".crl"):
            revoked = (authority.unit,) if mood.lie == "revoked" else ()
            says(authority.crl(clock(), *revoked), status=503 if mood.lie == "no_list" else 200)(handler)
            return
        _, _, headers, body = seen.requests[-1]
        if headers.get("authorization") != AUTHORIZATION:
            says(b"who are you", status=401)(handler)
        elif mood.lie == "down":
            says(b"", status=503)(handler)
        elif mood.lie == "slow":
            time.sleep(30)
        else:
            media_type = "text/html" if mood.lie == "page" else "application/timestamp-reply"
            says(authority.answer(body, clock(), mood.lie), media_type=media_type)(handler)

    with serving(behave) as server:
        seen = server.seen
        yield server, seen
