"""What a worker process does to judge a foreign PDF: JSON in and JSON out."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from verify.case import mapped
from verify.judge import judge
from verify.ledger_evidence import AskLog, LogAnswer, Trace
from verify.receipt import Receipt
from verify.signature import to_be_signed
from verify.signature_reading import open_reader, read_signatures
from verify.trust import Trust, TrustError, read_logs, read_roots, read_witnesses


def list_signatures(*, document: str) -> list[str]:
    """The digests of the bytes signed (``to_be_signed``, ``sha256:…``) of every signature in the file at ``document``.

    By them a log is asked before :func:`judge_document` judges with its answers. None for a file that cannot be read as
    a PDF: then the judgement says why.
    """
    with mapped(Path(document)) as (stream, data):
        try:
            readings = read_signatures(data, open_reader(stream)[0]).readings
        except Exception:  # noqa: BLE001  whatever a parser raises, judging will meet again and name
            return []
        return [to_be_signed(reading) for reading in readings]


def judge_document(  # noqa: PLR0913  each is a member of the request
    *,
    document: str,
    receipt: dict[str, Any] | None,
    roots: list[str],
    logs: list[str],
    crls: list[str],
    now: str,
    ocsps: list[str] | None = None,
    timestamp_roots: list[str] | None = None,
    witnesses: list[str] | None = None,
    log_answers: dict[str, dict[str, Any]] | None = None,
    further_receipts: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Judge the file at the path ``document`` and answer :meth:`verify.verdict.Verdict.to_json`.

    ``roots`` and ``timestamp_roots`` are PEM, ``logs`` and ``witnesses`` verifier keys, ``crls`` and ``ocsps`` base64
    of DER, ``now`` RFC 3339 with a zone. ``log_answers`` is what the log at hand (one of ``logs``) says, by digest:
    :func:`list_signatures`, or ``digests`` in a first verdict (sealed, byte_range, to_be_signed), name what to ask
    for; each answer has ``state`` (found, absent, abandoned) and may have ``receipt`` and ``status`` (what has become
    of seal, agreement, certificate and document). Raises ``ReceiptError`` and ``TrustError``.
    """
    verdict = judge(
        Path(document),
        receipt=None if receipt is None else Receipt.from_json(receipt),
        trust=Trust(
            roots=_roots(roots),
            logs=tuple(log for text in logs for log in read_logs(text.encode())),
            crls=_decoded("crl-unreadable", crls),
            ocsps=_decoded("ocsp-unreadable", ocsps or ()),
            timestamp_roots=_roots(timestamp_roots or ()),
            witnesses=tuple(each for text in witnesses or () for each in read_witnesses(text.encode())),
        ),
        now=datetime.fromisoformat(now),
        ask_log=None if log_answers is None else _asker(log_answers),
        further_receipts=[Receipt.from_json(each) for each in further_receipts or ()],
    )
    return verdict.to_json()


def _roots(texts: Iterable[str]) -> tuple[x509.Certificate, ...]:
    return tuple(root for pem in texts for root in read_roots(pem.encode()))


def _decoded(code: str, texts: Iterable[str]) -> tuple[bytes, ...]:
    try:
        return tuple(b64decode(each, validate=True) for each in texts)
    except (Base64Error, ValueError) as error:
        raise TrustError(
            code, "吊销列表和应答应为 base64 编码的 DER", "revocation lists and answers are expected as base64 of DER"
        ) from error


def _asker(answers: Mapping[str, Mapping[str, Any]]) -> AskLog:
    def ask(trace: Trace) -> LogAnswer | None:
        digests = (trace.to_be_signed, trace.sealed_digest, trace.byte_range_digest)
        given = next((answers[digest] for digest in digests if digest in answers), None)
        if given is None:
            return None
        receipt = given.get("receipt")
        return LogAnswer(
            state=given["state"],
            receipt=None if receipt is None else Receipt.from_json(receipt),
            status=given.get("status"),
        )

    return ask
