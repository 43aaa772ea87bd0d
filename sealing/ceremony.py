"""The steps of a key ceremony, each of which may be repeated or taken up again after an interruption.

The root is made and used on an offline machine, the issuing authority's key in the keystore of the target; between
the two machines only a request and certificates travel. Each step notes what it did in ``ceremony.json`` of its
folder: public facts only, from which the protocol is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from asn1crypto import csr as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.chain import show
from authority.issue import signature_algorithm
from authority.names import authority_name
from keystore.at_rest import KEY_BYTES, KeyEncryptionKey
from keystore.files import FileKeystore
from keystore.interface import KeyEncryptionKeyError, Keystore, Permit, SigningKey
from keystore.open import open_keystore
from keystore.private_file import read_private, write_private
from ledger.canonical import JsonValue, canonical, parse
from ledger.errors import NotCanonicalError
from ledger.moments import to_text
from sealing import key_shares
from sealing.errors import CeremonyError
from sealing.installation import CertifiedIssuer, Installation
from sealing.offline_root import RootKey, certify_issuer, public_bytes, read_root, sign_root_list
from sealing.root_list import NAME as ROOT_LIST
from sealing.root_list import write_whole
from sealing.settings import Settings
from sealing.workshop import initialise

RECORD, ISSUER = "ceremony.json", "issuer.pem"
_FOLDER = "ceremony"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that was taken: public facts only."""

    step: str
    time: str
    facts: dict[str, str]


def request_issuer(settings: Settings, target: Path, name: str, now: datetime) -> dict[str, str]:
    """Make the issuing key in the target keystore, once, and write a request (PKCS #10, PEM) for it to ``target``.

    Raises :class:`CeremonyError`, ``KeystoreError``.
    """
    if (settings.data / "installation.json").exists():
        raise CeremonyError(
            "installation-exists", "此处已有安装", "there is an installation here; a ceremony comes before it"
        )
    folder = _folder(settings)
    keystore = _keystore(settings)
    taken = [each for each in read_steps(folder) if each.step == "request"]
    key = keystore.open(taken[-1].facts["key"]) if taken else keystore.generate("ca", "ecdsa-p256-sha256")
    facts = {"key": key.ref, "public_key": fingerprint(key.public_key), "name": name}
    if not taken:
        note(folder, "request", facts, now)
    write_private(target, make_request(key, name))
    return facts


def make_request(key: SigningKey, name: str) -> bytes:
    """A certification request (RFC 2986), PEM, signed with one use of ``key``. Raises ``AuthorityError``."""
    algorithm = signature_algorithm(key)
    info = asn1.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": asn1_x509.Name.load(authority_name(name).public_bytes()),
            "subject_pk_info": asn1_x509.PublicKeyInfo.load(key.public_key),
            "attributes": [],
        }
    )
    message: bytes = info.dump()
    signature = key.sign(Permit.to_sign(key, message), message)
    whole = asn1.CertificationRequest(
        {"certification_request_info": info, "signature_algorithm": algorithm, "signature": signature}
    )
    return x509.load_der_x509_csr(whole.dump()).public_bytes(Encoding.PEM)


def issue(folder: Path, key: RootKey, request: Path, target: Path, now: datetime, *, public_url: str) -> dict[str, str]:
    """Certify the issuing key and sign the root's list; ``target`` is a new folder that goes to the target machine.

    Raises :class:`CeremonyError`, ``AuthorityError``, ``KeyNotWrittenError``.
    """
    try:
        asked = x509.load_pem_x509_csr(request.read_bytes())
        name = str(asked.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
    except (OSError, ValueError, IndexError) as error:
        raise CeremonyError("request-invalid", f"{request} 不是签发请求", f"{request} is no request") from error
    issuer = certify_issuer(folder, key, asked, now, name=name, public_url=public_url)
    listed = sign_root_list(folder, key, now)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(target / ISSUER, issuer.public_bytes(Encoding.PEM))
    write_private(target / "root.pem", read_root(folder).public_bytes(Encoding.PEM))
    write_private(target / ROOT_LIST, listed)
    facts = {
        "issuer": certificate_fingerprint(issuer),
        "public_key": fingerprint(_public(issuer)),
        "until": to_text(issuer.not_valid_after_utc),
        "root_list": "sha256:" + sha256(listed).hexdigest(),
    }
    note(folder, "issue", facts, now)
    return facts


def certified_issuer(settings: Settings, outcome: Path) -> tuple[CertifiedIssuer, bytes]:
    """What :func:`issue` wrote, checked against the key in this keystore; and the root's list.

    Raises :class:`CeremonyError`, ``KeystoreError``.
    """
    taken = [each for each in read_steps(_folder(settings)) if each.step == "request"]
    if not taken:
        raise CeremonyError(
            "request-missing", "此处未做过签发请求", "no request was made here (yinxin ceremony request)"
        )
    try:
        root, issuer = (x509.load_pem_x509_certificate((outcome / name).read_bytes()) for name in ("root.pem", ISSUER))
        listed = (outcome / ROOT_LIST).read_bytes()
        issuer.verify_directly_issued_by(root)
        root.verify_directly_issued_by(root)
        path_length = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    except Exception as error:
        raise CeremonyError(
            "outcome-invalid",
            f"{outcome} 中的证书不是仪式的结果",
            f"the certificates in {outcome} are not a ceremony's",
        ) from error
    key = _keystore(settings).open(taken[-1].facts["key"])
    if _public(issuer) != key.public_key or path_length != 0:
        raise CeremonyError(
            "outcome-of-another",
            f"证书 {show(issuer.subject)} 不是签给此处密钥 {key.ref} 的",
            f"the certificate of {show(issuer.subject)} is not for the key {key.ref} here",
        )
    return CertifiedIssuer(key=key.ref, root=root, issuer=issuer), listed


def make_shares(settings: Settings, *, needed: int, of: int, now: datetime) -> list[str]:
    """The key-encryption key in shares, proven by recombination; the step is noted without them.

    Raises :class:`CeremonyError`, ``KeyEncryptionKeyError``.
    """
    path = settings.key_encryption_key_path
    secret = read_private(path, limit=KEY_BYTES, error=KeyEncryptionKeyError)
    shares = key_shares.split(secret, needed=needed, of=of)
    facts = {"needed": str(needed), "of": str(of), "key_encryption_key": KeyEncryptionKey(secret).fingerprint}
    note(_folder(settings), "shares", facts, now)
    return shares


def recover_key(shares: Sequence[str], target: Path, fingerprint_: str | None) -> str:
    """Write the key that the shares give, never over a file; its fingerprint, which must be the one expected, if any.

    Raises :class:`CeremonyError`, ``KeyNotWrittenError``.
    """
    secret = key_shares.combine(shares)
    found = KeyEncryptionKey(secret).fingerprint
    if fingerprint_ is not None and found != fingerprint_:
        raise CeremonyError(
            "shares-of-another",
            f"分片合成的密钥指纹为 {found}，应为 {fingerprint_}",
            f"the shares give the key {found}, expected {fingerprint_}",
        )
    write_private(target, secret)
    return found


def note(folder: Path, step: str, facts: dict[str, str], now: datetime) -> None:
    """Add a step to the folder's record."""
    taken = [*read_steps(folder), Step(step=step, time=to_text(now), facts=facts)]
    steps: list[JsonValue] = [{"step": each.step, "time": each.time, "facts": each.facts} for each in taken]
    write_whole(folder / RECORD, canonical({"v": 1, "steps": steps}))


def read_steps(folder: Path) -> list[Step]:
    """The steps noted in a folder, the first first. Raises :class:`CeremonyError`."""
    path = folder / RECORD
    if not path.exists():
        return []
    try:
        value = parse(path.read_bytes())
        steps = value["steps"] if isinstance(value, dict) else None
        return [Step(**each) for each in steps]  # type: ignore[union-attr]  # judged by what it raises
    except (OSError, NotCanonicalError, KeyError, TypeError) as error:
        raise CeremonyError("record-unreadable", f"{path} 无法读取", f"{path} cannot be read") from error


def fingerprint(public_key: bytes) -> str:
    """``sha256:<hex>`` of a SubjectPublicKeyInfo."""
    return "sha256:" + sha256(public_key).hexdigest()


def certificate_fingerprint(certificate: x509.Certificate) -> str:
    """``sha256:<hex>`` of a certificate, DER."""
    return fingerprint(certificate.public_bytes(Encoding.DER))


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _folder(settings: Settings) -> Path:
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = settings.data / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _keystore(settings: Settings) -> Keystore:
    """The target keystore itself: before there is an installation no custody process could check a use."""
    path = settings.key_encryption_key_path
    if settings.keystore_uri.startswith("file:") and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        FileKeystore.create_key_encryption_key(path)
    return open_keystore(settings.keystore_uri, key_encryption_key=path)


def check_request(request: Path, expected: str) -> None:
    """Raises :class:`CeremonyError` unless the request is for the public key with this fingerprint."""
    try:
        found = fingerprint(public_bytes(x509.load_pem_x509_csr(request.read_bytes())))
    except (OSError, ValueError) as error:
        raise CeremonyError("request-invalid", f"{request} 不是签发请求", f"{request} is no request") from error
    if found != expected:
        raise CeremonyError(
            "request-of-another",
            f"请求中的公钥指纹为 {found}，目标机所示为 {expected}",
            f"the request is for the public key {found}, the target machine told {expected}",
        )


def found_from(settings: Settings, outcome: Path, now: datetime) -> Installation:
    """Make the installation from a ceremony's outcome. Raises as :func:`certified_issuer` and ``initialise``."""
    if (settings.data / "installation.json").exists():
        raise CeremonyError("installation-exists", "此处已有安装", "there is an installation here already")
    certified, listed = certified_issuer(settings, outcome)
    write_whole(settings.data / ROOT_LIST, listed)
    made = initialise(settings, now, certified)
    note(_folder(settings), "init", {"installation": made.id, "log": made.log_origin}, now)
    return made
