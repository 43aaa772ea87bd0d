"""The verification seal: one committed intent, one report, one signature."""

from datetime import datetime
from hashlib import sha256

from custody.checks.prepared_file import check_file
from custody.checks.refusal import refuse_unless
from custody.checks.shown_entry import shown_entry, unused
from custody.checks.signed_attributes import certificate_of, signed_attributes_of
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue

INTENDED = "report.intended"


def check_report(request: UseRequest, state: CheckState, _now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a report that may be sealed. Refuses any other message."""
    attributes = signed_attributes_of(request)
    certificate_of(request, attributes)
    intent = shown_entry(request, state, "intent", kinds=(INTENDED,))
    unused(intent, request, state)
    report, to_be_signed = intent.group("report"), "sha256:" + sha256(request.message).hexdigest()
    refuse_unless(
        report.get("to_be_signed") == to_be_signed,
        f"要签名的摘要为 {to_be_signed}，意向为 {report.get('to_be_signed')}",
        f"the message has the digest {to_be_signed}, intended was {report.get('to_be_signed')}",
    )
    _, document = check_file(request, attributes)
    return {
        "form": "report",
        "intent": intent.leaf.id,
        "entry": intent.index,
        "report": str(report.get("report")),
        "document": document,
    }
