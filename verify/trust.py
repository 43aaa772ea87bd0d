"""What the verifier trusts, brought from elsewhere than the file: roots, logs, witnesses, revocation data."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authority.errors import UNREADABLE
from ledger.checkpoint import LogIdentity
from ledger.cosignature import WitnessIdentity
from ledger.errors import LedgerError

LONGEST = 4 * 1024 * 1024
_LONGEST_CRL = 64 * 1024 * 1024


class TrustError(Exception):
    """A root, log key or revocation list cannot be read. Whoever configured the verifier must give another."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Trusted roots and logs; revocation data are trusted only as far as an issuer signed them.

    ``roots`` are for documents, and for the operator's own time-stamps; ``timestamp_roots`` for time-stamp authorities
    outside. ``crls`` are DER or PEM, ``ocsps`` answers in DER. ``witnesses`` cosign the logs' checkpoints.
    """

    roots: tuple[x509.Certificate, ...]
    logs: tuple[LogIdentity, ...]
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    timestamp_roots: tuple[x509.Certificate, ...] = ()
    witnesses: tuple[WitnessIdentity, ...] = ()

    @classmethod
    def read(
        cls,
        roots: tuple[Path, ...],
        logs: tuple[Path, ...],
        crls: tuple[Path, ...] = (),
        *,
        ocsps: tuple[Path, ...] = (),
        timestamp_roots: tuple[Path, ...] = (),
        witnesses: tuple[Path, ...] = (),
    ) -> "Trust":
        """Read PEM files, files of verifier keys (C2SP signed-note, one a line), lists and answers.

        Raises ``TrustError``.
        """
        return cls(
            roots=tuple(root for path in roots for root in read_roots(_bytes_of(path))),
            logs=tuple(log for path in logs for log in read_logs(_bytes_of(path))),
            crls=tuple(_bytes_of(path, _LONGEST_CRL) for path in crls),
            ocsps=tuple(_bytes_of(path) for path in ocsps),
            timestamp_roots=tuple(root for path in timestamp_roots for root in read_roots(_bytes_of(path))),
            witnesses=tuple(each for path in witnesses for each in read_witnesses(_bytes_of(path))),
        )


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """All certificates of a PEM text. Raises :class:`TrustError` ``root-unreadable`` when there is none."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except UNREADABLE as error:
        raise TrustError("root-unreadable", "根证书应为 PEM 格式", "roots are expected as PEM certificates") from error


def read_logs(text: bytes) -> tuple[LogIdentity, ...]:
    """The verifier keys of a text, one a line. Raises :class:`TrustError` ``log-key-unreadable``."""
    try:
        lines = [line for line in text.decode().splitlines() if line.strip()]
        found = tuple(LogIdentity.from_vkey(line) for line in lines)
    except (LedgerError, UnicodeDecodeError) as error:
        raise _log_unreadable() from error
    if not found:
        raise _log_unreadable()
    return found


def read_witnesses(text: bytes) -> tuple[WitnessIdentity, ...]:
    """The verifier keys of a text, one a line. Raises :class:`TrustError` ``witness-key-unreadable``."""
    try:
        found = tuple(WitnessIdentity.from_vkey(line) for line in text.decode().splitlines() if line.strip())
    except (LedgerError, UnicodeDecodeError) as error:
        raise _witness_unreadable() from error
    if not found:
        raise _witness_unreadable()
    return found


def log_key_hash(identity: LogIdentity) -> str:
    """``sha256:<hex>`` over the log key's SubjectPublicKeyInfo, as seal certificates name it."""
    key = Ed25519PublicKey.from_public_bytes(identity.public_key)
    return "sha256:" + sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _witness_unreadable() -> TrustError:
    return TrustError(
        "witness-key-unreadable",
        "见证方公钥应为每行一个校验公钥（名称+指纹+公钥，类型 4）",
        "witness keys are expected as verifier keys of type 4, one a line (name+hash+key)",
    )


def _log_unreadable() -> TrustError:
    return TrustError(
        "log-key-unreadable",
        "账本公钥应为每行一个校验公钥（名称+指纹+公钥）",
        "log keys are expected as verifier keys, one a line (origin+hash+key)",
    )


def _bytes_of(path: Path, limit: int = LONGEST) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise TrustError(
            "trust-file-unreadable", f"无法读取 {path}：{error.strerror}", f"cannot read {path}: {error.strerror}"
        ) from error
    if len(data) > limit:
        raise TrustError("trust-file-too-large", f"{path} 超过 {limit} 字节", f"{path} has more than {limit} bytes")
    return data
