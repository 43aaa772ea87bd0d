"""Certificate revocation lists: made by the embedded authority, read from any (RFC 5280 section 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from asn1crypto import crl as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from authority.chain import show
from authority.errors import UNREADABLE, ProfileError, RevocationListError
from authority.issue import (
    CertifiedKey,
    check_signs_for,
    encode_extension,
    encode_time,
    load_public_key,
    signature_algorithm,
    wrong_signature,
)
from keystore.interface import Permit, SigningKey

Reason = Literal[
    "unspecified",
    "key_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "privilege_withdrawn",
]
"""RFC 5280 5.3.1; ``certificate_hold`` is the only one that can be taken back."""

LONGEST_LIFE = timedelta(hours=24)
_MOST_NUMBER = 2**159  # RFC 5280 5.2.3: at most 20 octets
_FLAGS: dict[Reason, x509.ReasonFlags] = {reason: x509.ReasonFlags[reason] for reason in get_args(Reason)}
REASONS = {flag: reason for reason, flag in _FLAGS.items()}
"""Reasons by the flags of ``cryptography``; others there are read as unspecified."""
_UNDERSTOOD = {
    x509.CRLNumber.oid,
    x509.AuthorityKeyIdentifier.oid,
    x509.CRLReason.oid,
    x509.InvalidityDate.oid,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """One certificate that no longer holds, since when (aware, whole seconds are kept), and why.

    ``invalid_since`` is when it ceased to be trusted, where that is known to be before it was revoked (RFC 5280 5.3.2).
    """

    serial: int
    time: datetime
    reason: Reason
    invalid_since: datetime | None = None

    @property
    def effective(self) -> datetime:
        """Since when it is not to be trusted: the earlier of the two."""
        return self.time if self.invalid_since is None else min(self.time, self.invalid_since)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list that its issuer signed. ``number`` is None where an outside authority gives none."""

    number: int | None
    this_update: datetime
    next_update: datetime
    revoked: Mapping[int, Revoked]  # by serial

    def current(self, at: datetime) -> bool:
        """Whether the list speaks for the time ``at``; a stale list proves nothing."""
        return self.this_update <= at <= self.next_update


def make_crl(
    issuer_cert: x509.Certificate,
    issuer_key: SigningKey,
    revoked: Sequence[Revoked],
    *,
    number: int,
    now: datetime,
    next_update: datetime,
    longest: timedelta = LONGEST_LIFE,
) -> bytes:
    """A complete revocation list, DER, signed with one use of ``issuer_key``.

    ``number`` must be above that of every earlier list (the caller keeps it); ``next_update`` is at most
    ``longest`` after ``now``: 24 hours, more only for a root whose key is offline. Raises :class:`ProfileError`,
    :class:`IssuedSignatureError`, :class:`keystore.interface.KeystoreError`.
    """
    check_signs_for(issuer_cert, issuer_key)
    _check_times(revoked, now, next_update, longest)
    _check_numbers(revoked, number)
    algorithm = signature_algorithm(issuer_key)
    frame = asn1.TbsCertList(
        {
            "version": "v2",
            "signature": algorithm,
            "issuer": asn1_x509.Name.load(issuer_cert.subject.public_bytes()),
            "this_update": encode_time(now),
            "next_update": encode_time(next_update),
            # RFC 5280 5.1.2.6: absent, not empty, when nothing is revoked
            "revoked_certificates": [_entry(each) for each in revoked] or None,
            "crl_extensions": [
                encode_extension(_key_id(issuer_cert), critical=False),
                encode_extension(x509.CRLNumber(number), critical=False),
            ],
        }
    )
    to_be_signed: bytes = frame.dump()
    signature = issuer_key.sign(Permit.to_sign(issuer_key, to_be_signed), to_be_signed)
    whole: bytes = asn1.CertificateList(
        {"tbs_cert_list": frame, "signature_algorithm": algorithm, "signature": signature}
    ).dump()
    if not x509.load_der_x509_crl(whole).is_signature_valid(load_public_key(issuer_key.public_key)):
        raise wrong_signature(issuer_key)
    return whole


def read_crl(der: bytes, issuer_cert: x509.Certificate) -> RevocationList:
    """The list in ``der`` if ``issuer_cert`` signed it; :meth:`RevocationList.current` tells its age.

    Raises :class:`RevocationListError`: not a list, of another issuer, wrong signature, no end, or a
    critical extension that changes its meaning (delta, indirect, partial lists are not read).
    """
    try:
        found = x509.load_der_x509_crl(der)
        if found.issuer != issuer_cert.subject:
            raise RevocationListError(
                "crl-issuer",
                f"吊销列表由 {show(found.issuer)} 签发，应为 {show(issuer_cert.subject)}",
                f"the revocation list is by {show(found.issuer)}, expected {show(issuer_cert.subject)}",
            )
        _check_signature(found, der, issuer_cert)
        _check_critical(found)
        revoked = {each.serial_number: _read_entry(each) for each in found}
        numbers = [each.value.crl_number for each in found.extensions if isinstance(each.value, x509.CRLNumber)]
    except (*UNREADABLE, x509.ExtensionNotFound, UnsupportedAlgorithm, TypeError) as problem:
        raise RevocationListError(
            "crl-malformed", "吊销列表无法读取", "the revocation list cannot be read"
        ) from problem
    if found.next_update_utc is None:
        raise RevocationListError("crl-endless", "吊销列表没有下次更新时间", "the revocation list has no next update")
    return RevocationList(
        number=numbers[0] if numbers else None,
        this_update=found.last_update_utc,
        next_update=found.next_update_utc,
        revoked=revoked,
    )


def _key_id(issuer_cert: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    key_id = issuer_cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)


def _entry(revoked: Revoked) -> dict[str, object]:
    entry: dict[str, object] = {
        "user_certificate": revoked.serial,
        "revocation_date": encode_time(revoked.time),
    }
    extensions: list[x509.ExtensionType] = []
    if revoked.reason != "unspecified":  # RFC 5280 5.3.1: left out rather than said
        extensions.append(x509.CRLReason(_FLAGS[revoked.reason]))
    if revoked.invalid_since is not None:
        extensions.append(x509.InvalidityDate(revoked.invalid_since.replace(microsecond=0)))
    if extensions:
        entry["crl_entry_extensions"] = [encode_extension(each, critical=False) for each in extensions]
    return entry


def _read_entry(entry: x509.RevokedCertificate) -> Revoked:
    reasons = [each.value.reason for each in entry.extensions if isinstance(each.value, x509.CRLReason)]
    since = [each.value.invalidity_date_utc for each in entry.extensions if isinstance(each.value, x509.InvalidityDate)]
    if any(each.critical and each.oid not in _UNDERSTOOD for each in entry.extensions):
        raise _not_understood()
    return Revoked(
        serial=entry.serial_number,
        time=entry.revocation_date_utc,
        reason=REASONS.get(reasons[0], "unspecified") if reasons else "unspecified",
        invalid_since=since[0] if since else None,
    )


def _check_signature(found: x509.CertificateRevocationList, der: bytes, issuer_cert: x509.Certificate) -> None:
    key = issuer_cert.public_key()
    usage = issuer_cert.extensions.get_extension_for_class(x509.KeyUsage).value
    # the count of unused bits before the signature is outside what is signed: RFC 5280 4.1.1.3 leaves it 0
    whole = der.endswith(b"\x00" + found.signature)
    if not (whole and usage.crl_sign and isinstance(key, CertifiedKey) and found.is_signature_valid(key)):
        raise RevocationListError(
            "crl-signature",
            f"吊销列表的签名不是 {show(issuer_cert.subject)} 作出的",
            f"the signature on the revocation list is not by {show(issuer_cert.subject)}",
        )


def _check_critical(found: x509.CertificateRevocationList) -> None:
    if any(each.critical and each.oid not in _UNDERSTOOD for each in found.extensions):
        raise _not_understood()


def _not_understood() -> RevocationListError:
    return RevocationListError(
        "crl-critical-extension",
        "吊销列表含有未能识别的关键扩展，无法判定其范围",
        "the revocation list has a critical extension that is not understood, so its scope is unknown",
    )


def _check_times(revoked: Sequence[Revoked], now: datetime, next_update: datetime, longest: timedelta) -> None:
    if not timedelta(0) < next_update - now <= longest:
        raise ProfileError(
            "crl-life",
            f"吊销列表的有效时间为 {next_update - now}，应大于 0 且不超过 {longest}",
            f"the revocation list would hold for {next_update - now}, expected at most {longest}",
        )
    for each in revoked:
        if each.time > now:
            raise ProfileError(
                "crl-future",
                f"证书 {each.serial:x} 的吊销时间 {each.time:%F %T%z} 晚于列表时间 {now:%F %T%z}",
                f"certificate {each.serial:x} is revoked at {each.time:%F %T%z}, after the list",
            )


def _check_numbers(revoked: Sequence[Revoked], number: int) -> None:
    if not 0 < number < _MOST_NUMBER:
        raise ProfileError(
            "crl-number",
            f"吊销列表编号 {number} 应为正整数",
            f"the list's number is {number}, expected above 0",
        )
    if len({each.serial for each in revoked}) != len(revoked):
        raise ProfileError(
            "crl-duplicate", "吊销列表中有重复的证书序列号", "a serial stands in the revocation list twice"
        )
