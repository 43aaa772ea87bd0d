"""The two steps around the key: measure what is to be signed, and embed the signature.

The file is read once. No PDF is parsed here, so this may stand beside keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from signer.byte_layout import Layout
from signer.cms import longest_signed_data, signed_attributes, signed_data, verify_signature
from signer.errors import ReserveOverflowError
from signer.prepared_file import PreparedFile, check_reserve, fill, read_prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A measured file. ``to_be_signed`` is the message for the key; ``chain`` is DER, the signer's first.

    ``token_reserve`` bytes are kept for a time-stamp token.
    """

    file: PreparedFile
    to_be_signed: bytes
    chain: tuple[bytes, ...]
    algorithm: str
    token_reserve: int

    @property
    def path(self) -> Path:
        """The prepared file."""
        return self.file.path

    @property
    def layout(self) -> Layout:
        """Where things lie in it."""
        return self.file.layout

    @property
    def source_digest(self) -> bytes:
        """SHA-256 of the approved prefix."""
        return self.file.source_digest

    @property
    def byte_range_digest(self) -> bytes:
        """SHA-256 of what the signature covers."""
        return self.file.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A sealed file. Digests are SHA-256: of all its bytes, of the approved prefix, of its ByteRange."""

    path: Path
    digest: bytes
    length: int
    source_digest: bytes
    source_length: int
    byte_range_digest: bytes


def measure(
    target: Path,
    layout: Layout,
    *,
    source_digest: bytes,
    chain: Sequence[bytes],
    algorithm: str,
    token_reserve: int = 0,
) -> Prepared:
    """Read the prepared file once and say what the key must sign.

    ``source_digest`` is the SHA-256 of the approved bytes, ``algorithm`` that of the key, ``token_reserve`` the
    longest time-stamp token in bytes that may be embedded beside the signature, 0 for none. Raises
    ``PreparedFileError`` (``layout-mismatch``, ``source-changed``), ``ReserveOverflowError`` and
    ``SignerError`` (``certificate-unreadable``, ``algorithm-unknown``), all before any key is used.
    """
    file = read_prepared(target, layout, source_digest)
    attributes = signed_attributes(file.digest, chain[0])
    check_reserve(longest_signed_data(tuple(chain), algorithm, token_reserve))
    return Prepared(
        file=file, to_be_signed=attributes, chain=tuple(chain), algorithm=algorithm, token_reserve=token_reserve
    )


def check_signature(prepared: Prepared, signature: bytes) -> None:
    """Check ``signature`` with the certificate's key: before a time-stamp is asked for it.

    Raises ``SignatureMismatchError``.
    """
    verify_signature(signature, prepared.to_be_signed, prepared.chain[0], prepared.algorithm)


def embed(prepared: Prepared, signature: bytes, token: bytes | None = None) -> SealedFile:
    """Check ``signature`` with the certificate's key, then write it into its place.

    ``token`` is an RFC 3161 TimeStampToken (DER) over the signature value; it becomes the unsigned attribute of
    EN 319 122-1 5.3, and whether it is a good one is for the caller to know. Raises ``SignatureMismatchError``,
    ``ReserveOverflowError`` (``token-too-long``) and ``SignerError`` (``token-unreadable``) and leaves the file as
    it was.
    """
    check_signature(prepared, signature)
    if token is not None and len(token) > prepared.token_reserve:
        raise ReserveOverflowError(
            "token-too-long",
            f"时间戳令牌长 {len(token)} 字节，预留 {prepared.token_reserve} 字节",
            f"the time-stamp token has {len(token)} bytes, reserved are {prepared.token_reserve}",
        )
    cms = signed_data(prepared.to_be_signed, signature, prepared.chain, prepared.algorithm, token)
    return SealedFile(
        path=prepared.path,
        digest=fill(prepared.file, cms),
        length=prepared.layout.length,
        source_digest=prepared.source_digest,
        source_length=prepared.layout.source_length,
        byte_range_digest=prepared.byte_range_digest,
    )
