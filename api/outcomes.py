"""From an order to what a caller is told of its outcome; both ways in come through here."""

from time import perf_counter
from typing import Any

from pydantic import ConfigDict
from starlette.responses import JSONResponse, Response

from api import files
from api.bodies import Answer
from api.errors import RefusedError
from api.negotiation import PDF
from api.openapi import Sentence
from api.problems import problem
from api.service import Service
from sealing import impressions
from sealing.errors import NotWitnessedError, StorageError, UnknownError
from sealing.impressions import Impression
from sealing.order import Caller, Order, Outcome, Submission
from sealing.receipts import receipt
from sealing.renewed_files import newest_file

FOREIGN = "caller_for_grantee"
"""The rule whose failure hides all others: a stranger learns nothing about the organ's seals and cases."""


class SealedAnswer(Answer):
    """A sealed document: where it is, and what proves it; no receipt until enough witnesses have cosigned."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "impression": "imp-aaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "application": "app-aaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "entry": 17,
                    "sealed_digest": "sha256:" + "0" * 64,
                    "level": "PAdES-B-T",
                    "level_asked": "PAdES-B-LT",
                    "lowered_because": "revocation-unavailable",
                    "document": "/v1/impressions/imp-aaaaaaaaaaaaaaaaaaaaaaaaaa/document",
                    "receipt": {
                        "d": "yinxin/receipt/v1",
                        "impression": "imp-aaaaaaaaaaaaaaaaaaaaaaaaaa",
                        "evidence": {},
                    },
                    "findings": [],
                }
            ]
        },
    )

    impression: str
    application: str
    entry: int
    sealed_digest: str
    level: str | None
    level_asked: str | None
    lowered_because: str | None
    document: str
    receipt: dict[str, Any] | None
    findings: list[Sentence]


def read_order(data: bytes) -> Order:
    """The order part. Raises ``pydantic.ValidationError``, told as a malformed request."""
    return Order.model_validate_json(data)


def seal(service: Service, submission: Submission, caller: Caller, *, application: str | None = None) -> Outcome:
    """Put the order through the sealing thread and count it. Raises what ``Sealer.seal`` raises, and overload."""
    begun = perf_counter()
    with service.metrics.waiting.track_inprogress():
        try:
            outcome = service.sealing.run(lambda: service.sealer.seal(submission, caller, application=application))
        except Exception as error:
            service.metrics.sealed(outcome=problem(error).code, findings=(), seconds=perf_counter() - begun)
            raise
    told = "replayed" if outcome.replayed else outcome.state
    findings = () if outcome.replayed else outcome.findings
    service.metrics.sealed(outcome=told, findings=findings, seconds=perf_counter() - begun)
    return outcome


def sealed_answer(service: Service, outcome: Outcome, form: str) -> Response:
    """The sealed document in the form asked for. Raises :class:`RefusedError` for a refusal."""
    if outcome.state == "refused" or outcome.impression is None:
        raise _refused(outcome)
    with service.shop.database.read() as connection:
        impression = impressions.checked(connection, service.shop.book, outcome.impression)
    here = address(impression)
    status = 200 if outcome.replayed else 201
    headers = {"Location": here} | ({"Idempotency-Replayed": "true"} if outcome.replayed else {})
    if form == PDF:
        answer = document(service, impression)
        answer.status_code = status
        answer.headers.update(headers | {"Link": f'<{here}/receipt>; rel="describedby"'})
        return answer
    body = {
        "impression": impression.id,
        "application": outcome.application,
        "entry": outcome.entry,
        "sealed_digest": impression.sealed_digest,
        "level": outcome.level,
        "level_asked": outcome.level_asked,
        "lowered_because": outcome.lowered_because,
        "document": f"{here}/document",
        "receipt": _receipt_if_witnessed(service, impression),
        "findings": shown_findings(outcome.findings),
    }
    return JSONResponse(body, status, headers=headers)


def _receipt_if_witnessed(service: Service, impression: Impression) -> dict[str, Any] | None:
    """The receipt, or None as long as witnesses are away: what was sealed is told all the same."""
    try:
        return receipt(service.shop, impression, service.now()).to_json()
    except NotWitnessedError:
        return None


def document(service: Service, impression: Impression) -> Response:
    """The newest file of an impression, hashed again before it leaves. Raises ``StorageError``."""
    digest = newest_digest(service, impression)
    try:
        path = service.shop.documents.read_path(digest)
    except UnknownError as error:
        raise _lost(impression) from error
    return files.file_at(path, name=f"{impression.id}.pdf", media_type=PDF, digest=digest)


def newest_digest(service: Service, impression: Impression) -> str:
    """The digest of the file that a download gives now: the sealed one, or its last renewal."""
    with service.shop.database.read() as connection:
        return newest_file(connection, service.shop.book, impression).digest


def address(impression: Impression) -> str:
    """The path of an impression."""
    return f"/v1/impressions/{impression.id}"


def shown_findings(findings: list[dict[str, Any]], *, inside: bool = False) -> list[dict[str, Any]]:
    """What may be told of a judgement; every route that tells findings asks here.

    The findings speak of the grantee's seal, persons and cases. A caller that may not act for the grantee is told that
    alone, unless it looks from ``inside``: the grantor of the seal, the auditor.
    """
    foreign = [finding for finding in findings if finding["code"] == FOREIGN and not finding["passed"]]
    return foreign if foreign and not inside else findings


def _refused(outcome: Outcome) -> RefusedError:
    failed = [finding for finding in shown_findings(outcome.findings) if not finding["passed"]]
    codes = ", ".join(finding["code"] for finding in failed)
    return RefusedError(
        "refused",
        f"未盖章，{len(failed)} 条规则未通过：{codes}",
        f"not sealed; rules that failed ({len(failed)}): {codes}",
        findings=failed,
        replayed=outcome.replayed,
    )


def _lost(impression: Impression) -> StorageError:
    return StorageError(
        "document-lost",
        f"用章记录 {impression.id} 的盖章文件不在文件库中",
        f"the sealed document of impression {impression.id} is missing from the store",
    )
