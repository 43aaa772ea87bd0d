"""The path of the signing certificate and its validity: now, and at the best time that is proven."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from authority.certificates import is_embedded
from authority.chain import Problem
from authority.errors import UNREADABLE
from authority.names import authority_name
from authority.service_certificates import PROFILES
from ledger.moments import to_text
from verify.path import Path
from verify.times import CLOCKS_DIFFER, OUT_OF_BOUNDS, OUTSIDE, Proof, Times, held
from verify.verdict import Facts, Finding, doubt, failure, note, warning

_NO_CHAIN = {"unknown-root", "not-issued-by", "chain-length"}
_NOT_FOR_DOCUMENTS = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.OCSP_SIGNING}


def judge_path(path: Path, roots: Sequence[x509.Certificate], *, now: datetime, times: Times) -> tuple[Finding, ...]:
    """Whether the path holds now, or did at the best time that is proven (EN 319 102-1 5.2.6, 5.6.2)."""
    found = held(path, roots, now=now, times=times)
    return (
        *(_as_finding(problem) for problem in found.problems),
        *_for_documents(path.chain[0]),
        *(() if found.by is None else (_ran_out(found.by),)),
    )


def _as_finding(problem: Problem) -> Finding:
    if problem.code in OUT_OF_BOUNDS:
        return doubt("certificate_out_of_bounds", problem.zh, problem.en, "OUT_OF_BOUNDS_NO_POE")
    if problem.code in _NO_CHAIN:
        return doubt("no_trusted_path", problem.zh, problem.en, "NO_CERTIFICATE_CHAIN_FOUND")
    return doubt("path_not_acceptable", problem.zh, problem.en, "CHAIN_CONSTRAINTS_FAILURE")


def _for_documents(signer: x509.Certificate) -> Iterator[Finding]:
    """The keys of time-stamp and revocation services sign no documents (RFC 5280 4.2.1.12)."""
    try:
        usages = set(signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return
    if usages <= _NOT_FOR_DOCUMENTS:
        yield doubt(
            "path_not_acceptable",
            "签名证书只用于时间戳或吊销应答，不用于签署文件",
            "the certificate is for time-stamps or revocation answers, not for documents",
            "CHAIN_CONSTRAINTS_FAILURE",
        )


def _ran_out(by: Proof) -> Finding:
    when = to_text(by.time)
    if by.basis in OUTSIDE:
        return note(
            "certificate_ran_out_since",
            f"证书现已到期；外部证明签名在 {when} 之前已存在，当时有效",
            f"the certificate has expired by now; it is proven from outside that it was used by {when}, when it held",
        )
    return warning(
        "time_rests_on_operator",
        f"证书现已到期；签名在 {when} 之前已存在，仅以运营方自己的时间戳为凭",
        f"the certificate has expired by now; that it was used by {when} only the operator's own time-stamp says",
    )


def judge_times(signer: x509.Certificate, times: Times, now: datetime) -> tuple[Finding, ...]:
    """Whether the certificate held when, by ledger and proofs, it was used (seconds are what certificates know)."""
    return (*_before_it_began(signer, times), *_at_sealing(signer, times.recorded, now))


def _before_it_began(signer: x509.Certificate, times: Times) -> Iterator[Finding]:
    first = signer.not_valid_before_utc
    if times.best is not None and times.best.time < first:
        when = to_text(times.best.time)
        yield failure(
            "sealed_outside_validity",
            f"签名在 {when} 之前已存在，而证书自 {to_text(first)} 起才有效",
            f"the signature existed by {when}, but the certificate holds from {to_text(first)} only",
            "NOT_YET_VALID",
        )


def _at_sealing(signer: x509.Certificate, sealed_at: datetime | None, now: datetime) -> Iterator[Finding]:
    if sealed_at is None:
        return
    first, last = signer.not_valid_before_utc, signer.not_valid_after_utc
    moment = sealed_at.replace(microsecond=0)
    if sealed_at > now + CLOCKS_DIFFER:
        yield doubt(
            "ledger_time_ahead",
            f"台账所记用章时间 {to_text(sealed_at)} 晚于核验时间 {to_text(now)}",
            f"by the ledger sealed at {to_text(sealed_at)}, later than the time of judging, {to_text(now)}",
        )
    elif not first <= moment <= last:
        zh = f"台账所记用章时间 {to_text(sealed_at)} 不在证书有效期 {to_text(first)} 至 {to_text(last)} 之内"
        en = f"by the ledger sealed at {to_text(sealed_at)}, outside {to_text(first)} to {to_text(last)}"
        code = "EXPIRED" if moment > last else "NOT_YET_VALID"
        yield failure("sealed_outside_validity", zh, en, code)


def judge_licence(path: Path) -> tuple[Finding, ...]:
    """What is said of a seal whose certificate an embedded, unlicensed authority issued."""
    if not path.embedded:
        return ()
    return (
        warning(
            "issuer_not_licensed",
            "证书由未获许可的内置机构签发：这是样章，不是法律意义上的电子印章",
            "an embedded authority without a licence issued the certificate: a specimen, no electronic seal in law",
        ),
        note(
            "not_a_national_seal",
            "本印章为 P-256 或 RSA 的 PAdES 签名，尚非国办发〔2025〕33号所指的电子印章（GB/T 38540、SM2、持证机构）",
            "a PAdES signature is not yet an electronic seal as the State Council's 2025 measures mean it"
            " (GB/T 38540, SM2, licensed certificate)",
        ),
    )


def seals_reports(signer: x509.Certificate) -> bool:
    """Whether the certificate is that of a verification service's own seal on its reports.

    It says so by its name only; that an authority we trust issued it must be known besides.
    """
    return is_embedded(signer) and signer.subject == authority_name(PROFILES["report"].name)


def certificate_facts(path: Path, revocation: Facts) -> Facts:
    """The certificate in words."""
    signer = path.chain[0]
    return {
        "subject": show_name(signer.subject),
        "issuer": show_name(signer.issuer),
        "serial": f"{signer.serial_number:x}",
        "not_before": to_text(signer.not_valid_before_utc),
        "not_after": to_text(signer.not_valid_after_utc),
        "path": [show_name(each.subject) for each in path.chain],
        "root": None if path.root is None else show_name(path.root.subject),
        "revocation": dict(revocation),
    }


def signer_facts(signer: x509.Certificate) -> Facts:
    """Who: O and CN of the certificate."""
    return {
        "organisation": _attribute(signer, NameOID.ORGANIZATION_NAME),
        "common_name": _attribute(signer, NameOID.COMMON_NAME),
    }


def _attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    values = [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
    return printable(values[0]) if values else None


def show_name(name: x509.Name) -> str:
    """A distinguished name for people, without control characters."""
    return printable(name.rfc4514_string())


def printable(text: str) -> str:
    """Text of an untrusted file as it may be shown."""
    return "".join(each if each.isprintable() else "�" for each in text)
