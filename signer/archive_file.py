"""The two steps around a document time-stamp: measure what it is to cover, and embed the token.

As in :mod:`signer.seal_file`: the file is read once, and no PDF is parsed.
"""

from dataclasses import dataclass
from pathlib import Path

from signer.byte_layout import Layout
from signer.cms import require_der
from signer.prepared_file import PreparedFile, fill, read_prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedArchive:
    """A measured file that waits for its document time-stamp."""

    file: PreparedFile

    @property
    def digest(self) -> bytes:
        """SHA-256 of the ByteRange: what the token must be for (EN 319 142-1 5.4.3)."""
        return self.file.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """A file with its new document time-stamp. ``digest`` is the SHA-256 of all its bytes."""

    path: Path
    digest: bytes
    length: int


def measure_archive(target: Path, layout: Layout, *, source_digest: bytes) -> PreparedArchive:
    """Read the file that ``signer.desk.extend_document`` wrote and say what the token must cover.

    ``source_digest`` is the SHA-256 of the sealed file that was extended: whoever extended it is not trusted with its
    bytes. Raises ``PreparedFileError``: ``layout-mismatch``, ``source-changed``.
    """
    return PreparedArchive(file=read_prepared(target, layout, source_digest))


def embed_archive(prepared: PreparedArchive, token: bytes) -> ArchivedFile:
    """Write the RFC 3161 TimeStampToken (DER) into its place; whether it is a good one is for the caller to know.

    Raises ``ReserveOverflowError`` (``reserve-overflow``) and ``SignerError`` (``token-unreadable``) and leaves the
    file as it was.
    """
    require_der(token)
    return ArchivedFile(path=prepared.file.path, digest=fill(prepared.file, token), length=prepared.file.layout.length)
