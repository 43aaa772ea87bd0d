"""What one installation is: its log, its keys by reference, its authority's certificates. All of it public.

Kept in ``installation.json``, written once. The first entry of the ledger commits to the same content, so a file that
was exchanged later does not pass.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from authority.certificate_parts import Places
from authority.certificates import make_issuer, make_root
from keystore.interface import Keystore
from keystore.private_file import write_private
from ledger.canonical import canonical, parse
from ledger.entry import Draft
from ledger.errors import NotCanonicalError
from ledger.ids import new_id
from sealing.errors import InstallationError

CREATED = "installation.created"
ROOT_CRL_PATH = "/v1/authority/root.crl"
ISSUER_CRL_PATH = "/v1/authority/issuer.crl"
ROOT_CERTIFICATE_PATH = "/v1/authority/root.cer"
ISSUER_CERTIFICATE_PATH = "/v1/authority/issuer.cer"
OCSP_PATH = "/v1/authority/ocsp"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedIssuer:
    """What a key ceremony gives to a new installation: the issuer's key, certified by a root that stays offline."""

    key: str  # reference in the installation's own keystore
    root: x509.Certificate
    issuer: x509.Certificate


class Installation(BaseModel):
    """Key references and certificates (PEM) of one installation."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    v: Literal[1]
    id: str
    log_origin: Annotated[str, Field(min_length=1, max_length=120)]
    log_key: str
    token_key: str
    root_key: str | None  # None: made by a ceremony, the root's key is kept elsewhere
    issuer_key: str
    root: str
    issuer: str

    @property
    def root_certificate(self) -> x509.Certificate:
        """The embedded root."""
        return x509.load_pem_x509_certificate(self.root.encode())

    @property
    def issuer_certificate(self) -> x509.Certificate:
        """The embedded issuing authority."""
        return x509.load_pem_x509_certificate(self.issuer.encode())

    def draft(self) -> Draft:
        """The first entry of the ledger."""
        return Draft(kind=CREATED, subjects=(self.id,), groups={"installation": self.model_dump(mode="json")})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises :class:`InstallationError`."""
        try:
            return cls.model_validate(parse(path.read_bytes()))
        except FileNotFoundError:
            raise InstallationError(
                "not-initialised",
                f"{path} 不存在；请先运行 yinxin serve 或 yinxin demo 完成初始化",
                f"{path} is missing; run yinxin serve or yinxin demo first",
            ) from None
        except (ValidationError, NotCanonicalError, OSError) as error:
            raise InstallationError(
                "installation-unreadable",
                f"{path} 不是本系统写下的安装文件",
                f"{path} is not an installation file as this service writes it",
            ) from error

    def write(self, path: Path) -> None:
        """Write the file once, durably, for its owner only. Raises ``KeyNotWrittenError`` when there is one."""
        write_private(path, canonical(self.model_dump(mode="json")))


def issued_places(public_url: str) -> Places:
    """Where a reader of the issuer's certificates finds its list, its OCSP responder and its own certificate."""
    return Places(
        crl=public_url + ISSUER_CRL_PATH, ocsp=public_url + OCSP_PATH, issuer=public_url + ISSUER_CERTIFICATE_PATH
    )


def found_installation(
    keystore: Keystore, *, log_origin: str, public_url: str, now: datetime, certified: CertifiedIssuer | None = None
) -> Installation:
    """Make the keys and the embedded authority of a new installation; nothing is written but key files.

    With ``certified`` the authority is the ceremony's, and there is no root key here.
    """
    if certified is not None:
        return _founded(keystore, log_origin, certified, root_key=None)
    root_key = keystore.generate("ca", "ecdsa-p256-sha256")
    issuer_key = keystore.generate("ca", "ecdsa-p256-sha256")
    root = make_root(root_key, "印信内置根（未获许可） Yinxin embedded root", now=now)
    issuer = make_issuer(
        root,
        root_key,
        issuer_public_key=issuer_key.public_key,
        name="印信内置签发（未获许可） Yinxin embedded issuer",
        now=now,
        places=Places(crl=public_url + ROOT_CRL_PATH, issuer=public_url + ROOT_CERTIFICATE_PATH),
    )
    made = CertifiedIssuer(key=issuer_key.ref, root=root, issuer=issuer)
    return _founded(keystore, log_origin, made, root_key=root_key.ref)


def _founded(keystore: Keystore, log_origin: str, authority: CertifiedIssuer, *, root_key: str | None) -> Installation:
    return Installation(
        v=1,
        id=new_id("ins"),
        log_origin=log_origin,
        log_key=keystore.generate("log", "ed25519").ref,
        token_key=keystore.generate("token", "ecdsa-p256-sha256").ref,
        root_key=root_key,
        issuer_key=authority.key,
        root=authority.root.public_bytes(Encoding.PEM).decode(),
        issuer=authority.issuer.public_bytes(Encoding.PEM).decode(),
    )
