"""The extension of a seal certificate: what the seal may be used under, and which log must know its use."""

import re
from dataclasses import asdict, dataclass

from asn1crypto import core
from cryptography import x509

from authority import oids
from authority.errors import UNREADABLE, BindingError, ProfileError

VERSION = 1
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST_TEXT = 512  # characters
_LONGEST_EXTENSION = 16 * 1024  # bytes: room for six such texts of four bytes a character


@dataclass(frozen=True, slots=True, kw_only=True)
class SealBinding:
    """What a seal certificate says beyond names and dates.

    ``agreement`` is the agreement's number, ``terms_digest`` its canonical terms (``sha256:<hex>``),
    ``grantor_code`` and ``grantee_code`` the organs' 统一社会信用代码 (GB 32100), ``seal_name`` the whole
    name. ``log_key_hash`` is ``sha256:<hex>`` over the log key's SubjectPublicKeyInfo, DER. Raises
    :class:`ProfileError` when made with anything else.
    """

    agreement: str
    agreement_version: int
    terms_digest: str
    grantor_code: str
    grantee_code: str
    grantee_name: str
    seal_name: str
    seal_number: int
    log_origin: str
    log_key_hash: str

    def __post_init__(self) -> None:
        for name in _TEXTS:
            _check_text(name, getattr(self, name))
        for name in ("agreement_version", "seal_number"):
            _check_number(name, getattr(self, name))
        for name in ("terms_digest", "log_key_hash"):
            _check_digest(name, getattr(self, name))

    def to_der(self) -> bytes:
        """The extension's value, DER; the schema is in ``docs/oids.md``."""
        encoded: bytes = _SealBinding({"version": VERSION, **asdict(self)}).dump()
        return encoded

    @classmethod
    def from_der(cls, value: bytes) -> "SealBinding":
        """The inverse of :meth:`to_der`. Raises :class:`BindingError`."""
        if len(value) > _LONGEST_EXTENSION:
            raise _malformed(f"{len(value)} bytes, at most {_LONGEST_EXTENSION}")
        try:
            fields = dict(_SealBinding.load(value, strict=True).native)
            version = fields.pop("version")
            binding = cls(**fields) if version == VERSION else None
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError, ProfileError) as problem:
            raise _malformed(type(problem).__name__) from problem
        if binding is None:
            raise BindingError(
                "binding-version",
                f"印章扩展的版本为 {version}，应为 {VERSION}",
                f"the seal extension has version {version}, expected {VERSION}",
            )
        if binding.to_der() != value:
            raise _malformed("not DER")
        return binding


# asn1crypto carries no types, so its classes look like Any to the type checker.
class _SealBinding(core.Sequence):  # type: ignore[misc]  # untyped library
    _fields = [  # noqa: RUF012  asn1crypto reads this name and form
        ("version", core.Integer),
        ("agreement", core.UTF8String),
        ("agreement_version", core.Integer),
        ("terms_digest", core.UTF8String),
        ("grantor_code", core.UTF8String),
        ("grantee_code", core.UTF8String),
        ("grantee_name", core.UTF8String),
        ("seal_name", core.UTF8String),
        ("seal_number", core.Integer),
        ("log_origin", core.UTF8String),
        ("log_key_hash", core.UTF8String),
    ]


_TEXTS = ("agreement", "grantor_code", "grantee_code", "grantee_name", "seal_name", "log_origin")


def read_binding(certificate: x509.Certificate) -> SealBinding | None:
    """The seal extension of ``certificate``, or None where it has none. Raises :class:`BindingError`."""
    try:
        extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(oids.SEAL_BINDING))
    except x509.ExtensionNotFound:
        return None
    except UNREADABLE as problem:
        raise _malformed(type(problem).__name__) from problem
    return SealBinding.from_der(extension.value.public_bytes())


def _malformed(found: str) -> BindingError:
    return BindingError(
        "binding-malformed",
        f"印章扩展的编码不符合格式：{found}",
        f"the seal extension is not in its format: {found}",
    )


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TEXT or not value.isprintable():
        raise ProfileError(
            "binding-text",
            f"{name} 为 {value!r:.80}，应为 1 至 {_LONGEST_TEXT} 个可显示字符",
            f"{name} is {value!r:.80}, expected 1 to {_LONGEST_TEXT} printable characters",
        )


def _check_number(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
        raise ProfileError(
            "binding-number",
            f"{name} 为 {value!r:.80}，应为正整数",
            f"{name} is {value!r:.80}, expected a positive integer below 2^31",
        )


def _check_digest(name: str, value: object) -> None:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ProfileError(
            "binding-digest",
            f"{name} 为 {value!r:.80}，应为 sha256: 加 64 位小写十六进制",
            f"{name} is {value!r:.80}, expected sha256: and 64 lower-case hexadecimal digits",
        )
