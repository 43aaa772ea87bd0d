"""The sealed files that are attacked, made once by one installation, their receipts, and what a verifier trusts."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pikepdf
from attacks.stranger import Stranger
from world import PLAIN, START, World, build_world, letter, lines

from authority.revocation import Reason, Revoked, make_crl
from sealing import impressions, receipts
from sealing.administration.seals import SealPolicy
from sealing.seal import Sealer
from sealing.workshop import Workshop, open_workshop
from verify.receipt import Receipt
from verify.trust import Trust

NOW = START + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One sealed file with its receipt, and those of earlier seals in it."""

    data: bytes
    receipt: Receipt
    earlier: tuple[Receipt, ...] = ()


class Base:
    """Sealed files by name, and the keys to make revocation lists with."""

    def __init__(self, shop: Workshop, world: World, folder: Path) -> None:
        self.shop, self.world, self.folder = shop, world, folder
        self.stranger = Stranger()
        self.trust = Trust(roots=(shop.installation.root_certificate,), logs=(shop.identity,))
        self._sealed: dict[str, Sealed] = {}

    def __getitem__(self, name: str) -> Sealed:
        """A sealed file; made when it is first asked for. ``MAKERS`` and the honest files have the names."""
        if name not in self._sealed:
            makers = MAKERS if name in MAKERS else importlib.import_module("attacks.honest").SEALED
            self._sealed[name] = makers[name](self)
        return self._sealed[name]

    @property
    def final(self) -> bytes:
        """The plain file under attack: one seal, which locks."""
        return self["final"].data

    @property
    def unlocked(self) -> bytes:
        """A file whose seal does not lock."""
        return self["unlocked"].data

    @cached_property
    def stamped(self) -> bytes:
        """The plain file with a document time-stamp of a stranger."""
        return self.stranger.timestamp(self.final)

    def trusting_stranger(self) -> Trust:
        return replace(self.trust, roots=(*self.trust.roots, self.stranger.certificate))

    def crl(self, name: str, when: datetime, reason: Reason = "key_compromise") -> bytes:
        serial = int(self[name].receipt.evidence.openings["seal"].value["certificate_serial"], 16)
        installation = self.shop.installation
        return make_crl(
            installation.issuer_certificate,
            self.shop.keystore.open(installation.issuer_key),
            [Revoked(serial=serial, time=when, reason=reason)],
            number=1,
            now=NOW,
            next_update=NOW + timedelta(hours=12),
        )

    def seal(self, agreement: str = "city", *, pdf: Any = None, pages: int = 1, **changed: Any) -> Sealed:
        """Seal a letter, or what ``pdf`` makes of it."""
        order = self.world.order(agreement, **changed)
        document = self.folder / f"source-{len(list(self.folder.glob('source-*')))}.pdf"
        document.write_bytes(letter(lines(agreement, order), pages=pages))
        if pdf is not None:
            pdf(document)
        return self.seal_file(agreement, order, document)

    def seal_file(self, agreement: str, order: Any, document: Path) -> Sealed:
        approval = self.world.approve(agreement, order, document)
        outcome = Sealer(self.shop, clock=lambda: START).seal(
            self.world.submit(order, document, approval), self.world.clients["platform"]
        )
        if outcome.state != "sealed":
            raise AssertionError([each for each in outcome.findings if not each["passed"]])
        with self.shop.database.read() as connection:
            impression = impressions.get(connection, outcome.impression)
        receipt = receipts.receipt(self.shop, impression, START)
        return Sealed(data=self.shop.documents.read_path(impression.sealed_digest).read_bytes(), receipt=receipt)

    def second(self, first: Sealed, **changed: Any) -> Sealed:
        """One more seal on a sealed file."""
        opened = {group: opening.value for group, opening in first.receipt.evidence.openings.items()}
        given = {
            "case_number": opened["case"]["case_number"],
            "document_number": opened["numbers"]["document_number"],
            "copy": "duplicate 1",
            "placement": {"kind": "position", "page": 1, "x_mm": "60", "y_mm": "60"},
        }
        order = self.world.order("city", **(given | changed))
        document = self.folder / f"first-{len(list(self.folder.glob('first-*')))}.pdf"
        document.write_bytes(first.data)
        sealed = self.seal_file("city", order, document)
        return replace(sealed, earlier=(*first.earlier, first.receipt))


def packed(path: Path) -> None:
    """Object streams and a cross-reference stream."""
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, object_stream_mode=pikepdf.ObjectStreamMode.generate)


MAKERS: dict[str, Any] = {
    "final": lambda base: base.seal(),
    "other": lambda base: base.seal(),
    "unlocked": lambda base: base.seal(final=False),
    "twice": lambda base: base.second(base["unlocked"]),
    "pages": lambda base: base.seal(pages=3),
    "packed": lambda base: base.seal(pdf=packed),
    "town": lambda base: base.seal("town", licence_number="卫证字〔2026〕0001号"),
    "forest": lambda base: base.seal("forest", licence_number="林采字〔2026〕0001号"),
}


@contextmanager
def open_base(folder: Path, policy: SealPolicy = PLAIN) -> Iterator[Base]:
    """An installation in ``folder`` whose seals have this ``policy``, filled with the world of the tests."""
    settings, plan = build_world(folder / "data", policy=policy)
    with open_workshop(settings) as shop:
        yield Base(shop, plan.fill(shop), folder)
