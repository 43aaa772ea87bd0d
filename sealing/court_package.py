"""One package for a court: everything about one impression that somebody needs to judge it without this service.

The same record at the same time gives the same bytes. What is in it, and what proves each member: ``FORMAT.md``.
"""

import io
import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, bindparam, func, select

from ledger import merkle, store
from ledger.canonical import JsonValue, canonical
from ledger.evidence import Evidence
from ledger.moments import to_text
from ledger.tables import subjects
from registry.records import SealKey
from registry.store import row_subject
from sealing import impressions, receipts, revocation, witnessing
from sealing.errors import UnknownError
from sealing.renewed_files import newest_file, renewal_subject
from sealing.workshop import Workshop

FORM: Final = "yinxin/court-package/v1"
_FIXED: Final = (1980, 1, 1, 0, 0, 0)
_DATA: Final = Path(str(files("sealing") / "court"))
_POLICIES: Final = Path(str(files("policies")))
_SHOWN: Final = ("row", "body")
_RENEWAL: Final = "renewal"
_LATER: Final = "certificate_now"
_PROVEN_BY: Final = {
    "FORMAT.md": "nothing",
    "judge.py": "nothing",
    "rules": "nothing",
    "document.pdf": "receipt.json, signature",
    "receipt.json": "log key",
    "consistency.json": "log key",
    "log.vkey": "comparison with the published key",
    "root.pem": "comparison with the published root",
    "crl": "signature of the issuer",
    "chain": "root.pem, entries/certificate.json",
    "entries": "log key",
}
_at = select(func.max(subjects.c.index)).where(
    subjects.c.subject == bindparam("subject"), subjects.c.index <= bindparam("index")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """The ids of the registry records that one seal use rests on."""

    seal: str
    agreement: str
    certificate: str
    approval_key: str

    @classmethod
    def of(cls, connection: Connection, shop: Workshop, index: int) -> "_Records":
        """What the impression's entry names. Raises :class:`UnknownError` when a group of it was erased."""
        openings = shop.book.trusted(connection, index).openings
        missing = [name for name in ("seal", "approval", "document", "case") if name not in openings]
        if missing:
            listed = ", ".join(missing)
            raise UnknownError(
                "evidence-erased", f"字段组 {listed} 已删除，无法出具证据包", f"the groups {listed} were erased"
            )
        seal: Any = openings["seal"].value
        approval: Any = openings["approval"].value
        found = shop.registry.find_one(connection, SealKey, serial=seal["certificate_serial"])
        return cls(
            seal=seal["seal"],
            agreement=seal["agreement_id"],
            certificate=found.record.id,
            approval_key=approval["key"]["id"],
        )


def build_package(shop: Workshop, impression: str, now: datetime) -> bytes:
    """The package of one impression as a ZIP file. Called outside any transaction.

    Raises :class:`UnknownError`, ``NotWitnessedError`` while too few witnesses have cosigned,
    ``registry.errors.RowTamperedError``, ``ledger`` and ``keystore`` errors.
    """
    with shop.database.read() as connection:
        row = impressions.checked(connection, shop.book, impression)
        entries = _entries(connection, shop, row.entry)
        digest = newest_file(connection, shop.book, row).digest
        renewed = shop.book.newest(connection, renewal_subject(row.id))
    members = {
        "document.pdf": shop.documents.read_path(digest).read_bytes(),
        "receipt.json": receipts.receipt(shop, row, now).to_bytes(),
        "root.pem": shop.installation.root.encode(),
        "log.vkey": f"{shop.identity.vkey}\n".encode(),
        "crl/issuer.crl": revocation.crl(shop, now),
        "crl/root.crl": revocation.root_crl(shop, now),
        **dict(_shipped()),
    }
    evidence = {name: witnessing.evidence(shop, index, _SHOWN, now) for name, index in entries.items()}
    if renewed is not None:
        evidence[_RENEWAL] = shop.book.evidence(renewed, (_RENEWAL,), now)
    members |= {f"entries/{name}.json": canonical(each.to_json()) for name, each in evidence.items()}
    members |= _chain(evidence["certificate"])
    notes = [each.checkpoint for each in evidence.values()]
    notes.append(json.loads(members["receipt.json"])["evidence"]["checkpoint"])
    members["consistency.json"] = _consistency(shop, notes, now)
    return _zip(members | {"manifest.json": _manifest(members, impression, now)})


def _entries(connection: Connection, shop: Workshop, index: int) -> dict[str, int]:
    """The entries about the records as they stood when the seal was used, by the names of their members.

    Of the certificate the newest one, too: it has the holds that are over, and since when a revocation counts.
    """
    records = _Records.of(connection, shop, index)
    found = {name: _newest(connection, getattr(records, name), index) for name in records.__slots__}
    agreement: Any = shop.book.trusted(connection, found["agreement"]).value("body")
    for place, signature in enumerate(agreement["current"]["signatures"], start=1):
        found[f"organ_key_{place}"] = _newest(connection, signature["key"], index)
    later = shop.book.newest(connection, row_subject(records.certificate))
    if later is not None and later > found["certificate"]:
        found[_LATER] = later
    return found


def _newest(connection: Connection, record: str, index: int) -> int:
    newest = connection.execute(_at, {"subject": row_subject(record), "index": index}).scalar_one()
    if newest is None:
        raise UnknownError("evidence-missing", f"台账中没有 {record}", f"the ledger has no entry about {record}")
    return int(newest)


def _chain(certificate: Evidence) -> dict[str, bytes]:
    body: Any = certificate.openings["body"].value
    pems = [x509.load_der_x509_certificate(b64decode(each)).public_bytes(Encoding.PEM) for each in body["chain"]]
    return {"chain/signer.pem": pems[0], "chain/issuers.pem": b"".join(pems[1:])}


def _consistency(shop: Workshop, notes: list[str], now: datetime) -> bytes:
    """That every checkpoint used is the beginning of the newest one."""
    with shop.database.read() as connection:
        size = store.read_head(connection).range.size
    newest = shop.book.checkpoint(now, size)
    sizes = sorted({int(note.split("\n", 2)[1]) for note in notes} - {newest.size})
    with shop.database.read() as connection:
        read = store.node_reader(connection)
        proofs: list[JsonValue] = [
            {"from": each, "proof": _texts(merkle.consistency_proof(each, newest.size, read))} for each in sizes
        ]
    return canonical({"checkpoint": newest.note, "size": newest.size, "proofs": proofs})


def _texts(hashes: list[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in hashes]


def _shipped() -> Iterator[tuple[str, bytes]]:
    """The script, the description, and the sources of the rules: all versions stand in the same files."""
    for name in ("FORMAT.md", "judge.py"):
        yield name, (_DATA / name).read_bytes()
    for path in sorted(_POLICIES.rglob("*.py")):
        yield f"rules/{path.relative_to(_POLICIES).as_posix()}", path.read_bytes()


def _manifest(members: Mapping[str, bytes], impression: str, now: datetime) -> bytes:
    listed = {
        name: {"sha256": sha256(data).hexdigest(), "proven_by": _PROVEN_BY[name.split("/")[0]]}
        for name, data in members.items()
    }
    return canonical({"d": FORM, "impression": impression, "created": to_text(now), "members": listed})


def _zip(members: Mapping[str, bytes]) -> bytes:
    """One time for all members and a fixed order, so that equal members give equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _FIXED)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, members[name])
    return target.getvalue()
