"""Whether a certificate leads to a root we trust: plain path validation after RFC 5280 section 6.

Simple on purpose: one path, given in order; no name constraints or policy mapping (a critical extension
we do not process is a problem, never ignored); no revocation, which :mod:`authority.revocation` answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from authority.errors import UNREADABLE

# Longer than any real one; keeps a hostile file from making us check signatures for ever.
LONGEST_CHAIN = 8

_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CRL_DISTRIBUTION_POINTS,
}

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason why a chain is not accepted: stable ``code``, what was found and expected in zh and en."""

    code: str
    zh: str
    en: str


def check_chain(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at: datetime) -> list[Problem]:
    """Every problem of ``chain`` (leaf first, root left out or last) at the time ``at``; [] means sound.

    The leaf must be allowed to sign documents (digitalSignature or contentCommitment). ``roots`` are
    trusted as keys with names; their validity counts too (shell model).
    """
    if not 1 <= len(chain) <= LONGEST_CHAIN:
        return [
            Problem(
                code="chain-length",
                zh=f"证书链有 {len(chain)} 张证书，应为 1 至 {LONGEST_CHAIN} 张",
                en=f"the chain has {len(chain)} certificates, expected 1 to {LONGEST_CHAIN}",
            )
        ]
    root = _root_of(chain[-1], roots)
    path = list(chain) if root is None or chain[-1] == root else [*chain, root]
    problems = [problem for certificate in path for problem in _alone(certificate, at)]
    problems += _leaf(path[0])
    for depth, (subject, issuer) in enumerate(pairwise(path)):
        problems += _link(subject, issuer)
        problems += _issuing(issuer, authorities_below=_authorities(path[1 : depth + 1]))
    if root is None:
        problems.append(_unknown_root(chain[-1]))
    return problems


def issued_by(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the names match and the key of ``issuer`` made the signature on ``subject``.

    Signatures over MD5 or SHA-1 digests do not count: the library refuses them, and a test holds it to that.
    """
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def show(name: x509.Name) -> str:
    """A distinguished name for a message, without control characters."""
    return "".join(each if each.isprintable() else "�" for each in name.rfc4514_string())


def _root_of(last: x509.Certificate, roots: Sequence[x509.Certificate]) -> x509.Certificate | None:
    if last in roots:
        return last
    return next((root for root in roots if issued_by(last, root)), None)


def _authorities(certificates: Sequence[x509.Certificate]) -> int:
    """How many count against a path length: self-issued certificates do not (RFC 5280 4.2.1.9)."""
    return sum(each.subject != each.issuer for each in certificates)


def _alone(certificate: x509.Certificate, at: datetime) -> Iterator[Problem]:
    """What can be said of one certificate without its neighbours."""
    subject = show(certificate.subject)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= at <= last:
        yield Problem(
            code="not-yet-valid" if at < first else "expired",
            zh=f"证书 {subject} 的有效期为 {first:%F %T} 至 {last:%F %T}（UTC），所查时间为 {at:%F %T%z}",
            en=f"certificate {subject} is valid from {first:%F %T} to {last:%F %T} UTC, not at {at:%F %T%z}",
        )
    try:
        unknown = [each.oid for each in certificate.extensions if each.critical and each.oid not in _UNDERSTOOD]
    except UNREADABLE:
        yield Problem(
            code="extensions-malformed",
            zh=f"证书 {subject} 的扩展无法读取",
            en=f"the extensions of certificate {subject} cannot be read",
        )
        return
    for oid in unknown:
        yield Problem(
            code="critical-extension",
            zh=f"证书 {subject} 含有未能识别的关键扩展 {oid.dotted_string}",
            en=f"certificate {subject} has a critical extension that is not understood: {oid.dotted_string}",
        )


def _leaf(leaf: x509.Certificate) -> Iterator[Problem]:
    usage = _extension(leaf, x509.KeyUsage)
    if usage is None or not (usage.digital_signature or usage.content_commitment):
        yield Problem(
            code="leaf-key-usage",
            zh=f"证书 {show(leaf.subject)} 的密钥用法不含数字签名或抗抵赖",
            en=f"the key usage of certificate {show(leaf.subject)} has neither digitalSignature nor contentCommitment",
        )
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield Problem(
            code="leaf-is-authority",
            zh=f"证书 {show(leaf.subject)} 是签发机构证书，应为最终实体证书",
            en=f"certificate {show(leaf.subject)} is an authority's, expected an end entity's",
        )


def _link(subject: x509.Certificate, issuer: x509.Certificate) -> Iterator[Problem]:
    if not issued_by(subject, issuer):
        yield Problem(
            code="not-issued-by",
            zh=f"证书 {show(subject.subject)} 不是由 {show(issuer.subject)} 签发的",
            en=f"certificate {show(subject.subject)} was not issued by {show(issuer.subject)}",
        )


def _issuing(issuer: x509.Certificate, *, authorities_below: int) -> Iterator[Problem]:
    name = show(issuer.subject)
    constraints = _extension(issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield Problem(
            code="issuer-not-authority",
            zh=f"证书 {name} 不是签发机构证书（basicConstraints）",
            en=f"certificate {name} is not an authority's (basicConstraints)",
        )
    elif constraints.path_length is not None and authorities_below > constraints.path_length:
        yield Problem(
            code="path-length",
            zh=f"证书 {name} 之下有 {authorities_below} 级签发机构，最多 {constraints.path_length} 级",
            en=f"{authorities_below} authorities stand below {name}, at most {constraints.path_length} may",
        )
    usage = _extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield Problem(
            code="issuer-key-usage",
            zh=f"证书 {name} 的密钥用法不含签发证书（keyCertSign）",
            en=f"the key usage of certificate {name} lacks keyCertSign",
        )


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *UNREADABLE):  # malformed ones are reported by _alone
        return None


def _unknown_root(last: x509.Certificate) -> Problem:
    return Problem(
        code="unknown-root",
        zh=f"证书链止于 {show(last.subject)}，其签发者 {show(last.issuer)} 不在受信任的根证书之中",
        en=f"the chain ends at {show(last.subject)}, whose issuer {show(last.issuer)} is no trusted root",
    )
