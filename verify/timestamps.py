"""Time-stamps in a file: whose they are, whether they may be relied on, and what time they prove.

A time-stamp that cannot be relied on is told and proves nothing; one that is false, or belongs to something else,
makes the signature that carries it fail.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Literal

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authority.errors import TimeStampTokenError
from authority.revocation import Revoked
from authority.timestamp_token import TimeStampToken, read_token
from ledger.moments import to_text
from verify.case import Case
from verify.path import Path, build_path
from verify.revocation import RevocationData, standing
from verify.signature_reading import PARSER_ERRORS, Reading
from verify.times import CLOCKS_DIFFER, OUTSIDE, Basis, Held, Proof, Times, held
from verify.verdict import Facts, Finding, doubt, failure, warning

_ATTRIBUTE = "signature_time_stamp_token"
_MOST = 16
"""Time-stamps of one signature: an honest one has one, or two."""
Source = Literal["signature", "document", "checkpoint"]
_HARMLESS = {"affiliation_changed", "superseded", "cessation_of_operation"}
"""After these, tokens from before the revocation stay good (RFC 3161 4, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A sound token. ``trust`` tells whose root it leads to; ``proof`` is what it proves, if anything."""

    source: Source
    field: str
    token: TimeStampToken
    trust: Literal["outside", "operator", "not_judged"]
    path: Path
    proof: Proof | None
    findings: tuple[Finding, ...]

    def facts(self) -> Facts:
        """JSON members, as they stand in ``time.time_stamps``."""
        accuracy = self.token.accuracy
        return {
            "source": self.source,
            "field": self.field,
            "time": to_text(self.token.time),
            "accuracy_ms": None if accuracy is None else accuracy // timedelta(milliseconds=1),
            "authority": _printable(self.token.signer.subject.rfc4514_string()),
            "certificate_serial": f"{self.token.signer.serial_number:x}",
            "serial": f"{self.token.serial:x}",
            "policy": self.token.policy,
            "trust": self.trust,
            "usable": self.proof is not None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StampJudge:
    """Judges tokens with what the verifier trusts and what certificates and revocation data are at hand."""

    case: Case
    certificates: tuple[x509.Certificate, ...]
    revocation: RevocationData

    def judge(self, token: TimeStampToken, *, source: Source, field: str, newer: Sequence[Proof]) -> Stamp:
        """``newer`` is what is proven of the token itself: by time-stamps over it."""
        path, trust = self._path(token)
        proof: Proof | None = None
        findings: tuple[Finding, ...] = (_not_judged(field),)
        if trust != "not_judged":
            proof, findings = self._usable(token, path, trust=trust, newer=tuple(newer), field=field)
        return Stamp(source=source, field=field, token=token, trust=trust, path=path, proof=proof, findings=findings)

    def of_signature(self, reading: Reading, newer: Sequence[Proof]) -> tuple[tuple[Stamp, ...], tuple[Finding, ...]]:
        """The signature time-stamps (EN 319 122-1 5.3) of ``reading``, and all that is to be said of them."""
        try:
            found = list(_embedded_tokens(reading))
        except PARSER_ERRORS as error:
            return (), (_invalid(type(error).__name__, type(error).__name__),)
        value = reading.signer_info["signature"].native
        stamps, findings, seen = [], list[Finding](), set[tuple[bytes, int]]()
        for der in found[:_MOST]:
            try:
                token = read_token(der)
            except TimeStampTokenError as error:
                findings.append(self.invalid(error, reading.field))
                continue
            key = (token.signer.public_bytes(Encoding.DER), token.serial)
            if not token.covers(value):
                findings.append(_of_another())
            elif key in seen:
                findings.append(_duplicated())
            else:
                stamps.append(self.judge(token, source="signature", field=reading.field, newer=newer))
            seen.add(key)
        if len(found) > _MOST:
            findings.append(_duplicated())
        findings += [finding for stamp in stamps for finding in stamp.findings]
        return tuple(stamps), tuple(findings)

    def invalid(self, error: TimeStampTokenError, field: str) -> Finding:
        """For a token that is no token, or false; one by a key for other things proves no time, but hides nothing."""
        if error.code == "token-key-usage":
            return _not_judged(field)
        return _invalid(error.zh, error.en)

    def _path(self, token: TimeStampToken) -> tuple[Path, Literal["outside", "operator", "not_judged"]]:
        others = (*token.certificates, *self.certificates)
        outside = build_path(token.signer, others, self.case.trust.timestamp_roots, at=token.time)
        if outside.root is not None:
            return outside, "outside"
        ours = build_path(token.signer, others, self.case.trust.roots, at=token.time)
        return ours, "not_judged" if ours.root is None else "operator"

    def _usable(
        self, token: TimeStampToken, path: Path, *, trust: str, newer: tuple[Proof, ...], field: str
    ) -> tuple[Proof | None, tuple[Finding, ...]]:
        now = self.case.now
        roots = self.case.trust.timestamp_roots if trust == "outside" else self.case.trust.roots
        times = Times(proofs=newer, recorded=token.time)
        found = held(path, roots, now=now, times=times)
        reasons = [*_weak(token), *self._ahead(token), *_outside_life(token), *_problems(found)]
        reasons += self._revoked(path, times)
        if reasons:
            zh, en = "；".join(zh for zh, _ in reasons), "; ".join(en for _, en in reasons)
            return None, (_not_usable(field, zh, en),)
        basis: Basis = "outside_time_stamp" if trust == "outside" else "operator_time_stamp"
        if found.by is not None and found.by.basis not in OUTSIDE:
            basis = "operator_time_stamp"  # it stands by the operator's newer time-stamp alone
        return Proof(time=token.time + (token.accuracy or timedelta(0)), basis=basis), ()

    def _ahead(self, token: TimeStampToken) -> Iterator[tuple[str, str]]:
        if token.time > self.case.now + CLOCKS_DIFFER:
            when = to_text(token.time)
            yield f"其时间 {when} 晚于核验时间", f"its time {when} is later than the time of judging"

    def _revoked(self, path: Path, times: Times) -> Iterator[tuple[str, str]]:
        for subject, issuer in path.links:
            found = standing(self.revocation.words(subject, issuer), subject, now=self.case.now, times=times)
            if found.state == "unknown":
                yield "吊销应答不认识其证书", "its certificate is unknown to the revocation service"
            if found.revoked is not None and not _survives(found.revoked, times):
                when = to_text(found.revoked.time)
                yield f"其证书已于 {when} 吊销", f"its certificate was revoked at {when}"


def judge_order(stamps: Sequence[Stamp]) -> Iterator[Finding]:
    """``stamps`` from the innermost to the outermost: each later one must tell a later time (EN 319 102-1 5.5.4)."""
    for inner, outer in pairwise(stamps):
        slack = (inner.token.accuracy or timedelta(0)) + (outer.token.accuracy or timedelta(0))
        if outer.token.time + slack < inner.token.time:
            yield doubt(
                "timestamp_order",
                f"外层时间戳（{to_text(outer.token.time)}）早于其所覆盖的时间戳（{to_text(inner.token.time)}）",
                f"the outer time-stamp ({to_text(outer.token.time)}) is earlier than the one it covers"
                f" ({to_text(inner.token.time)})",
                "TIMESTAMP_ORDER_FAILURE",
            )


def _embedded_tokens(reading: Reading) -> Iterator[bytes]:
    unsigned: Any = reading.signer_info["unsigned_attrs"]
    # Never ``native`` here: the library would decode, and encode again, everything inside many times over.
    for attribute in () if isinstance(unsigned, core.Void) else unsigned:
        if attribute["type"].native == _ATTRIBUTE:
            for value in attribute["values"]:
                yield value.dump()


def _survives(revoked: Revoked, times: Times) -> bool:
    """Whether a token stays good although the authority's certificate was revoked."""
    proven = times.outside
    if proven is not None and proven.time < revoked.time:
        return True
    return revoked.reason in _HARMLESS and times.recorded is not None and times.recorded < revoked.time


def _weak(token: TimeStampToken) -> Iterator[tuple[str, str]]:
    if token.weak:
        listed = ", ".join(token.weak)
        yield f"使用了强度不足的算法（{listed}）", f"it uses weak algorithms ({listed})"


def _outside_life(token: TimeStampToken) -> Iterator[tuple[str, str]]:
    first, last = token.signer.not_valid_before_utc, token.signer.not_valid_after_utc
    if not first <= token.time <= last:
        yield "其时间不在证书有效期之内", "its time lies outside the validity of its certificate"


def _problems(found: Held) -> Iterator[tuple[str, str]]:
    return ((each.zh, each.en) for each in found.problems)


def _not_judged(field: str) -> Finding:
    return warning(
        "timestamp_issuer_not_judged",
        f"{field} 的时间戳内容完整，但颁发者不在受信任之列，不作为时间证明",
        f"the time-stamp of {field} is sound in itself, but its issuer was not judged, so it proves no time",
    )


def _not_usable(field: str, zh: str, en: str) -> Finding:
    return warning(
        "timestamp_not_usable",
        f"{field} 的时间戳不能作为时间证明：{zh}",
        f"the time-stamp of {field} proves no time: {en}",
    )


def _invalid(zh: str, en: str) -> Finding:
    return failure("timestamp_invalid", f"时间戳无效：{zh}", f"a time-stamp is not valid: {en}", "FORMAT_FAILURE")


def _of_another() -> Finding:
    return failure(
        "timestamp_of_another_signature",
        "签名所附时间戳不是对本签名值作出的（可能抄自别处）",
        "a time-stamp of the signature is over another signature's value (copied from elsewhere)",
        "HASH_FAILURE",
    )


def _duplicated() -> Finding:
    return failure(
        "timestamp_duplicated",
        "同一时间戳在签名中重复出现，或时间戳过多",
        "the same time-stamp stands in the signature twice, or there are too many",
        "FORMAT_FAILURE",
    )


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text)
