"""A filled installation, built once and copied for each test."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from approved_proposals import approved
from world import GRANTEES, GRANTORS, World, build_world, terms

from registry.agreement_terms import terms_digest
from registry.agreements import sign_version
from registry.proposals import ProposalAction
from registry.records import Agreement, Seal, SealKey
from registry.seal_keys import RevocationReason
from registry.store import Act, Actor
from sealing.administration import agreements, seals
from sealing.administration.seals import SealRequest
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

ADMINISTRATOR = Actor(id="per-" + "b" * 26, name="管理员示例", organ=None)


@dataclass
class Office:
    """What a test works with: an open workshop and acts that are a second apart."""

    world: World
    folder: Path
    seconds: int = 3600

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    @property
    def now(self):
        return self.world.now + timedelta(seconds=self.seconds)

    def act(self, why: str = "测试", organ: str | None = None) -> Act:
        self.seconds += 1
        return Act(by=replace(ADMINISTRATOR, organ=organ), why=why, now=self.now)

    def approved(self, action: ProposalAction, **content: object) -> Act:
        """An act that carries out an approved proposal with this content."""
        return approved(self.shop, self.act("两人办理"), action, **content)

    def change_agreement(self, agreement: str, change: str) -> Agreement:
        """Make a change of an agreement that takes two persons."""
        found = self.get(Agreement, agreement)
        version = found.pending if change == "bring_into_force" and found.pending else found.current
        content = {"agreement": agreement, "change": change, "terms_digest": terms_digest(version.terms)}
        act = self.approved("change_agreement", **content)
        if change == "bring_into_force":
            return agreements.bring_into_force(self.shop, agreement, act).record
        return agreements.change_state(self.shop, agreement, change, act).record

    def issue(self, request: SealRequest) -> tuple[Seal, SealKey]:
        """Issue a seal, by two persons."""
        act = self.approved("issue_seal", agreement=request.agreement)
        seal, key = seals.issue(self.shop, request, act)
        return seal.record, key.record

    def cancel(self, name: str, reason: RevocationReason = "cessation_of_operation") -> None:
        """Cancel the seal of that name, by two persons."""
        seal = self.world.seals[name]
        seals.cancel(self.shop, seal, reason, self.approved("cancel_seal", seal=seal, reason=reason))

    def newest(self) -> tuple[str, dict]:
        """Kind and opened values of the newest entry."""
        with self.shop.database.read() as connection:
            from sqlalchemy import func, select

            from ledger.tables import entries

            index = connection.execute(select(func.max(entries.c.index))).scalar_one()
            found = self.shop.book.entry(connection, index)
        return found.kind, {name: opening.value for name, opening in found.openings.items()}

    def kinds(self) -> list[str]:
        """The kinds of all entries but those of proposals, in their order."""
        with self.shop.database.read() as connection:
            from sqlalchemy import select

            from ledger.tables import entries

            found = connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars()
            return [kind for kind in found if not kind.startswith("proposal.")]

    def get(self, kind, record_id: str):
        with self.shop.database.read() as connection:
            return self.shop.registry.get(connection, kind, record_id).record

    def find(self, kind, **lookup):
        with self.shop.database.read() as connection:
            return [each.record for each in self.shop.registry.find(connection, kind, **lookup)]

    def sign_both(self, name: str, agreement: Agreement) -> Agreement:
        """Both organs sign the open version."""
        for organ in (GRANTORS[name], GRANTEES[name]):
            kid, key = self.world.organ_keys[organ]
            jws = sign_version(agreement, self.world.codes[organ], kid=kid, key=key)
            agreement = agreements.sign(self.shop, agreement.id, jws, self.act("签署")).record
        return agreement

    def amended(self, name: str = "town", **changed) -> Agreement:
        """The agreement with an amendment that both organs have signed."""
        new = terms(self.world, name, **{"scope": "扩大后的范围", **changed})
        digest = "sha256:" + "1" * 64
        opened = agreements.amend(self.shop, self.world.agreements[name], new, digest, self.act("变更")).record
        return self.sign_both(name, opened)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    settings, plan = build_world(tmp_path_factory.mktemp("template") / "data")
    with open_workshop(settings) as shop:
        return settings.data, plan.fill(shop)


@pytest.fixture
def settings(template: tuple[Path, World], tmp_path: Path) -> Settings:
    shutil.copytree(template[0], tmp_path / "data")
    return Settings(data=tmp_path / "data", unsafe_in_process_keys=True)


@pytest.fixture
def office(settings: Settings, template: tuple[Path, World], tmp_path: Path) -> Iterator[Office]:
    with open_workshop(settings) as shop:
        yield Office(world=replace(template[1], shop=shop), folder=tmp_path)
