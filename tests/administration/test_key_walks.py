"""Any walk through the life of a seal's key, on a real database, keeps what the life promises."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from approved_proposals import approved
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from ledger.moments import to_text
from ledger.tables import entries
from registry.agreement_terms import terms_digest
from registry.errors import RecordInvalidError, TransitionError
from registry.records import Agreement, Seal, SealKey
from sealing.administration import agreements, seals
from sealing.administration.destruction import destroy
from sealing.settings import Settings
from sealing.workshop import open_workshop
from verify.key_history import Hold, judge_holds
from verify.times import Times


class Walk(RuleBasedStateMachine):
    """One seal; a step is taken or refused, and a refused one writes no entry but that of its approval."""

    template: tuple

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        data = Path(self.folder.name) / "data"
        shutil.copytree(self.template[0], data)
        self.shop = open_workshop(Settings(data=data, unsafe_in_process_keys=True)).__enter__()
        self.world = replace(self.template[1], shop=self.shop)
        self.seal, self.agreement = self.world.seals["town"], self.world.agreements["town"]
        self.seconds, self.sealed_while_held, self.revoked = 7200, {}, {}

    def teardown(self) -> None:
        self.shop.close()
        self.folder.cleanup()

    @property
    def now(self):
        return self.world.now + timedelta(seconds=self.seconds)

    def act(self, action=None, **content):
        self.seconds += 10
        act = replace(self.world.act("走查"), now=self.now)
        return act if action is None else approved(self.shop, act, action, **content)

    def kinds(self) -> list[str]:
        with self.shop.database.read() as connection:
            return list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())

    def read(self):
        with self.shop.database.read() as connection:
            seal = self.shop.registry.get(connection, Seal, self.seal).record
            keys = [each.record for each in self.shop.registry.find(connection, SealKey, seal=self.seal)]
        return seal, sorted(keys, key=lambda each: each.key_version)

    def step(self, call) -> None:
        before, seal_and_keys = self.kinds(), self.read()
        try:
            call()
        except (TransitionError, RecordInvalidError):
            assert self.kinds() == before
            assert self.read() == seal_and_keys
            return
        assert len(self.kinds()) > len(before)

    @rule()
    def suspend(self):
        act = self.act()
        self.step(lambda: seals.change_state(self.shop, self.seal, "suspend", act))

    @rule()
    def resume(self):
        act = self.act()
        self.step(lambda: seals.change_state(self.shop, self.seal, "resume", act))

    @rule()
    def rotate(self):
        act = self.act("rotate_key", seal=self.seal, algorithm="ecdsa-p256-sha256")
        self.step(lambda: seals.rotate_key(self.shop, self.seal, act))

    @rule()
    def suspect(self):
        act = self.act()
        self.step(lambda: seals.suspect(self.shop, self.seal, act))

    @rule()
    def cancel_or_destroy(self):
        if self.seconds < 7400:  # else most walks would end before they began
            return
        seal, _ = self.read()
        if seal.state == "cancelled":
            act = self.act("destroy_seal", seal=self.seal)
            self.step(lambda: destroy(self.shop, self.seal, act))
        else:
            act = self.act("cancel_seal", seal=self.seal, reason="superseded")
            self.step(lambda: seals.cancel(self.shop, self.seal, "superseded", act))

    @rule()
    def stop_the_agreement(self):
        act = self.act()
        self.step(lambda: agreements.change_state(self.shop, self.agreement, "suspend", act))

    @rule()
    def resume_the_agreement(self):
        with self.shop.database.read() as connection:
            terms = self.shop.registry.get(connection, Agreement, self.agreement).record.terms
        content = {"agreement": self.agreement, "change": "resume", "terms_digest": terms_digest(terms)}
        act = self.act("change_agreement", **content)
        self.step(lambda: agreements.change_state(self.shop, self.agreement, "resume", act))

    @rule()
    def backdate(self):
        _, keys = self.read()
        effective = self.now - timedelta(seconds=45)
        act = self.act("backdate_revocation", key=keys[-1].id, effective=to_text(effective))
        self.step(lambda: seals.backdate(self.shop, keys[-1].id, effective, act))

    @rule()
    def seal_in_spite_of_a_hold(self):
        _, keys = self.read()
        self.seconds += 10
        for key in keys:
            if key.revoked_reason == "certificate_hold":
                self.sealed_while_held.setdefault(key.id, []).append(self.now)

    @invariant()
    def one_key_seals_and_only_with_its_seal(self):
        seal, keys = self.read()
        active = [key for key in keys if key.state == "active"]
        assert len(active) == (seal.state == "active")
        assert all(key.retired_at is None for key in active)

    @invariant()
    def what_was_sealed_while_held_never_reads_as_sound(self):
        _, keys = self.read()
        for key in keys:
            holds = [Hold(start=each.start, end=each.end) for each in key.holds]
            assert holds == sorted(holds, key=lambda each: each.start)
            for moment in self.sealed_while_held.get(key.id, ()):
                found = list(judge_holds(holds, Times(recorded=moment), None))
                assert [each.code for each in found] == ["sealed_while_held"]

    @invariant()
    def revoked_never_comes_back(self):
        seal, keys = self.read()
        for key in keys:
            if key.id in self.revoked:
                time, effective, reason = self.revoked[key.id]
                assert (key.revoked.time, key.revoked.reason) == (time, reason)
                assert key.revoked.effective <= effective
            if key.revoked is not None:
                self.revoked[key.id] = (key.revoked.time, key.revoked.effective, key.revoked.reason)
        if seal.state == "destroyed":
            assert not {key.key_ref for key in keys} & set(self.shop.keystore.refs())


def test_every_walk_keeps_what_the_life_promises(template):
    walk = type("WalkHere", (Walk,), {"template": template})
    run_state_machine_as_test(
        walk,
        settings=settings(
            max_examples=25,
            stateful_step_count=16,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
