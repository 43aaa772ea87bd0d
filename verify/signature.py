"""Judges one signature: integrity, later changes, time, certificate, ledger, approval, in this order."""

from dataclasses import dataclass
from typing import Any

from authority.binding import SealBinding, read_binding
from authority.errors import BindingError
from authority.timestamp_token import TimeStampToken
from ledger.moments import to_text
from verify import certificate, changes, integrity
from verify.approval import judge_approval
from verify.case import Case
from verify.key_history import history_of, judge_holds
from verify.ledger_evidence import IMPRESSED, LedgerJudgement, Trace, judge_ledger
from verify.levels import judge_level, level_reached
from verify.material import Material
from verify.path import Path
from verify.present import judge_status
from verify.revocation_judgement import judge_revocation
from verify.signature_reading import Reading, Signatures, digest_of
from verify.times import Times
from verify.timestamps import Stamp, judge_order
from verify.verdict import Facts, Finding, SignatureVerdict, doubt, note
from verify.witnesses import Proven

_NO_LEDGER = LedgerJudgement(findings=(), facts={"state": "not_applicable"}, openings={}, sealed_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Basis:
    """What a signature is judged by: its trace, what the ledger says, its time-stamps, and the times they prove."""

    trace: Trace
    ledger: LedgerJudgement
    stamps: tuple[Stamp, ...]
    findings: tuple[Finding, ...]
    times: Times
    path: Path
    level: str | None


def judge_signature(
    case: Case, signatures: Signatures, reading: Reading, material: Material, *, lenient: bool
) -> SignatureVerdict:
    """The verdict on one signature of the file. What pyHanko raises is left to the caller."""
    sound = (
        *integrity.judge_integrity(case.data, reading),
        *changes.judge_changes(case.data, reading, signatures, lenient=lenient),
    )
    if reading.is_timestamp:
        return _timestamp(case, reading, material, sound)
    try:
        binding = read_binding(reading.signer)
    except BindingError as error:
        malformed = doubt("seal_extension_malformed", error.zh, error.en)
        return _foreign(case, reading, material, (*sound, malformed))
    if binding is None:
        return _foreign(case, reading, material, sound)
    return _seal(case, reading, material, sound, binding)


def trace_of(case: Case, reading: Reading) -> Trace:
    """What a log can be asked for about this signature."""
    first, length, second, rest = reading.written.byte_range
    covered = digest_of(case.data, "sha256", (first, length), (second, rest))
    return Trace(
        byte_range_digest="sha256:" + covered.hex(),
        sealed_digest=case.hash_prefix(reading.written.covered_end),
        sealed_length=reading.written.covered_end,
        to_be_signed=to_be_signed(reading),
    )


def to_be_signed(reading: Reading) -> str:
    """``sha256:…`` of the bytes that the key signed: by it the log knows a signature."""
    return "sha256:" + digest_of(reading.signed_attributes, "sha256", (0, len(reading.signed_attributes))).hex()


def _basis(case: Case, reading: Reading, material: Material, binding: SealBinding | None) -> _Basis:
    trace, end = trace_of(case, reading), reading.written.covered_end
    judge, newer = material.judge(case), material.newer(end)
    stamps, found = judge.of_signature(reading, newer)

    def judge_token(token: TimeStampToken) -> Proven:
        stamp = judge.judge(token, source="checkpoint", field=reading.field, newer=())
        return stamp.proof, stamp.findings

    ledger = _NO_LEDGER
    if binding is not None:
        ledger = judge_ledger(
            trace,
            case.receipts,
            binding=binding,
            trust=case.trust,
            file=case.hashed,
            ask_log=case.ask_log,
            now=case.now,
            judge_token=judge_token,
        )
    proofs = (*(each.proof for each in stamps if each.proof), *newer, *ledger.proofs)
    path = material.path(case, reading)
    return _Basis(
        trace=trace,
        ledger=ledger,
        stamps=stamps,
        findings=(*found, *judge_order([*stamps[:1], *material.over(end)])),
        times=Times(proofs=proofs, recorded=ledger.sealed_at),
        path=path,
        level=level_reached(integrity.level_of(reading), path, stamps, material, covered_end=end),
    )


def _seal(
    case: Case, reading: Reading, material: Material, sound: tuple[Finding, ...], binding: SealBinding
) -> SignatureVerdict:
    basis = _basis(case, reading, material, binding)
    ledger = basis.ledger
    found, facts = _certificate(case, reading, material, basis)
    approval_findings, approval = _approval(ledger, binding)
    return SignatureVerdict(
        **_shared(case, reading, material, basis),
        kind="seal",
        findings=(
            *sound,
            *integrity.judge_form(reading),
            *basis.findings,
            *found,
            *ledger.findings,
            *_same_certificate(reading, ledger),
            *judge_level(basis.level, _opened(ledger, "document", "level")),
            *approval_findings,
            *judge_status(ledger.status),
            *certificate.judge_licence(basis.path),
        ),
        certificate=facts,
        seal={
            "name": binding.seal_name,
            "number": binding.seal_number,
            "id": _opened(ledger, "seal", "seal"),
            "grantor_code": binding.grantor_code,
            "specimen": basis.path.embedded,
        },
        agreement={
            "number": binding.agreement,
            "version": binding.agreement_version,
            "terms_digest": binding.terms_digest,
            "grantee_code": binding.grantee_code,
            "grantee_name": binding.grantee_name,
        },
        item=_item(ledger),
        approval=approval,
        status=ledger.status,
    )


def _foreign(case: Case, reading: Reading, material: Material, sound: tuple[Finding, ...]) -> SignatureVerdict:
    """A signature under a certificate of others is judged as far as trust reaches; no log of ours can know it."""
    basis = _basis(case, reading, material, None)
    found, facts = _certificate(case, reading, material, basis)
    report = basis.path.root is not None and certificate.seals_reports(reading.signer)
    malformed = any(each.code == "seal_extension_malformed" for each in sound)
    kind_said = () if malformed else (_REPORT if report else _NOT_OURS,)
    return SignatureVerdict(
        **_shared(case, reading, material, basis),
        kind="report" if report else "foreign",
        findings=(*sound, *kind_said, *basis.findings, *found),
        certificate=facts,
    )


def _timestamp(case: Case, reading: Reading, material: Material, sound: tuple[Finding, ...]) -> SignatureVerdict:
    """A document time-stamp: what it proves, it proves of what it covers."""
    here = material.of(reading)
    stamp = here.stamp if here else None
    path = stamp.path if stamp else material.path(case, reading)
    newer = material.newer(reading.written.covered_end)
    own = (stamp.proof,) if stamp and stamp.proof else ()
    basis = _Basis(
        trace=trace_of(case, reading),
        ledger=_NO_LEDGER,
        stamps=(stamp,) if stamp else (),
        findings=here.findings if here else (),
        times=Times(proofs=(*own, *newer)),
        path=path,
        level=None,
    )
    recorded = Times(proofs=newer, recorded=stamp.token.time if stamp else None)
    _, states = judge_revocation(path, material.revocation, now=case.now, times=recorded)
    return SignatureVerdict(
        **_shared(case, reading, material, basis),
        kind="timestamp",
        findings=(*sound, *basis.findings),
        certificate=certificate.certificate_facts(path, states),
    )


def _certificate(case: Case, reading: Reading, material: Material, basis: _Basis) -> tuple[tuple[Finding, ...], Facts]:
    path, times, now = basis.path, basis.times, case.now
    history, unreadable = history_of(basis.ledger.status)
    revocation, states = judge_revocation(path, material.revocation, now=now, times=times, ended=history.ended)
    findings = (
        *unreadable,
        *judge_holds(history.holds, times, reading.claimed_time),
        *certificate.judge_path(path, case.trust.roots, now=now, times=times),
        *certificate.judge_times(reading.signer, times, now),
        *revocation,
    )
    return findings, certificate.certificate_facts(path, states)


def _approval(ledger: LedgerJudgement, binding: SealBinding) -> tuple[tuple[Finding, ...], Facts]:
    if ledger.sealed_at is None or ledger.facts["kind"] != IMPRESSED:
        return (), {}
    return judge_approval(ledger.openings, audience=binding.log_origin, sealed_at=ledger.sealed_at)


def _same_certificate(reading: Reading, ledger: LedgerJudgement) -> tuple[Finding, ...]:
    recorded = _opened(ledger, "seal", "certificate_serial")
    serial = f"{reading.signer.serial_number:x}"
    if recorded in {None, serial}:
        return ()
    return (
        Finding(
            code="seal_differs_from_certificate",
            severity="failure",
            zh=f"台账所记证书序列号为 {recorded}，签名证书为 {serial}",
            en=f"by the ledger the certificate has the serial {recorded}, that of the signature {serial}",
        ),
    )


def _shared(case: Case, reading: Reading, material: Material, basis: _Basis) -> dict[str, Any]:
    end = reading.written.covered_end
    return {
        "field": certificate.printable(reading.field),
        "level": basis.level,
        "signer": certificate.signer_facts(reading.signer),
        "ledger": basis.ledger.facts,
        "coverage": {
            "byte_range": list(reading.written.byte_range),
            "whole_file": end >= len(case.data) - 1,
            "later_bytes": len(case.data) - end,
        },
        "time": _time(reading, material, basis),
        "digests": {
            "byte_range": basis.trace.byte_range_digest,
            "sealed": basis.trace.sealed_digest,
            "to_be_signed": basis.trace.to_be_signed,
        },
        "final": changes.permitted_level(reading) == changes.NO_CHANGES,
    }


def _time(reading: Reading, material: Material, basis: _Basis) -> Facts:
    best = basis.times.best
    stamps = (*basis.stamps, *material.over(reading.written.covered_end))
    return {
        "claimed": certificate.printable(reading.claimed_time or "") or None,
        "ledger": basis.ledger.facts.get("time"),
        "proven": None if best is None else to_text(best.time),
        "basis": basis.times.basis,
        "time_stamps": [each.facts() for each in stamps],
    }


def _item(ledger: LedgerJudgement) -> Facts:
    case, numbers = ledger.openings.get("case"), ledger.openings.get("numbers")
    told = {} if not isinstance(case, dict) else dict(case)
    return told | ({} if not isinstance(numbers, dict) else dict(numbers))


def _opened(ledger: LedgerJudgement, group: str, name: str) -> Any:  # noqa: ANN401  a JSON value
    values = ledger.openings.get(group)
    return values.get(name) if isinstance(values, dict) else None


_REPORT = note(
    "verification_report",
    "这是本系统核验报告上的核验专用章，不是授权印章",
    "the verification service's own seal on a report of it, not a seal under an agreement",
)
_NOT_OURS = note(
    "not_our_seal",
    "签名证书不带本系统的印章扩展，不是本系统的印章",
    "the certificate has no seal extension of this system: no seal of ours",
)
