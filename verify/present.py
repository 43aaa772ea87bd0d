"""What has become of seal, agreement, certificate and document by now, as a log at hand tells it.

It changes nothing about the signature: a document that was annulled since was sealed rightly.
"""

from collections.abc import Iterator

from verify.report_words import SOUND, STATUS, UNKNOWN
from verify.verdict import Facts, Finding, warning

_CODES = {"document": "document_not_in_force", "seal": "seal_not_active", "agreement": "agreement_not_in_force"}


def judge_status(status: Facts) -> Iterator[Finding]:
    """Warnings where the present state (:class:`verify.ledger_evidence.LogAnswer`) is not what it was at sealing."""
    for name, code in _CODES.items():
        state = status.get(name, UNKNOWN)
        if state in {SOUND[name], UNKNOWN}:
            continue
        (label_zh, label_en), states = STATUS[name]
        zh, en = states.get(state, (state, state))
        yield warning(code, f"{label_zh}现状为“{zh}”", f"the {label_en} is {en} by now")
    if status.get("certificate") == "held":
        zh, en = "证书现处于暂停（certificateHold）", "the certificate is on hold (certificateHold) now"
        yield warning("certificate_held_now", zh, en)
