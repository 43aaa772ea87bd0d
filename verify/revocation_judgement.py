"""What follows from the words of issuers and log about the certificates of a path, for a signature of a known time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import cast

from cryptography import x509

from authority.revocation import Reason, Revoked
from ledger.moments import to_text
from verify.key_history import Ended, shown_end
from verify.path import Path
from verify.revocation import HOLD, RevocationData, Standing, Word, standing
from verify.times import Times
from verify.verdict import Facts, Finding, doubt, failure, note, warning


def judge_revocation(
    path: Path, data: RevocationData, *, now: datetime, times: Times, ended: Ended | None = None
) -> tuple[tuple[Finding, ...], Facts]:
    """What lists and answers say of every certificate of the path below its root.

    ``ended`` is what the log at hand tells of a revocation of the signer's certificate.
    """
    findings: list[Finding] = []
    states: list[str] = []
    for place, (subject, issuer) in enumerate(path.links):
        found = standing(data.words(subject, issuer), subject, now=now, times=times)
        if place == 0 and ended is not None and ended.time <= now:
            found = _as_told(found, ended, subject)
        states.append(found.state)
        findings += _said(found, times, now=now, signer=place == 0)
    if not states or states[0] == "not_checked":
        findings.append(_NOT_CHECKED)
    return tuple(findings), {"signer": states[0] if states else "not_checked", "path": states}


def _as_told(found: Standing, ended: Ended, subject: x509.Certificate) -> Standing:
    """The log knows more than a list: when it was recorded, and since when it counts (the earlier of both words)."""
    listed = found.revoked is not None and found.revoked.reason != HOLD
    effective = min(ended.effective, found.revoked.effective) if listed and found.revoked else ended.effective
    told = Revoked(serial=subject.serial_number, time=ended.time, reason=cast("Reason", ended.reason))
    return replace(found, state="revoked", revoked=told, effective=effective)


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
    """A proof from outside that is older than the effective time saves; one older than the revocation leaves doubt."""
    effective = found.effective or revoked.effective
    zh, en = shown_end(Ended(time=revoked.time, effective=effective, reason=revoked.reason))
    outside = None if times.outside is None else times.outside.time
    if outside is not None and outside < effective:
        return note(
            "revoked_after_use",
            f"证书后于 {zh}；外部证明签名在此之前已存在",
            f"the certificate was revoked later, {en}; that it was used before is proven from outside",
        )
    if outside is not None and outside < revoked.time:
        return doubt(
            "revoked_with_earlier_effect",
            f"证书于 {zh}；外部证明签名在吊销之前已存在，但不早于失效时间",
            f"the certificate was revoked {en}; it is proven from outside that it was used before the revocation, not"
            " that it was used before it ceased to be trusted",
            "REVOKED_NO_POE",
        )
    # A revocation that an older list did not have was dated back: whoever relied on that list then was not wrong.
    if times.recorded is not None and effective <= times.recorded and not (found.contradicted and outside is not None):
        return failure(
            "certificate_revoked",
            f"证书在用章之前已于 {zh}",
            f"the certificate was revoked {en}, before it was used",
            "REVOKED",
        )
    return doubt(
        "certificate_revoked",
        f"证书已于 {zh}，没有外部时间证明签名在此之前",
        f"the certificate was revoked {en}; no outside proof tells that it was used before",
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
