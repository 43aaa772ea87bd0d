"""The path of the signing certificate and its revocation: now, and at the best time that is proven."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from authority.certificates import is_embedded
from authority.chain import Problem
from authority.errors import UNREADABLE
from authority.names import authority_name
from authority.revocation import Revoked
from authority.service_certificates import PROFILES
from ledger.moments import to_text
from verify.path import Path
from verify.revocation import RevocationData, Standing, Word, standing
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


def judge_revocation(
    path: Path, data: RevocationData, *, now: datetime, times: Times
) -> tuple[tuple[Finding, ...], Facts]:
    """What lists and answers say of every certificate of the path below its root."""
    findings: list[Finding] = []
    states: list[str] = []
    for place, (subject, issuer) in enumerate(path.links):
        found = standing(data.words(subject, issuer), subject, now=now, times=times)
        states.append(found.state)
        findings += _said(found, times, now=now, signer=place == 0)
    if not states or states[0] == "not_checked":
        findings.append(_NOT_CHECKED)
    return tuple(findings), {"signer": states[0] if states else "not_checked", "path": states}


def _said(found: Standing, times: Times, *, now: datetime, signer: bool) -> Iterator[Finding]:
    if found.revoked is not None:
        yield _revoked(found, found.revoked, times, signer=signer)
    elif found.state == "unknown":
        yield _UNKNOWN
    elif found.newest is not None and found.state == "stale":
        yield _stale(found.newest, now)
    elif found.newest is not None and found.state == "good_then" and signer:
        yield _then_only(found.newest, times)


def _revoked(found: Standing, revoked: Revoked, times: Times, *, signer: bool) -> Finding:
    when, reason = to_text(revoked.time), revoked.reason
    if times.outside is not None and times.outside.time < revoked.time:
        return note(
            "revoked_after_use",
            f"证书后于 {when} 吊销（{reason}）；外部证明签名在此之前已存在",
            f"the certificate was revoked later, at {when} ({reason}); that it was used before is proven from outside",
        )
    before = times.recorded is not None and revoked.time <= times.recorded
    # A revocation that an older list did not have was dated back: whoever relied on that list then was not wrong.
    if before and not (found.contradicted and times.outside is not None):
        return failure(
            "certificate_revoked",
            f"证书在用章之前已于 {when} 吊销（{reason}）",
            f"the certificate was revoked at {when} ({reason}), before it was used",
            "REVOKED",
        )
    return doubt(
        "certificate_revoked",
        f"证书已于 {when} 吊销（{reason}），没有外部时间证明签名在此之前",
        f"the certificate was revoked at {when} ({reason}); no outside proof tells that it was used before",
        "REVOKED_NO_POE" if signer else "REVOKED_CA_NO_POE",
    )


def _stale(word: Word, now: datetime) -> Finding:
    return doubt(
        "revocation_list_stale",
        f"吊销列表有效期为 {to_text(word.this_update)} 至 {to_text(word.next_update)}，不含核验时间 {to_text(now)}",
        f"the revocation list is for {to_text(word.this_update)} to {to_text(word.next_update)}, not {to_text(now)}",
        "TRY_LATER",
    )


def _then_only(word: Word, times: Times) -> Finding:
    when = to_text(word.this_update)
    if times.outside is not None:
        return note(
            "revocation_checked_then",
            f"用章时证书未吊销（{when} 的吊销信息）；时间有外部证明，其后的吊销不影响本签名",
            f"not revoked when it was used (data of {when}); that time is proven from outside: later ones do not count",
        )
    return warning(
        "revocation_checked_then",
        f"用章时证书未吊销（{when} 的吊销信息）；此后是否吊销未核对，请提供最新吊销列表",
        f"not revoked when it was used (data of {when}); whether it was since was not checked: give a present list",
    )


_UNKNOWN = doubt(
    "revocation_status_unknown",
    "吊销应答表示不认识此证书",
    "the revocation service answered that it does not know the certificate",
    "TRY_LATER",
)
_NOT_CHECKED = warning(
    "revocation_not_checked",
    "没有提供签发者的吊销列表，证书现在是否吊销未核对",
    "no revocation list of the issuer was given, so whether the certificate is revoked by now was not checked",
)


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
