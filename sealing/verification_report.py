"""The report on a verdict, sealed with the service's own verification seal.

That the key is used is an entry of the ledger before it is used, as with every key; the entry holds digests only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Final

from keystore.interface import Grounds, Permit
from ledger.canonical import JsonValue, digest
from ledger.entry import Draft
from ledger.ids import new_id
from ledger.moments import to_text
from sealing.entries import signature_subject
from sealing.grounds import report_grounds
from sealing.report_page import typeset
from sealing.service_keys import OpenedKey, service_key
from sealing.time_stamping import TOKEN_RESERVE, Path, time_stamper
from sealing.validation_data import for_time_stamps
from sealing.workshop import Workshop
from signer.byte_layout import Layout
from signer.seal_file import Prepared, SealedFile, check_signature, embed, measure
from verify.report import Language
from verify.verdict import FORM, Verdict

INTENDED: Final = "report.intended"
MADE: Final = "report.made"
_PREPARE: Final = "signer.report_desk:prepare_report"


def make_report(shop: Workshop, verdict: Verdict, *, name: str, language: Language, now: datetime) -> bytes:
    """The sealed report on ``verdict``, PDF/A-2b. ``name`` is what the file that was judged was called.

    It is PAdES B-LT: what cannot be had for that stops it before the key is used, and nothing is lowered. Called
    outside any transaction. Raises :class:`sealing.errors.UnavailableError`, ``sandbox``, ``signer``, ``keystore``,
    ``ledger`` and ``registry`` errors.
    """
    number = new_id("rpt")
    pdf = typeset(verdict, name=name, number=number, language=language, now=now)
    key, stamper = service_key(shop, "report", now), time_stamper(shop)
    data = for_time_stamps(shop, (_path(shop, key), stamper.probe(now)), now)
    with _files(shop) as (source, target):
        source.write_bytes(pdf)
        arguments = {"source": str(source), "target": str(target), "reason": number, "now": to_text(now)}
        answer = shop.workers.call(_PREPARE, arguments | {"validation_data": data.to_json()})
        prepared = measure(
            target,
            Layout.from_json(answer["layout"]),
            source_digest=sha256(pdf).digest(),
            chain=key.chain,
            algorithm=key.handle.algorithm,
            token_reserve=TOKEN_RESERVE,
        )
        intent = _intend(shop, number, verdict, prepared, now)
        signature = _signed(prepared, key, report_grounds(shop, key.handle, prepared, intent=intent, now=now))
        token = stamper.token(sha256(signature).digest(), now)
        sealed = embed(prepared, signature, token.der)
        _record(shop, number, intent, sealed, now)
        return sealed.path.read_bytes()


def _signed(prepared: Prepared, key: OpenedKey, grounds: Grounds | None) -> bytes:
    """One use of the key, checked before a time-stamp is asked for it."""
    message = prepared.to_be_signed
    signature = key.handle.sign(Permit.to_sign(key.handle, message, grounds), message)
    check_signature(prepared, signature)
    return signature


def _path(shop: Workshop, key: OpenedKey) -> Path:
    return key.certificate, shop.installation.issuer_certificate, shop.installation.root_certificate


def _intend(shop: Workshop, number: str, verdict: Verdict, prepared: Prepared, now: datetime) -> int:
    """The number of the entry that must be there before the key is used."""
    to_be_signed = "sha256:" + sha256(prepared.to_be_signed).hexdigest()
    group = {
        "report": number,
        "file_digest": verdict.file_digest,
        "verdict_digest": digest(FORM, verdict.to_json()),
        "indication": str(verdict.indication),
        "to_be_signed": to_be_signed,
    }
    draft = Draft(kind=INTENDED, subjects=(number, signature_subject(to_be_signed)), groups={"report": group})
    with shop.database.write() as connection:
        return shop.book.append(connection, draft, now).index


def _record(shop: Workshop, number: str, intent: int, sealed: SealedFile, now: datetime) -> None:
    """Nothing leaves before its entry: a report that nobody got has an intent and no such entry."""
    group: dict[str, JsonValue] = {
        "report": number,
        "intent_entry": intent,
        "sealed_digest": "sha256:" + sealed.digest.hex(),
    }
    with shop.database.write() as connection:
        shop.book.append(connection, Draft(kind=MADE, subjects=(number,), groups={"report": group}), now)


@contextmanager
def _files(shop: Workshop) -> Iterator[tuple[FilePath, FilePath]]:
    """Two private places that are empty again afterwards."""
    paths = shop.documents.unused().absolute(), shop.documents.unused().absolute()
    try:
        yield paths
    finally:
        for path in paths:
            path.unlink(missing_ok=True)
