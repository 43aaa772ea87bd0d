"""Rows of the seal cycle changed by SQL: the audit names each, and recovery, replay and reading rest on the entries."""

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from ledger.errors import DraftError, EntryNotFoundError, RecordBrokenError
from registry.errors import RowTamperedError
from sealing import impressions
from sealing.administration.seals import change_state
from sealing.audit import audit
from sealing.erasure import erase
from sealing.recover import recover
from sealing.workshop import open_workshop


class StoppedError(Exception):
    """The process stops here, as far as the code behind can tell."""


def stop_at(step):
    def at(reached):
        if reached == step:
            raise StoppedError(step)

    return at


def seal(installed, name="town", at=None):
    return installed.sealer(at=at).seal(installed.world.submission(name, installed.folder), installed.caller)


def refuse(installed):
    order = installed.world.order("town")
    document = installed.world.document("town", order, installed.folder)
    return installed.sealer().seal(installed.world.submit(order, document, None), installed.caller)


def interrupt(installed, name="city", step="intent_committed"):
    with pytest.raises(StoppedError):
        seal(installed, name, stop_at(step))


def sql(installed, statement, **values):
    with installed.shop.database.engine.begin() as connection:
        return connection.execute(text(statement), values).rowcount


def column(installed, query, **values):
    with installed.shop.database.read() as connection:
        return connection.execute(text(query), values).scalars().all()


def found(installed):
    return {(each.severity, each.code) for each in audit(installed.shop, installed.clock())}


def told_of(installed, code):
    return " ".join(each.en for each in audit(installed.shop, installed.clock()) if each.code == code)


def decided(installed):
    return replace(installed.world.act("保存期满"), now=installed.clock())


CHANGES = {
    "application reopened": (
        "UPDATE applications SET state = 'open', entry_index = NULL, impression = NULL",
        "application-differs",
    ),
    "application's entry": ("UPDATE applications SET entry_index = entry_index - 1", "application-differs"),
    "application's impression": ("UPDATE applications SET impression = 'imp-x'", "application-differs"),
    "application's client": ("UPDATE applications SET client = 'cli-x'", "application-differs"),
    "application's organ": ("UPDATE applications SET organ = 'x'", "application-differs"),
    "application's document": ("UPDATE applications SET document = 'sha256:'", "application-differs"),
    "attempt reopened": ("UPDATE attempts SET state = 'intended'", "attempt-differs"),
    "attempt's message": ("UPDATE attempts SET to_be_signed = 'sha256:'", "attempt-differs"),
    "attempt's intent": ("UPDATE attempts SET intent_entry = 1", "attempt-differs"),
    "attempt's outcome": ("UPDATE attempts SET outcome_entry = 1", "attempt-differs"),
    "attempt's seal": ("UPDATE attempts SET seal = 'sea-x'", "attempt-differs"),
    "attempt's agreement": ("UPDATE attempts SET agreement = 'agr-x'", "attempt-differs"),
    "attempt's assurance": ("UPDATE attempts SET assurance = ''", "attempt-differs"),
    "attempt's lease": ("UPDATE attempts SET lease_until = '2020-01-01T00:00:00.000000Z'", "attempt-differs"),
    "attempt gone": ("DELETE FROM attempts", "attempt-without-row"),
    **{
        f"impression's {name}": (f"UPDATE impressions SET {name} = 'x'", "impression-differs")
        for name in (
            "seal",
            "agreement",
            "grantor",
            "grantee",
            "case_number",
            "source_digest",
            "local_date",
            "assurance",
        )
    },
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_changed_column_is_named(installed, change):
    seal(installed)
    assert found(installed) == set()
    statement, code = CHANGES[change]
    assert sql(installed, statement) == 1

    assert ("broken", code) in found(installed)


def test_the_finding_names_column_and_entry(installed):
    outcome = seal(installed)
    sql(installed, "UPDATE impressions SET local_date = '2020-01-01', case_number = 'x'")

    assert told_of(installed, "impression-differs") == f"local_date、case_number: not as entry {outcome.entry} tells"


def test_a_refused_application_that_takes_another_outcome_over_is_named(installed):
    sealed, refused = seal(installed), refuse(installed)
    assert found(installed) == set()
    sql(
        installed,
        "UPDATE applications SET state = 'sealed', entry_index = :entry, impression = :impression WHERE id = :id",
        entry=sealed.entry,
        impression=sealed.impression,
        id=refused.application,
    )

    told = told_of(installed, "application-differs")
    assert told.endswith(f"not as entry {refused.entry} tells")
    assert {"state", "entry_index", "impression"} == set(told.split(":")[0].split("、"))


def test_an_application_deleted_or_invented_is_named(installed):
    refuse(installed)
    sql(installed, "UPDATE applications SET id = 'app-' || substr(id, 5, 25) || '7' WHERE id NOT LIKE '%7'")
    sql(installed, "UPDATE applications SET id = 'app-' || substr(id, 5, 25) || '6' WHERE id LIKE '%7'")

    assert {("broken", "application-without-row"), ("broken", "application-without-entry")} <= found(installed)


def test_recovery_does_not_end_a_sealed_attempt_again(installed):
    outcome = seal(installed)
    reserved = column(installed, "SELECT count(*) FROM registry_reserved_numbers")
    sql(installed, "UPDATE attempts SET state = 'intended', outcome_entry = NULL")
    installed.clock.forward(timedelta(hours=1))

    with pytest.raises(RowTamperedError, match=f"entry {outcome.entry} ended it"):
        recover(installed.shop, installed.clock)
    assert column(installed, "SELECT count(*) FROM registry_reserved_numbers") == reserved
    assert installed.kinds()[-1] == "seal.impressed"


def test_recovery_does_not_end_it_either_when_the_index_forgot_the_outcome(installed):
    """The outcome is looked for in the leaves, so a process that starts anew is not deceived."""
    seal(installed)
    sql(installed, "UPDATE attempts SET state = 'intended', outcome_entry = NULL")
    sql(installed, "DELETE FROM ledger_subjects WHERE subject LIKE 'att-%'")
    installed.clock.forward(timedelta(hours=1))

    with open_workshop(installed.settings) as shop, pytest.raises(RowTamperedError):
        recover(shop, installed.clock)
    assert installed.kinds()[-1] == "seal.impressed"


def test_recovery_goes_on_behind_a_row_that_was_changed(installed):
    seal(installed)
    sql(installed, "UPDATE attempts SET state = 'intended', outcome_entry = NULL")
    interrupt(installed)
    installed.clock.forward(timedelta(hours=1))

    with pytest.raises(RowTamperedError):
        recover(installed.shop, installed.clock)
    assert installed.kinds()[-1] == "seal.abandoned"


def test_an_abandonment_names_what_its_intent_recorded(installed):
    interrupt(installed)
    victim = seal(installed)
    (message,) = column(installed, "SELECT to_be_signed FROM attempts WHERE application = :a", a=victim.application)
    (intended,) = column(installed, "SELECT to_be_signed FROM attempts WHERE state = 'intended'")
    (mine,) = column(installed, "SELECT application FROM attempts WHERE state = 'intended'")
    sql(installed, "UPDATE attempts SET to_be_signed = :other WHERE state = 'intended'", other=message)
    sql(
        installed,
        "UPDATE attempts SET application = :other, number = 9 WHERE state = 'intended'",
        other=victim.application,
    )
    assert ("broken", "attempt-differs") in found(installed)
    installed.clock.forward(timedelta(hours=1))

    (closed,) = recover(installed.shop, installed.clock)

    with installed.shop.database.read() as connection:
        told = installed.shop.book.latest(connection, closed.attempt).value("application")
    assert (told["to_be_signed"], told["application"]) == (intended, mine)
    assert column(
        installed, "SELECT count(*) FROM registry_reserved_numbers WHERE application = :a", a=victim.application
    ) != [0]


def test_an_attempt_that_names_another_entry_as_its_intent_is_refused(installed):
    interrupt(installed)
    sql(installed, "UPDATE attempts SET intent_entry = 1")
    installed.clock.forward(timedelta(hours=1))

    with pytest.raises(RowTamperedError, match="entry 1 is not its intent"):
        recover(installed.shop, installed.clock)


@pytest.mark.parametrize(
    "name", ["id", "seal", "agreement", "grantor", "grantee", "case_number", "sealed_digest", "local_date", "assurance"]
)
def test_an_impression_is_read_only_as_its_entry_tells(installed, name):
    outcome = seal(installed)
    with installed.shop.database.read() as connection:
        read = impressions.checked(connection, installed.shop.book, outcome.impression)
    assert (read.id, read.sealed_digest) == (outcome.impression, outcome.sealed_digest)
    sql(installed, f"UPDATE impressions SET {name} = 'x'")

    wanted = "x" if name == "id" else outcome.impression
    with installed.shop.database.read() as connection, pytest.raises(RowTamperedError, match=name):
        impressions.checked(connection, installed.shop.book, wanted)


def test_an_impression_whose_identity_was_blanked_is_not_read(installed):
    """An erasure that nobody recorded: the opening of the organs is taken away so that nothing contradicts the row."""
    outcome = seal(installed)
    sql(
        installed,
        "UPDATE ledger_openings SET salt = NULL, value = NULL, erased_by = 1 "
        'WHERE "index" = :entry AND "group" = \'seal\'',
        entry=outcome.entry,
    )

    with installed.shop.database.read() as connection, pytest.raises(RowTamperedError, match="seal"):
        impressions.checked(connection, installed.shop.book, outcome.impression)


def test_a_suspension_rolled_back_with_its_index_is_refused_after_a_restart(installed):
    world, suspended = installed.world, installed.world.seals["town"]
    tables = {"registry_seal": "id", "registry_seal_key": "seal"}
    with installed.shop.database.read() as connection:
        before = {
            name: [
                dict(row)
                for row in connection.execute(
                    text(f"SELECT * FROM {name} WHERE {key} = :id"), {"id": suspended}
                ).mappings()
            ]
            for name, key in tables.items()
        }
    change_state(installed.shop, suspended, "suspend", world.act("停用"))
    for name, rows in before.items():
        for row in rows:
            values = ", ".join(f'"{each}" = :{each}' for each in row if each != "id")
            sql(installed, f"UPDATE {name} SET {values} WHERE id = :id", **row)
            forget = 'DELETE FROM ledger_subjects WHERE subject = :subject AND "index" > :entry'
            sql(installed, forget, subject="row" + row["id"][-27:], entry=row["entry_index"])
    submission = world.submission("town", installed.folder)

    with open_workshop(installed.settings) as shop, pytest.raises(RowTamperedError, match="not the newest"):
        installed.sealer(shop=shop).seal(submission, installed.caller)


def test_an_approval_forgotten_with_its_index_is_refused_after_a_restart(installed):
    submission = installed.world.submission("town", installed.folder)
    installed.sealer().seal(submission, installed.caller)
    for table in ("registry_consumed_approvals", "registry_reserved_numbers"):
        sql(installed, f"DELETE FROM {table}")
    sql(installed, "DELETE FROM ledger_subjects WHERE subject LIKE 'apl-%'")
    again = installed.world.submit(submission.order, submission.source, submission.approval)

    with open_workshop(installed.settings) as shop, pytest.raises(RecordBrokenError, match="gone from the index"):
        installed.sealer(shop=shop).seal(again, installed.caller)


def left_behind(installed, age):
    path = installed.shop.documents.unused()
    path.write_bytes(b"%PDF-1.7 signed and never kept")
    written = (installed.clock.now - age).timestamp()
    os.utime(path, (written, written))
    return path


def test_a_file_left_in_incoming_is_an_orphan_until_recovery_removes_it(installed):
    old = left_behind(installed, timedelta(hours=1, seconds=5))
    young = left_behind(installed, timedelta(minutes=59))
    assert found(installed) == {("orphan", "orphan-incoming")}

    recover(installed.shop, installed.clock)

    assert (old.exists(), young.exists()) == (False, True)
    assert found(installed) == set()


def test_a_file_in_incoming_stays_while_an_attempt_is_alive(installed):
    interrupt(installed)
    old = left_behind(installed, timedelta(hours=1, seconds=5))

    assert recover(installed.shop, installed.clock) == []
    assert old.exists()
    installed.clock.forward(installed.settings.lease + timedelta(seconds=1))
    recover(installed.shop, installed.clock)
    assert not old.exists()


def test_a_lawful_erasure_is_sound(installed):
    sealed, refused = seal(installed), refuse(installed)
    act = decided(installed)
    for outcome in (sealed, refused):
        erase(installed.shop, outcome.entry, ["persons", "case", "numbers", "decision"], act)
    intents = column(installed, "SELECT intent_entry FROM attempts")
    erase(installed.shop, intents[0], ["persons", "approval", "decision"], act)

    assert found(installed) == set()
    with installed.shop.database.read() as connection:
        assert impressions.checked(connection, installed.shop.book, sealed.impression).id == sealed.impression


def test_the_audit_compares_what_an_erasure_left(installed):
    outcome = seal(installed)
    erase(installed.shop, outcome.entry, ["case"], decided(installed))
    sql(installed, "UPDATE impressions SET case_number = ''")
    assert found(installed) == set()
    sql(installed, "UPDATE impressions SET grantee = 'x'")

    assert told_of(installed, "impression-differs").startswith("grantee:")


@pytest.mark.parametrize("group", ["application", "document", "seal"])
def test_what_identifies_the_record_is_not_erased(installed, group):
    outcome = seal(installed)

    with pytest.raises(DraftError, match=group):
        erase(installed.shop, outcome.entry, ["persons", group], decided(installed))
    with installed.shop.database.read() as connection:
        assert installed.shop.book.entry(connection, outcome.entry).erased == {}


def test_nothing_and_what_is_not_there_are_not_erased(installed):
    outcome, act = seal(installed), decided(installed)

    with pytest.raises(DraftError):
        erase(installed.shop, outcome.entry, [], act)
    with pytest.raises(EntryNotFoundError):
        erase(installed.shop, outcome.entry, ["order"], act)
