"""The root of an authority whose key is kept apart: in a folder on offline media, under a passphrase.

``root-key.age`` is the private key (PKCS #8) inside age with a passphrase, so that any age program opens it, too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pyrage  # type: ignore[import-untyped]  # compiled, without stubs
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authority.certificate_parts import Places
from authority.certificates import make_issuer, make_root
from authority.revocation import make_crl
from keystore import key_pairs
from keystore.interface import Algorithm, KeyUnreadableError, Permit, Purpose
from keystore.private_file import read_private, write_private
from sealing.errors import CeremonyError
from sealing.installation import ROOT_CERTIFICATE_PATH, ROOT_CRL_PATH

KEY, CERTIFICATE = "root-key.age", "root.pem"
LIST_LIFE = timedelta(days=365)
"""How long a list of the offline root speaks: somebody must fetch the root from its safe once a year."""
SHORTEST_PASSPHRASE = 12
_ALGORITHM: Algorithm = "ecdsa-p256-sha256"
_LONGEST_KEY = 16 * 1024


@dataclass(frozen=True, slots=True)
class RootKey:
    """The root's key, opened for the length of one step."""

    _private: key_pairs.PrivateKey = field(repr=False)
    ref: str = "offline:root"
    purpose: Purpose = "ca"
    algorithm: Algorithm = _ALGORITHM

    @property
    def public_key(self) -> bytes:
        """See :class:`keystore.interface.SigningKey`."""
        return key_pairs.public_part(self._private)

    def sign(self, permit: Permit, message: bytes) -> bytes:
        """See :class:`keystore.interface.SigningKey`."""
        permit.redeem(self, message)
        return key_pairs.sign(self._private, message)


def make_offline_root(folder: Path, name: str, passphrase: str, now: datetime, *, years: int = 20) -> x509.Certificate:
    """Make key and certificate in ``folder``; a step that was interrupted between the two goes on with the same key.

    Raises :class:`CeremonyError`, ``KeystoreError``, ``AuthorityError``.
    """
    if (folder / CERTIFICATE).exists():
        raise CeremonyError("root-exists", f"{folder} 中已有根证书", f"{folder} holds a root certificate already")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise CeremonyError(
            "passphrase-short",
            f"口令短于 {SHORTEST_PASSPHRASE} 个字符",
            f"the passphrase has less than {SHORTEST_PASSPHRASE} characters",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / KEY).exists():
        private = key_pairs.make(_ALGORITHM)
        write_private(folder / KEY, pyrage.passphrase.encrypt(key_pairs.dump(private), passphrase))
    certificate = make_root(open_root_key(folder, passphrase), name, now=now, years=years)
    write_private(folder / CERTIFICATE, certificate.public_bytes(Encoding.PEM))
    return certificate


def open_root_key(folder: Path, passphrase: str) -> RootKey:
    """Raises :class:`CeremonyError` for a wrong passphrase or a changed file, ``KeyUnreadableError``."""
    try:
        content = read_private(folder / KEY, limit=_LONGEST_KEY, error=KeyUnreadableError)
        return RootKey(key_pairs.load(pyrage.passphrase.decrypt(content, passphrase)))
    except FileNotFoundError:
        raise CeremonyError("root-missing", f"{folder} 中没有根密钥", f"{folder} holds no root key") from None
    except (pyrage.DecryptError, ValueError):
        raise CeremonyError(
            "passphrase-wrong",
            "口令不符，或根密钥文件被改动",
            "the passphrase is wrong, or the root key's file changed",
        ) from None


def read_root(folder: Path) -> x509.Certificate:
    """The root certificate in ``folder``. Raises :class:`CeremonyError`."""
    try:
        return x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except (OSError, ValueError) as error:
        raise CeremonyError("root-missing", f"{folder} 中没有根证书", f"{folder} holds no root certificate") from error


def certify_issuer(
    folder: Path, key: RootKey, request: x509.CertificateSigningRequest, now: datetime, *, name: str, public_url: str
) -> x509.Certificate:
    """The issuing authority's certificate, path length 0, for the key that the request proves to hold.

    Raises :class:`CeremonyError`, ``AuthorityError``.
    """
    if not request.is_signature_valid:
        raise CeremonyError("request-invalid", "签发请求的签名不符", "the request is not signed with the key it names")
    return make_issuer(
        read_root(folder),
        key,
        issuer_public_key=public_bytes(request),
        name=name,
        now=now,
        places=Places(crl=public_url + ROOT_CRL_PATH, issuer=public_url + ROOT_CERTIFICATE_PATH),
    )


def sign_root_list(folder: Path, key: RootKey, now: datetime) -> bytes:
    """A list of the root that revokes nothing, DER; its number is the time, so it never falls."""
    return make_crl(
        read_root(folder),
        key,
        (),
        number=int(now.timestamp()),
        now=now,
        next_update=now + LIST_LIFE,
        longest=LIST_LIFE,
    )


def public_bytes(request: x509.CertificateSigningRequest) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    from cryptography.hazmat.primitives.serialization import PublicFormat  # noqa: PLC0415  beside its only use

    return request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
