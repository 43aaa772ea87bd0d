"""What a verifier will need in ten years: certificates and revocation data for a seal and for its time-stamp.

All of it is fetched, and held against the certificates it is for, before a seal's key is used; it goes into the same
revision as the signature (ISO 32000-2 12.8.4.3, ETSI EN 319 142-1 5.4.2). Certificates of the embedded authority are
answered from here; those of others at the configured addresses only, never at one that a certificate names.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from threading import Lock
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from authority.errors import AuthorityError, RevocationListError
from authority.ocsp_response import OcspAnswer, read_response
from authority.revocation import RevocationList, read_crl
from keystore.interface import KeystoreError
from ledger.errors import LedgerError
from outbound.client import OutboundClient
from outbound.errors import OutboundError
from registry.errors import RegistryError
from registry.records import SealKey
from registry.store import Stored
from sealing.errors import ConflictError, InstallationError, UnavailableError
from sealing.ocsp import answer_for
from sealing.outside_services import outbound_client, read_roots
from sealing.revocation import crl, root_crl
from sealing.settings import Settings
from sealing.time_stamping import Path, build_path, unavailable
from sealing.workshop import Workshop

_LONGEST_LIST: Final = 20_000_000
_SECONDS: Final = 8.0
_NONCE_BYTES: Final = 16
_CAUSES: Final = (AuthorityError, KeystoreError, LedgerError, OutboundError, RegistryError, InstallationError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationData:
    """DER of certificates, revocation lists and OCSP responses, each once."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def to_json(self) -> dict[str, list[str]]:
        """As ``signer.desk`` takes it."""
        return {
            "certificates": [b64encode(each).decode() for each in self.certificates],
            "crls": [b64encode(each).decode() for each in self.crls],
            "ocsps": [b64encode(each).decode() for each in self.ocsps],
        }


@dataclass(slots=True)
class _Found:
    """What has been gathered, in order, without repetition."""

    certificates: dict[bytes, None] = field(default_factory=dict)
    crls: dict[bytes, None] = field(default_factory=dict)
    ocsps: dict[bytes, None] = field(default_factory=dict)

    def data(self) -> ValidationData:
        return ValidationData(certificates=tuple(self.certificates), crls=tuple(self.crls), ocsps=tuple(self.ocsps))


def for_seal(shop: Workshop, key: Stored[SealKey], unit: Path, now: datetime) -> ValidationData:
    """Everything for a seal's certificate and for the time-stamp unit whose path is ``unit``.

    Raises :class:`UnavailableError` ``revocation-unavailable`` for what cannot be had now, :class:`ConflictError`
    ``certificate-revoked`` when an outside authority says that a certificate no longer holds.
    """
    chain = [x509.load_der_x509_certificate(each) for each in map(b64decode, key.record.chain)]
    found, own = _Found(), _own_roots(shop)
    path = build_path(chain[0], chain[1:], (*own, *read_roots(shop.settings.licensed_roots)))
    try:
        if path[-1] in own:
            found.ocsps[answer_for(shop, path[0], now)] = None
        _gather(shop, path, found, now)
        _gather(shop, unit, found, now)
    except _CAUSES as error:
        raise unavailable("revocation-unavailable", error) from error
    return found.data()


def for_time_stamps(shop: Workshop, units: Iterable[Path], now: datetime) -> ValidationData:
    """Everything for these time-stamp units: what an archive time-stamp is to protect. Raises as :func:`for_seal`."""
    found = _Found()
    try:
        for unit in units:
            _gather(shop, unit, found, now)
    except _CAUSES as error:
        raise unavailable("revocation-unavailable", error) from error
    return found.data()


def _own_roots(shop: Workshop) -> Path:
    return (shop.installation.root_certificate,)


def _gather(shop: Workshop, path: Sequence[x509.Certificate], found: _Found, now: datetime) -> None:
    found.certificates |= dict.fromkeys(each.public_bytes(Encoding.DER) for each in path)
    if path[-1] in _own_roots(shop):
        # The unit's certificate and every seal's are on the issuer's list, the issuer's on the root's.
        found.crls |= {crl(shop, now): None, root_crl(shop, now): None}
        return
    for subject, issuer in pairwise(path):
        _outside(shop.settings).cover(subject, issuer, found, now)


@dataclass(slots=True, kw_only=True)
class _Outside:
    """Revocation services of other authorities, under configured addresses. Shared by threads."""

    client: OutboundClient
    lists: tuple[str, ...]
    responder: str
    _fetched: dict[str, bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def cover(self, subject: x509.Certificate, issuer: x509.Certificate, found: _Found, now: datetime) -> None:
        """Add the current word of ``issuer`` on ``subject``: its list, or else its responder's answer."""
        for url in self.lists:
            der = self._list(url, issuer, now)
            if der is not None:
                _refuse_revoked(subject, revoked=subject.serial_number in read_crl(der, issuer).revoked)
                found.crls[der] = None
                return
        if not self.responder:
            raise UnavailableError(
                "revocation-source-missing",
                f"没有配置可查询证书 {subject.serial_number:x} 的吊销列表或 OCSP 地址",
                f"no configured list or responder tells of the certificate {subject.serial_number:x}",
            )
        der, answer = self._ask(subject, issuer, now)
        _refuse_revoked(subject, revoked=answer.status == "revoked")
        found.ocsps[der] = None
        found.certificates[answer.responder.public_bytes(Encoding.DER)] = None

    def _list(self, url: str, issuer: x509.Certificate, now: datetime) -> bytes | None:
        """The list under ``url`` if it is this issuer's; kept until its next update. Raises when it is not current."""
        with self._lock:
            der = self._fetched.get(url)
        if der is None or not _current(der, issuer, now):
            der = self.client.get(url, longest=_LONGEST_LIST).body
            with self._lock:
                self._fetched[url] = der
        try:
            read = read_crl(der, issuer)
        except RevocationListError as error:
            if error.code == "crl-issuer":  # another authority's, configured for other certificates
                return None
            raise
        if not read.current(now):
            raise UnavailableError(
                "revocation-list-stale",
                f"吊销列表的有效期为 {read.this_update:%F %T} 至 {read.next_update:%F %T}（UTC）",
                f"the revocation list speaks for {read.this_update:%F %T} to {read.next_update:%F %T} UTC",
            )
        return der

    def _ask(self, subject: x509.Certificate, issuer: x509.Certificate, now: datetime) -> tuple[bytes, OcspAnswer]:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        builder = ocsp.OCSPRequestBuilder().add_certificate(subject, issuer, hashes.SHA256())
        request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
        der = self.client.post(
            self.responder, request.public_bytes(Encoding.DER), media_type="application/ocsp-request"
        ).body
        for answer in read_response(der, issuer):
            fits = answer.serial == subject.serial_number and answer.nonce in {None, nonce} and answer.current(now)
            if fits and answer.status != "unknown":
                return der, answer
        raise UnavailableError(
            "ocsp-no-answer",
            f"OCSP 没有对证书 {subject.serial_number:x} 给出当前有效的答复",
            f"the responder gave no current answer about the certificate {subject.serial_number:x}",
        )


def _current(der: bytes, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        read: RevocationList = read_crl(der, issuer)
    except RevocationListError as error:
        return error.code == "crl-issuer"
    return read.current(now)


@lru_cache(maxsize=8)
def _outside(settings: Settings) -> _Outside:
    addresses = [*settings.revocation_urls, *([settings.ocsp_url] if settings.ocsp_url else [])]
    return _Outside(
        client=outbound_client(settings, addresses, seconds=_SECONDS),
        lists=settings.revocation_urls,
        responder=settings.ocsp_url,
    )


def _refuse_revoked(subject: x509.Certificate, *, revoked: bool) -> None:
    if revoked:
        raise ConflictError(
            "certificate-revoked",
            f"签发机构已吊销证书 {subject.serial_number:x}，不能再使用",
            f"its authority has revoked the certificate {subject.serial_number:x}; it is not used any more",
        )
