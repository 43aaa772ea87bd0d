"""Validation data in the file: the document security store of ISO 32000-2 12.8.4.3 (EN 319 142-1 5.4.2).

Certificates, revocation lists and OCSP answers, each a stream of its own; no VRI. What a store holds already stays,
and nothing is stored twice.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from zlib import compress

from pikepdf import Array, Dictionary, Object, Stream

from signer.errors import SignerError
from signer.form import changed
from signer.structure import Structure
from signer.update import Update


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationData:
    """What a verifier needs besides the signature. DER of X.509 certificates, CRLs, and OCSPResponses."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "ValidationData":
        """From lists of base64 under ``certificates``, ``crls`` and ``ocsps``.

        Raises :class:`SignerError` (``validation-data-malformed``).
        """
        if set(value) - {"certificates", "crls", "ocsps"}:
            raise _malformed(", ".join(sorted(value)))
        return cls(**{name: tuple(_decoded(name, each)) for name, each in value.items()})


def _decoded(name: str, listed: object) -> Iterator[bytes]:
    if not isinstance(listed, list):
        raise _malformed(name)
    for each in listed:
        try:
            yield b64decode(each, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise _malformed(name) from error


def store(structure: Structure, update: Update, data: ValidationData) -> dict[str, bytes]:
    """Add a security store that holds ``data`` to the update, or extend the one that is there.

    Answers what the catalog must say about it: nothing where nothing is new there.
    """
    existing = structure.catalog.get("/DSS")
    lists = {"/Certs": data.certificates, "/CRLs": data.crls, "/OCSPs": data.ocsps}
    held = existing if isinstance(existing, Dictionary) else Dictionary()
    changes = {key: each for key, values in lists.items() if (each := _extended(update, held.get(key), values))}
    if not changes:
        return {}
    if not isinstance(existing, Dictionary):
        listed = b" ".join(b"%s %s" % (key.encode(), value) for key, value in changes.items())
        return {"/DSS": update.add(b"<< /Type /DSS %s >>" % listed)}
    if existing.is_indirect:
        update.replace(existing, changed(existing, changes))
        return {}
    return {"/DSS": changed(existing, changes)}


def _extended(update: Update, existing: Object | None, values: tuple[bytes, ...]) -> bytes | None:
    """The array with what it lacks of ``values`` added; None when it lacks nothing."""
    held = [each for each in existing if isinstance(each, Stream)] if isinstance(existing, Array) else []
    known = {each.read_bytes() for each in held}
    new = [value for value in dict.fromkeys(values) if value not in known]
    if not new:
        return None
    added = [update.add_stream(b"", deflated(value), deflated=True) for value in new]
    return b"[%s]" % b" ".join([*(each.unparse() for each in held), *added])


@lru_cache(maxsize=256)
def deflated(value: bytes) -> bytes:
    """Compressed once: issuers and responders are the same from seal to seal."""
    return compress(value)


def _malformed(found: str) -> SignerError:
    return SignerError(
        "validation-data-malformed",
        f"验证数据 {found} 不符合要求，应为 certificates、crls、ocsps 三个 base64 列表",
        f"validation data {found} is malformed, expected lists of base64 under certificates, crls and ocsps",
    )
