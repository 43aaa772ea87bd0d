"""Judges an uploaded PDF for anybody who asks: in a worker, against this installation's own log, and as of now.

First which signatures there are, then what our log says of each, then the judgement with its answers. A file that
breaks a worker, or costs more than the limits, cannot be told; that is a verdict too, with the reason in it.
"""

from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from ledger.moments import to_text
from registry.errors import RowTamperedError
from sandbox.errors import SandboxError, WorkerOverloadedError
from sealing import revocation
from sealing.entries import signature_subject
from sealing.outside_services import read_roots
from sealing.present_status import present_status
from sealing.workshop import Workshop
from verify.bounded import failed, told
from verify.ledger_evidence import ABANDONED, IMPRESSED
from verify.receipt import GROUPS, Receipt
from verify.verdict import Finding, Verdict, doubt

_SHOWN: Final = tuple(group for group in GROUPS if group != "persons")
"""What the holder of a sealed file may learn from the record without a receipt: no names of persons."""
_BYTES_A_SECOND: Final = 10_000_000
_MOST_SIGNATURES: Final = 100
"""The log is asked about so many signatures of a file; one that has more is no document of ours."""


def judge_upload(shop: Workshop, path: Path, *, length: int, receipt: Receipt | None, now: datetime) -> Verdict:
    """The verdict on the file at ``path`` of ``length`` bytes.

    A crash, a loop or a bomb is INDETERMINATE, ``judging_failed``; so is a registry row that does not fit the ledger,
    ``status_unreadable``. Raises ``sandbox.errors.WorkerOverloadedError``, which is no fault of the file, ``OSError``,
    ``ledger`` and ``keystore`` errors.
    """
    arguments = {
        "document": str(path.absolute()),
        "receipt": None if receipt is None else receipt.to_json(),
        "now": to_text(now),
        **_trusted(shop, now),
    }
    seconds = shop.settings.sandbox_seconds * max(1.0, length / _BYTES_A_SECOND)
    try:
        return _judged(shop, arguments, seconds=seconds, now=now)
    except WorkerOverloadedError:
        raise
    except SandboxError as error:
        return told(path, now, failed(error.code, error.zh, error.en))
    except RowTamperedError as error:
        return told(path, now, _status_unreadable(error))


def _trusted(shop: Workshop, now: datetime) -> dict[str, Any]:
    """What the service trusts: its own root and log, and those whom its operator names.

    With the present revocation lists of its own authority; what others revoked stands in the file, or is not known.
    """
    return {
        "roots": [shop.installation.root, *_pem(shop.settings.licensed_roots)],
        "timestamp_roots": _pem(shop.settings.timestamp_roots),
        "witnesses": [each.identity.vkey for each in shop.witnesses],
        "logs": [shop.identity.vkey],
        "crls": [b64encode(each).decode() for each in (revocation.crl(shop, now), revocation.root_crl(shop, now))],
    }


def _pem(path: Path | None) -> list[str]:
    return [each.public_bytes(Encoding.PEM).decode() for each in read_roots(path)]


def _judged(shop: Workshop, arguments: dict[str, Any], *, seconds: float, now: datetime) -> Verdict:
    call = shop.workers.call
    found = call("verify.desk:list_signatures", {"document": arguments["document"]}, seconds=seconds)
    answers = {digest: log_answer(shop, digest, now) for digest in found[:_MOST_SIGNATURES]}
    return Verdict.from_json(call("verify.desk:judge_document", arguments | {"log_answers": answers}, seconds=seconds))


def log_answer(shop: Workshop, to_be_signed: str, now: datetime) -> dict[str, Any]:
    """What our own log says of a signature. One that is only intended has never left as a seal use: it is absent."""
    with shop.database.read() as connection:
        entry = shop.book.latest(connection, signature_subject(to_be_signed))
        if entry is None or entry.kind not in {IMPRESSED, ABANDONED}:
            return {"state": "absent"}
        if entry.kind == ABANDONED:
            return {"state": "abandoned"}
        status = present_status(shop, connection, entry, now)
    evidence = shop.book.evidence(entry.index, _SHOWN, now)
    receipt = Receipt(impression=entry.leaf.subjects[0], evidence=evidence)
    return {"state": "found", "receipt": receipt.to_json(), "status": status}


def _status_unreadable(error: RowTamperedError) -> Finding:
    return doubt(
        "status_unreadable",
        f"登记内容与台账不符，无法判断（{error.code}）",
        f"the registry does not fit the ledger, so nothing can be told ({error.code})",
    )
