"""What has become of one impression by now: of its seal, agreement, certificate, and of the document itself.

A verdict on the signature is about then; this is about now, and only the installation's own registry can tell it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from ledger.book import StoredEntry
from ledger.moments import to_text
from registry.document_status import DocumentStatus, status_id
from registry.records import Agreement, Seal, SealKey
from sealing.workshop import Workshop

CertificateState = Literal["good", "held", "revoked"]


def present_status(shop: Workshop, connection: Connection, entry: StoredEntry, now: datetime) -> dict[str, Any]:
    """The status behind an entry ``seal.impressed``, as JSON members; without names of persons and without reasons.

    A member is ``unknown`` where its opening was erased or its record is not registered. Raises
    ``registry.errors.RowTamperedError``.
    """
    seal, application = _group(entry, "seal"), _group(entry, "application")
    return {
        "as_of": to_text(now),
        "seal": _seal(shop, connection, seal.get("seal")),
        "agreement": _agreement(shop, connection, seal.get("agreement_id")),
        **_certificate(shop, connection, seal.get("certificate_serial")),
        **_document(shop, connection, application.get("impression")),
    }


def _group(entry: StoredEntry, name: str) -> Mapping[str, Any]:
    opening = entry.openings.get(name)
    return opening.value if opening is not None and isinstance(opening.value, dict) else {}


def _seal(shop: Workshop, connection: Connection, seal: str | None) -> str:
    found = None if seal is None else shop.registry.look(connection, Seal, seal)
    return "unknown" if found is None else found.record.state


def _agreement(shop: Workshop, connection: Connection, agreement: str | None) -> str:
    found = None if agreement is None else shop.registry.look(connection, Agreement, agreement)
    return "unknown" if found is None else found.record.state


def _certificate(shop: Workshop, connection: Connection, serial: str | None) -> dict[str, Any]:
    """Its state now, the intervals in which it was on hold, and its revocation (``verify.key_history``)."""
    found = None if serial is None else shop.registry.look_one(connection, SealKey, serial=serial)
    if found is None:
        return {"certificate": "unknown"}
    key = found.record
    told: dict[str, Any] = {"certificate": _state(key)}
    if key.holds:
        told["holds"] = [[to_text(each.start), None if each.end is None else to_text(each.end)] for each in key.holds]
    if key.revoked is not None:
        ended = key.revoked
        told["revoked"] = {
            "time": to_text(ended.time),
            "effective": to_text(ended.effective),
            "reason": ended.reason,
        }
    return told


def _state(key: SealKey) -> CertificateState:
    if key.revoked is not None:
        return "revoked"
    return "good" if key.revoked_at is None else "held"


def _document(shop: Workshop, connection: Connection, impression: str | None) -> dict[str, str]:
    """No status record means that nobody ever changed the status: it is in force."""
    if impression is None:
        return {"document": "unknown"}
    found = shop.registry.look(connection, DocumentStatus, status_id(impression))
    if found is None:
        return {"document": "in_force"}
    last = found.record.changes[-1]
    told = {"document": last.status, "document_since": last.effective.isoformat()}
    return told if last.document is None else told | {"document_by": last.document}
