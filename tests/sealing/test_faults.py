"""Every storage step broken in both ways: failed and not stored, failed but stored. Then recovery, audit, retry."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from world import identity_number

from keystore.interface import KeystoreError
from ledger.errors import DatabaseUnavailableError
from ledger.ids import new_id
from registry.errors import RowTamperedError
from registry.records import Person
from sealing.errors import ConflictError, StorageError
from sealing.reception import receive
from sealing.recover import recover
from sealing.seal import STEPS


class BrokenError(Exception):
    """The process stops here, as far as the code behind can tell."""


@dataclass
class FaultyDatabase:
    """A database whose ``nth`` write fails before or after it was committed."""

    real: object
    nth: int
    stored: bool
    writes: int = 0

    def read(self):
        return self.real.read()

    @contextmanager
    def write(self, *, sync=True):
        self.writes += 1
        failing = self.writes == self.nth
        with self.real.write(sync=sync) as connection:
            yield connection
            if failing and not self.stored:
                raise DatabaseUnavailableError("数据库中断", "the database went away")
        if failing:
            raise DatabaseUnavailableError("数据库中断", "the database went away")

    def __getattr__(self, name):
        return getattr(self.real, name)


@dataclass
class FaultyDocuments:
    real: object
    stored: bool

    def put(self, path):
        if self.stored:
            self.real.put(path)
        raise StorageError("disk-full", "磁盘已满", "the disk is full")

    def __getattr__(self, name):
        return getattr(self.real, name)


@dataclass
class FaultyKey:
    """A key that fails before or after it signed."""

    real: object
    signed: bool
    uses: list = field(default_factory=list)

    def sign(self, permit, message):
        if self.signed:
            self.real.sign(permit, message)
            self.uses.append(message)
        raise KeystoreError("密钥设备无应答", "the key device does not answer")

    def __getattr__(self, name):
        return getattr(self.real, name)


@dataclass
class FaultyKeystore:
    real: object
    signed: bool

    def open(self, ref):
        return FaultyKey(self.real.open(ref), self.signed)


def retry_after_recovery(installed, submission):
    """What must hold after any fault: recovery closes what is open, the retry seals once, the record is sound."""
    installed.clock.forward(timedelta(minutes=5))
    recover(installed.shop, installed.clock)
    outcome = installed.sealer().seal(submission, installed.caller)
    assert outcome.state == "sealed"
    assert installed.kinds().count("seal.impressed") == 1
    assert installed.kinds().count("seal.intended") == 1 + installed.kinds().count("seal.abandoned")
    assert installed.audit() == []
    return outcome


@pytest.mark.parametrize("stored", [False, True], ids=["not_stored", "stored_anyway"])
@pytest.mark.parametrize("nth", [1, 2], ids=["first_commit", "second_commit"])
def test_a_commit_that_fails(installed, nth, stored):
    submission = installed.world.submission("city", installed.folder)
    shop = replace(installed.shop, database=FaultyDatabase(installed.shop.database, nth, stored))

    with pytest.raises(DatabaseUnavailableError):
        installed.sealer(shop=shop).seal(submission, installed.caller)

    outcome = retry_after_recovery(installed, submission)
    assert outcome.replayed == (nth == 2 and stored)


@pytest.mark.parametrize("stored", [False, True], ids=["not_stored", "stored_anyway"])
def test_a_document_store_that_fails(installed, stored):
    submission = installed.world.submission("city", installed.folder)
    shop = replace(installed.shop, documents=FaultyDocuments(installed.shop.documents, stored))

    with pytest.raises(StorageError) as raised:
        installed.sealer(shop=shop).seal(submission, installed.caller)

    assert raised.value.code == "disk-full"
    assert installed.kinds()[-1] == "seal.abandoned"
    retry_after_recovery(installed, submission)


@pytest.mark.parametrize("signed", [False, True], ids=["not_signed", "signed_anyway"])
def test_a_key_that_fails(installed, signed):
    submission = installed.world.submission("city", installed.folder)
    shop = replace(installed.shop, keystore=FaultyKeystore(installed.shop.keystore, signed))

    with pytest.raises(KeystoreError):
        installed.sealer(shop=shop).seal(submission, installed.caller)

    assert installed.kinds()[-1] == "seal.abandoned"
    retry_after_recovery(installed, submission)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_stops_at_a_step(installed, step):
    def stop(reached):
        if reached == step:
            raise BrokenError

    installed.policy(level="PAdES-B-LTA")  # the one level that passes every step
    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(BrokenError):
        installed.sealer(at=stop).seal(submission, installed.caller)

    outcome = retry_after_recovery(installed, submission)
    assert outcome.replayed == (step == "impression_committed")
    assert outcome.level == "PAdES-B-LTA"


def test_recovery_leaves_a_living_attempt_alone(installed):
    def stop(reached):
        if reached == "intent_committed":
            raise BrokenError

    with pytest.raises(BrokenError):
        installed.sealer(at=stop).seal(installed.world.submission("city", installed.folder), installed.caller)

    assert recover(installed.shop, installed.clock) == []
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    assert len(recover(installed.shop, installed.clock)) == 1
    assert recover(installed.shop, installed.clock) == []


def test_a_slow_worker_is_fenced_by_recovery(installed):
    """Recovery takes a lapsed attempt while its worker still lives: the worker then seals nothing."""

    def sleep(reached):
        if reached == "key_used":
            installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
            assert len(recover(installed.shop, installed.clock)) == 1

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(Exception, match="abandoned") as raised:
        installed.sealer(at=sleep).seal(submission, installed.caller)

    assert raised.value.code == "lease-lost"
    assert list(installed.shop.documents.digests()) == []
    retry_after_recovery(installed, submission)


def test_numbers_of_an_abandoned_attempt_are_free_for_another_case(installed):
    def stop(reached):
        if reached == "intent_committed":
            raise BrokenError

    world = installed.world
    with pytest.raises(BrokenError):
        installed.sealer(at=stop).seal(
            world.submission("city", installed.folder, document_number="兴审批〔2026〕9号"), installed.caller
        )
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    recover(installed.shop, installed.clock)

    again = world.submission("city", installed.folder, document_number="兴审批〔2026〕9号")
    assert installed.sealer().seal(again, installed.caller).state == "sealed"


def test_a_file_system_that_fails_while_embedding_is_a_typed_error(installed):
    def take_away(step):
        if step == "key_used":
            for path in installed.shop.documents.incoming.iterdir():
                path.unlink()

    submission = installed.world.submission("city", installed.folder)
    with pytest.raises(StorageError) as raised:
        installed.sealer(at=take_away).seal(submission, installed.caller)

    assert raised.value.code == "document-store-failed"
    assert installed.kinds()[-1] == "seal.abandoned"
    retry_after_recovery(installed, submission)


def test_a_row_changed_while_the_key_works_leaves_no_sealed_file(installed):
    def change(step):
        if step == "key_used":
            with installed.shop.database.engine.begin() as connection:
                connection.execute(text("UPDATE registry_agreement SET body = replace(body, '审协', '审議')"))
            installed.world.put(
                Person(
                    id=new_id("per"), name="示例丙", natural_person=installed.shop.natural_person(identity_number(77))
                )
            )

    submission = installed.world.submission("city", installed.folder)
    installed.world.now = installed.clock()
    with pytest.raises(RowTamperedError):
        installed.sealer(at=change).seal(submission, installed.caller)

    assert list(installed.shop.documents.digests()) == []
    assert installed.kinds()[-1] == "seal.abandoned"


def test_the_key_of_a_waiting_application_is_not_sealed_past_its_approval(installed):
    submission = installed.world.submission("city", installed.folder)
    bare = replace(submission, approval=None)
    kept = installed.folder / "kept.pdf"
    kept.write_bytes(submission.source.read_bytes())
    receive(installed.shop, bare, installed.caller, installed.clock())

    with pytest.raises(ConflictError) as raised:
        installed.sealer().seal(replace(bare, source=kept), installed.caller)

    assert raised.value.code == "application-waits"
