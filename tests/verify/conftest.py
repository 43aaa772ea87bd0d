"""Files sealed by the real packages, with their receipts, and what a verifier would be given to trust."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from world import START, World, build_world

from authority.certificates import make_root
from authority.revocation import Reason, Revoked, make_crl
from keystore.interface import Keystore
from ledger.checkpoint import LogIdentity
from ledger.entry import Draft
from sealing import impressions, receipts
from sealing.errors import AbandonedError
from sealing.seal import Sealer
from sealing.workshop import Workshop, open_workshop
from verify.judge import judge
from verify.receipt import GROUPS, Receipt
from verify.trust import Trust
from verify.verdict import Verdict

sys.path.insert(0, str(Path(__file__).parent))  # verify_updates, beside the tests
from verify_updates import Stranger

NOW = START + timedelta(days=1)


@dataclass(slots=True, kw_only=True)
class Sealed:
    """One sealed file with its receipt."""

    path: Path
    receipt: Receipt
    intent: Receipt

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()


@dataclass(slots=True, kw_only=True)
class Archive:
    """What one installation sealed: several files, one attempt that was abandoned, and keys to make lists with."""

    folder: Path
    trust: Trust
    shop: Workshop
    keystore: Keystore
    final: Sealed
    other: Sealed
    unfinished: Sealed
    twice: Path
    second: Receipt
    attested: Sealed
    streams: Sealed
    abandoned: Sealed
    issuer: x509.Certificate
    issuer_key: str
    root_key: str
    made: list[Path] = field(default_factory=list)

    def write(self, data: bytes) -> Path:
        path = self.folder / f"made-{len(self.made)}.pdf"
        path.write_bytes(data)
        self.made.append(path)
        return path

    def judge(self, source: Path | bytes, receipt: Receipt | None = None, **changed: object) -> Verdict:
        path = source if isinstance(source, Path) else self.write(source)
        given = {"trust": self.trust, "now": NOW} | changed
        return judge(path, receipt=receipt, **given)  # type: ignore[arg-type]  # by name

    def serial(self, sealed: Sealed) -> int:
        return int(sealed.receipt.evidence.openings["seal"].value["certificate_serial"], 16)

    def crl(self, *revoked: Revoked, now: datetime = NOW, number: int = 1) -> bytes:
        key = self.keystore.open(self.issuer_key)
        return make_crl(self.issuer, key, revoked, number=number, now=now, next_update=now + timedelta(hours=12))

    def revoked(self, sealed: Sealed, when: datetime, reason: Reason = "key_compromise") -> bytes:
        return self.crl(Revoked(serial=self.serial(sealed), time=when, reason=reason))

    def forge(self, sealed: Sealed, *, kind: str = "seal.impressed", drop: str = "", **changed: object) -> Receipt:
        """What a dishonest operator could do: one more entry in the log itself, with other values in its groups."""
        groups = {group: opening.value for group, opening in sealed.receipt.evidence.openings.items() if group != drop}
        for group, values in changed.items():
            groups[group] = groups[group] | values if isinstance(values, dict) else values
        impression = sealed.receipt.impression
        draft = Draft(kind=kind, subjects=(impression,), groups=groups)
        with self.shop.database.write() as connection:
            entry = self.shop.book.append(connection, draft, START)
        return Receipt(impression=impression, evidence=self.shop.book.evidence(entry.index, groups.keys(), START))

    def trusting(self, **changed: object) -> Trust:
        return replace(self.trust, **changed)  # type: ignore[arg-type]  # by name

    def other_root(self) -> x509.Certificate:
        return make_root(self.keystore.generate("ca", "ecdsa-p256-sha256"), "另一根", now=START)

    def other_log(self, origin: str) -> LogIdentity:
        return LogIdentity.of_key(origin, self.keystore.generate("log", "ed25519"))


class Printer:
    """Seals with one installation and keeps file and receipts."""

    def __init__(self, shop: Workshop, world: World, folder: Path) -> None:
        self.shop, self.world, self.folder = shop, world, folder

    def seal(self, document: Path, order: object, approval: str, name: str) -> Sealed:
        outcome = Sealer(self.shop, clock=lambda: START).seal(
            self.world.submit(order, document, approval), self.world.clients["platform"]
        )
        assert outcome.state == "sealed", [each for each in outcome.findings if not each["passed"]]
        with self.shop.database.read() as connection:
            impression = impressions.get(connection, outcome.impression)
        receipt = receipts.receipt(self.shop, impression, START)
        intent = receipt.evidence.openings["application"].value["intent_entry"]
        target = self.folder / f"{name}.pdf"
        shutil.copy(self.shop.documents.read_path(impression.sealed_digest), target)
        return Sealed(path=target, receipt=receipt, intent=self.receipt_of(intent, impression.id))

    def receipt_of(self, index: int, impression: str) -> Receipt:
        with self.shop.database.read() as connection:
            groups = set(self.shop.book.entry(connection, index).openings) & set(GROUPS)
        return Receipt(impression=impression, evidence=self.shop.book.evidence(index, groups, START))

    def print(self, name: str, **changed: object) -> Sealed:
        order = self.world.order("city", **changed)
        document = self.world.document("city", order, self.folder)
        return self.seal(document, order, self.world.approve("city", order, document), name)

    def streams(self) -> Sealed:
        """A document with object streams and a cross-reference stream."""
        order = self.world.order("city")
        document = self.world.document("city", order, self.folder)
        packed = self.folder / "packed.pdf"
        with pikepdf.open(document) as pdf:
            pdf.save(packed, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return self.seal(packed, order, self.world.approve("city", order, packed), "streams")

    def attested(self) -> Sealed:
        order = self.world.order("city")
        document = self.world.document("city", order, self.folder)
        approval = self.world.approve("city", order, document, signed_with=self.world.attesting)
        return self.seal(document, order, approval, "attested")

    def twice(self, first: Sealed) -> Sealed:
        """The unfinished file gets a second seal, which locks it."""
        opened = {group: opening.value for group, opening in first.receipt.evidence.openings.items()}
        order = self.world.order(
            "city",
            case_number=opened["case"]["case_number"],
            document_number=opened["numbers"]["document_number"],
            copy="duplicate 1",
            placement={"kind": "position", "page": 1, "x_mm": "60", "y_mm": "60"},
        )
        return self.seal(first.path, order, self.world.approve("city", order, first.path), "twice")

    def abandoned(self, after: int) -> Sealed:
        """The key was used and the signed file written; then the attempt was given up."""
        order = self.world.order("city")
        document = self.world.document("city", order, self.folder)
        target = self.folder / "abandoned.pdf"

        def at(step: str) -> None:
            if step == "sealed_file_written":
                newest = max(self.shop.documents.incoming.glob("*.pdf"), key=lambda path: path.stat().st_mtime_ns)
                shutil.copy(newest, target)
                raise AbandonedError("stopped", "测试中止", "stopped by the test")

        submission = self.world.submit(order, document, self.world.approve("city", order, document))
        with pytest.raises(AbandonedError):
            Sealer(self.shop, clock=lambda: START, at=at).seal(submission, self.world.clients["platform"])
        intent = self.receipt_of(after + 1, "att-" + "a" * 26)
        kept = self.receipt_of(after + 2, "att-" + "a" * 26)
        return Sealed(path=target, receipt=kept, intent=intent)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("verify")
    settings, plan = build_world(folder / "data")
    with open_workshop(settings) as shop:
        printer = Printer(shop, plan.fill(shop), folder)
        unfinished = printer.print("unfinished", final=False)
        second = printer.twice(unfinished)
        streams = printer.streams()
        final, other, attested = printer.print("final"), printer.print("other"), printer.attested()
        abandoned = printer.abandoned(after=attested.receipt.evidence.index)
        yield Archive(
            folder=folder,
            trust=Trust(roots=(shop.installation.root_certificate,), logs=(shop.identity,)),
            shop=shop,
            keystore=shop.keystore,
            final=final,
            other=other,
            unfinished=unfinished,
            twice=second.path,
            second=second.receipt,
            attested=attested,
            streams=streams,
            abandoned=abandoned,
            issuer=shop.installation.issuer_certificate,
            issuer_key=shop.installation.issuer_key,
            root_key=shop.installation.root_key,
        )


def codes(verdict: Verdict) -> set[str]:
    """The codes of everything that speaks against the file."""
    return {each.code for each in verdict.all_findings if each.severity in {"failure", "doubt"}}


@pytest.fixture
def against() -> Callable[[Verdict], set[str]]:
    return codes


@pytest.fixture(scope="session")
def stranger() -> Stranger:
    return Stranger()
