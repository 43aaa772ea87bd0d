"""Validation data that a PDF brings along: the document security store (ISO 32000-2 12.8.4.3, EN 319 142-1 5.4.2).

It is trusted only as far as an issuer signed it; nothing that it names is ever fetched.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader

from verify.signature_reading import PARSER_ERRORS

_MOST = 500
"""Certificates, lists or answers of each kind: a file that has more is not read further."""
_LONGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityStore:
    """What stands in ``/DSS``: certificates, revocation lists and answers, DER. ``unreadable`` counts the rest."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    unreadable: int = 0

    @property
    def present(self) -> bool:
        """Whether anything stands in it."""
        return bool(self.certificates or self.crls or self.ocsps)


def read_store(root: Any) -> SecurityStore:  # noqa: ANN401  pyHanko's own object
    """The store that the document catalog ``root`` names; an empty one where there is none or it is no dictionary."""
    try:
        store = _member(root, "/DSS", {})
        parts = {name: list(_streams(store, name)) for name in ("/Certs", "/CRLs", "/OCSPs")}
    except PARSER_ERRORS:
        return SecurityStore(unreadable=1)
    certificates = [_certificate(each) for each in parts["/Certs"]]
    missing = sum(each is None for part in (certificates, parts["/CRLs"], parts["/OCSPs"]) for each in part)
    return SecurityStore(
        certificates=tuple(each for each in certificates if each is not None),
        crls=tuple(each for each in parts["/CRLs"] if each is not None),
        ocsps=tuple(each for each in parts["/OCSPs"] if each is not None),
        unreadable=missing,
    )


def store_then(reader: PdfFileReader, revision: int) -> SecurityStore:
    """The store as it stood in ``revision``."""
    try:
        if revision == reader.xrefs.total_revisions - 1:
            return read_store(reader.root)
        return read_store(reader.get_historical_resolver(revision).root)
    except PARSER_ERRORS:
        return SecurityStore(unreadable=1)


def _member(dictionary: Any, name: str, absent: Any) -> Any:  # noqa: ANN401  pyHanko's own objects
    """By [] pyHanko follows a reference, by ``get`` it does not."""
    try:
        return dictionary[name]
    except KeyError:
        return absent


def _streams(store: Any, name: str) -> Iterator[bytes | None]:  # noqa: ANN401  pyHanko's own object
    for stream in list(_member(store, name, ()))[:_MOST]:
        try:
            data: bytes = stream.get_object().data
        except PARSER_ERRORS:
            yield None
            continue
        yield data if len(data) <= _LONGEST else None


def _certificate(data: bytes | None) -> x509.Certificate | None:
    try:
        return None if data is None else x509.load_der_x509_certificate(data)
    except PARSER_ERRORS:
        return None
