"""Step 2 of the seal cycle, without any lock: examine the PDF, open the key, prepare the bytes to be signed."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from keystore.interface import SigningKey
from ledger.moments import to_text
from sealing.check_codes import new_check_code
from sealing.errors import ConflictError
from sealing.inspection import Inspection
from sealing.levels import Level, plan_level
from sealing.order import Submission
from sealing.parts import Pins, SealParts, seal_parts
from sealing.workshop import Workshop
from signer.byte_layout import Layout
from signer.seal_file import Prepared, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A document with an empty place for the seal. Lives for one attempt; never stored, never resumed.

    ``check_code`` is printed beside the face as ``check_mark`` tells (form, page and place), None where nothing is.
    ``level``, ``pins``, ``ready`` and ``handle`` are None when the order names no usable seal or the document has
    objections: then only a refusal can follow.
    """

    source_digest: str
    inspection: Inspection
    target: Path
    since: int  # the last entry of the record when ``parts`` were read
    parts: SealParts | None
    pins: Pins | None
    ready: Prepared | None
    handle: SigningKey | None
    planned: Level | None = None
    check_code: str = ""
    check_mark: dict[str, Any] | None = None

    @property
    def level(self) -> Level:
        """The level that is aimed at. Raises :class:`ConflictError` when nothing was prepared."""
        if self.planned is None:
            raise _not_prepared()
        return self.planned

    @property
    def prepared(self) -> Prepared:
        """The prepared file. Raises :class:`ConflictError` when there is none."""
        if self.ready is None:
            raise _not_prepared()
        return self.ready

    @property
    def key(self) -> SigningKey:
        """The handle of the seal's key. Raises :class:`ConflictError` when there is none."""
        if self.handle is None:
            raise _not_prepared()
        return self.handle

    @property
    def to_be_signed_digest(self) -> str:
        """SHA-256 of the signed attributes, the exact message that the key will sign."""
        return "sha256:" + sha256(self.prepared.to_be_signed).hexdigest()

    def discard(self) -> None:
        """Remove the working file, if the seal cycle has not moved it into the store."""
        self.target.unlink(missing_ok=True)


def prepare(shop: Workshop, submission: Submission, now: datetime) -> Preparation:
    """Look at the document in a worker process and prepare it for the seal that the order names.

    Raises ``signer.errors.PlacementError`` for a place where no seal can stand, ``sandbox`` errors when the
    document is too expensive to look at, ``keystore`` errors when the key cannot be opened, and
    :class:`sealing.errors.UnavailableError` when the level of the seal cannot be had now.
    """
    with shop.database.read() as connection:
        since = shop.book.size(connection) - 1
        parts = seal_parts(connection, shop.registry, submission.order.seal)
    target = shop.documents.unused()
    try:
        if parts is None:
            answer = shop.workers.call("signer.desk:inspect_document", inspection_arguments(shop, submission))
            return _only_inspected(submission, target, answer, parts, since)
        level, code = plan_level(shop, parts, now), new_check_code()
        answer = shop.workers.call(
            "signer.desk:prepare_document",
            inspection_arguments(shop, submission)
            | _seal_arguments(submission, target, parts, now)
            | {
                "validation_data": None if level.data is None else level.data.to_json(),
                "check_mark": _check_mark(shop, submission, parts, code),
            },
            seconds=shop.seconds_for(submission.source),
        )
        if answer["layout"] is None:
            return _only_inspected(submission, target, answer, parts, since)
        handle = shop.keystore.open(parts.key.record.key_ref)
        ready = measure(
            target,
            Layout.from_json(answer["layout"]),
            source_digest=bytes.fromhex(submission.document.removeprefix("sha256:")),
            chain=parts.chain,
            algorithm=handle.algorithm,
            token_reserve=level.token_reserve,
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Preparation(
        source_digest=submission.document,
        inspection=Inspection.of(answer),
        target=target,
        since=since,
        parts=parts,
        pins=parts.pins,
        ready=ready,
        handle=handle,
        planned=level,
        check_code=code,
        check_mark=answer["check_mark"],
    )


def _only_inspected(
    submission: Submission, target: Path, answer: dict[str, Any], parts: SealParts | None, since: int
) -> Preparation:
    return Preparation(
        source_digest=submission.document,
        inspection=Inspection.of(answer),
        target=target,
        since=since,
        parts=parts,
        pins=None,
        ready=None,
        handle=None,
    )


def inspection_arguments(shop: Workshop, submission: Submission) -> dict[str, Any]:
    """What ``signer.desk:inspect_document`` is asked with."""
    return {
        "source": str(submission.source.absolute()),
        "tolerated_fonts": list(shop.settings.tolerated_fonts),
        "allowed_attachments": [],
    }


def _seal_arguments(submission: Submission, target: Path, parts: SealParts, now: datetime) -> dict[str, Any]:
    seal, order = parts.seal.record, submission.order
    return {
        "target": str(target.absolute()),
        "placement": order.placement,
        "specimen": {
            "name": seal.name,
            "number": seal.number,
            "diameter_mm": seal.specimen.diameter_mm,
            "sample": parts.key.record.issuer == "internal",
        },
        "final": order.final,
        "signature": {
            "name": seal.name,
            "reason": f"行政审批用章 {order.case_number}",
            "location": parts.grantor.record.legal_name,
        },
        "now": to_text(now),
    }


def _check_mark(shop: Workshop, submission: Submission, parts: SealParts, code: str) -> dict[str, str] | None:
    """The mark that the seal's policy asks for; no order can switch it off."""
    form, order = parts.seal.record.check_mark, submission.order
    if form == "none":
        return None
    return {
        "form": form,
        "code": code,
        "url": f"{shop.settings.public_url}/c/{code}",
        "number": order.document_number or order.licence_number or order.case_number,
    }


def _not_prepared() -> ConflictError:
    return ConflictError("not-prepared", "文件未能准备盖章", "the document was not prepared for a seal")
