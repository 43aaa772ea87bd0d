"""Judges one signature: integrity, later changes, certificate, ledger, approval, in this order."""

from typing import Any

from authority.binding import SealBinding, read_binding
from authority.errors import BindingError
from verify import certificate, changes, integrity
from verify.approval import judge_approval
from verify.case import Case
from verify.ledger_evidence import IMPRESSED, LedgerJudgement, Trace, judge_ledger
from verify.signature_reading import Reading, Signatures, digest_of
from verify.verdict import Facts, Finding, SignatureVerdict, doubt, note


def judge_signature(case: Case, signatures: Signatures, reading: Reading, *, lenient: bool) -> SignatureVerdict:
    """The verdict on one signature of the file. What pyHanko raises is left to the caller."""
    sound = (
        *integrity.judge_integrity(case.data, reading),
        *changes.judge_changes(case.data, reading, signatures, lenient=lenient),
    )
    if reading.is_timestamp:
        return _timestamp(case, reading, sound)
    try:
        binding = read_binding(reading.signer)
    except BindingError as error:
        malformed = doubt("seal_extension_malformed", error.zh, error.en)
        return _foreign(case, reading, (*sound, malformed))
    if binding is None:
        return _foreign(case, reading, (*sound, _NOT_OURS))
    return _seal(case, reading, sound, binding)


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


def _seal(case: Case, reading: Reading, sound: tuple[Finding, ...], binding: SealBinding) -> SignatureVerdict:
    trace = trace_of(case, reading)
    ledger = judge_ledger(
        trace, case.receipts, binding=binding, trust=case.trust, hash_prefix=case.hash_prefix, ask_log=case.ask_log
    )
    path, found, facts = _certificate(case, reading, ledger)
    approval_findings, approval = _approval(ledger, binding)
    return SignatureVerdict(
        **_shared(case, reading, trace, ledger),
        kind="seal",
        findings=(
            *sound,
            *integrity.judge_form(reading),
            *found,
            *ledger.findings,
            *_same_certificate(reading, ledger),
            *approval_findings,
            *certificate.judge_licence(path),
        ),
        certificate=facts,
        seal={
            "name": binding.seal_name,
            "number": binding.seal_number,
            "id": _opened(ledger, "seal", "seal"),
            "grantor_code": binding.grantor_code,
            "specimen": path.embedded,
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
    )


def _foreign(case: Case, reading: Reading, sound: tuple[Finding, ...]) -> SignatureVerdict:
    """A signature under a certificate of others is judged as far as trust reaches; no log of ours can know it."""
    nothing = LedgerJudgement(findings=(), facts={"state": "not_applicable"}, openings={}, sealed_at=None)
    _, found, facts = _certificate(case, reading, nothing)
    return SignatureVerdict(
        **_shared(case, reading, trace_of(case, reading), nothing),
        kind="foreign",
        findings=(*sound, *found),
        certificate=facts,
    )


def _timestamp(case: Case, reading: Reading, sound: tuple[Finding, ...]) -> SignatureVerdict:
    """A document time-stamp: only that it fits the file is judged."""
    nothing = LedgerJudgement(findings=(), facts={"state": "not_applicable"}, openings={}, sealed_at=None)
    path = certificate.build_path(reading.signer, reading.others, case.trust)
    return SignatureVerdict(
        **_shared(case, reading, trace_of(case, reading), nothing),
        kind="timestamp",
        findings=(*sound, integrity.unjudged_timestamp(certificate.printable(reading.field))),
        certificate=certificate.certificate_facts(path, {"signer": "not_checked"}),
    )


def _certificate(
    case: Case, reading: Reading, ledger: LedgerJudgement
) -> tuple[certificate.Path, tuple[Finding, ...], Facts]:
    path = certificate.build_path(reading.signer, reading.others, case.trust)
    revocation, states = certificate.judge_revocation(path, case.trust, now=case.now, sealed_at=ledger.sealed_at)
    at_sealing = certificate.judge_at_sealing(reading.signer, ledger.sealed_at, case.now) if ledger.sealed_at else ()
    findings = (*certificate.judge_path(path, case.trust, now=case.now), *at_sealing, *revocation)
    return path, findings, certificate.certificate_facts(path, states)


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


def _shared(case: Case, reading: Reading, trace: Trace, ledger: LedgerJudgement) -> dict[str, Any]:
    end = reading.written.covered_end
    return {
        "field": certificate.printable(reading.field),
        "level": integrity.level_of(reading),
        "signer": certificate.signer_facts(reading.signer),
        "ledger": ledger.facts,
        "coverage": {
            "byte_range": list(reading.written.byte_range),
            "whole_file": end >= len(case.data) - 1,
            "later_bytes": len(case.data) - end,
        },
        "time": {
            "claimed": certificate.printable(reading.claimed_time or "") or None,
            "ledger": ledger.facts.get("time"),
            "basis": "operator_only" if ledger.sealed_at else "claimed_only",
        },
        "digests": {
            "byte_range": trace.byte_range_digest,
            "sealed": trace.sealed_digest,
            "to_be_signed": trace.to_be_signed,
        },
        "final": changes.permitted_level(reading) == changes.NO_CHANGES,
    }


def _item(ledger: LedgerJudgement) -> Facts:
    case, numbers = ledger.openings.get("case"), ledger.openings.get("numbers")
    told = {} if not isinstance(case, dict) else dict(case)
    return told | ({} if not isinstance(numbers, dict) else dict(numbers))


def _opened(ledger: LedgerJudgement, group: str, name: str) -> Any:  # noqa: ANN401  a JSON value
    values = ledger.openings.get(group)
    return values.get(name) if isinstance(values, dict) else None


_NOT_OURS = note(
    "not_our_seal",
    "签名证书不带本系统的印章扩展，不是本系统的印章",
    "the certificate has no seal extension of this system: no seal of ours",
)
