"""A seal's key: one committed intent, one approved document, one signature."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from custody.checks.approval_evidence import check_approval
from custody.checks.certificate_request import check_certificate_request
from custody.checks.prepared_file import check_file
from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import ShownEntry, shown_entry, unused
from custody.checks.signed_attributes import certificate_of, signed_attributes_of
from custody.requests import CheckState, UseRequest
from ledger.canonical import JsonValue
from ledger.moments import from_text

INTENDED = "seal.intended"
_SEQUENCE = b"\x30"


def check_seal(request: UseRequest, state: CheckState, now: datetime) -> dict[str, JsonValue]:
    """What the record shall say of a seal use, or of a request for a certificate. Refuses anything else."""
    if request.message[:1] == _SEQUENCE:  # signed attributes are a SET
        return check_certificate_request(request, state)
    attributes = signed_attributes_of(request)
    intent = shown_entry(request, state, "intent", kinds=(INTENDED,))
    unused(intent, request, state)
    _check_lease(intent, now)
    _check_named(intent, request)
    certificate = certificate_of(request, attributes)
    _check_equal("certificate_serial", f"{certificate.serial_number:x}", intent.group("seal").get("certificate_serial"))
    layout, prefix = check_file(request, attributes)
    document = intent.group("document")
    _check_equal("source_digest", prefix, document.get("source_digest"))
    _check_equal("source_length", layout.source_length, document.get("source_length"))
    _check_equal("byte_range_digest", f"sha256:{attributes.message_digest.hex()}", document.get("byte_range_digest"))
    approval = check_approval(request, state, intent, now)
    return {
        "form": "seal",
        "intent": intent.leaf.id,
        "entry": intent.index,
        "seal": str(intent.group("seal").get("seal")),
        "document": prefix,
        "approval": approval,
    }


def _check_named(intent: ShownEntry, request: UseRequest) -> None:
    document = intent.group("document")
    _check_equal("key", request.key_ref, document.get("key"))
    _check_equal("to_be_signed", "sha256:" + sha256(request.message).hexdigest(), document.get("to_be_signed"))


def _check_lease(intent: ShownEntry, now: datetime) -> None:
    until = intent.group("application").get("lease_until")
    try:
        ends = from_text(str(until))
    except ValueError:
        refuse("意向没有租期", "the intent has no lease")
    refuse_unless(
        now < ends, f"意向的租期已于 {until} 届满", f"the lease of the intent ended at {until}; it is abandoned"
    )


def _check_equal(name: str, found: Any, intended: Any) -> None:  # noqa: ANN401  JSON values
    refuse_unless(
        found == intended and type(found) is type(intended),
        f"{name} 为 {found}，意向为 {intended}",
        f"{name} is {found}, intended was {intended}",
    )
