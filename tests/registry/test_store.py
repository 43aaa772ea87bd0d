"""Records in and out, and every way of changing a row behind the service's back."""

import json
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from registry_samples import (
    GRANTOR,
    THIRD,
    agreement,
    calendar_day,
    document_status,
    one_of_each,
    organ,
    role,
    seal,
    seal_key,
    status_change,
)

from ledger import migrate
from ledger.canonical import canonical, digest
from ledger.errors import RecordBrokenError
from ledger.ids import new_id
from ledger.tables import metadata
from registry.catalogue import load_shipped
from registry.document_status import change_status, status_id
from registry.errors import (
    ConflictError,
    NotFoundError,
    RecordInvalidError,
    RegistryError,
    RowTamperedError,
)
from registry.kinds import KINDS
from registry.records import Agreement, DocumentStatus, Organ, RoleAssignment, Seal, SealKey
from registry.store import Actor, row_subject


def test_samples_cover_every_kind():
    catalogue = {"catalogue_item", "setup_row", "pilot_region"}
    assert {KINDS[type(record)].name for record in one_of_each()} == {kind.name for kind in KINDS.values()} - catalogue


def test_what_is_put_is_got(world):
    for record in one_of_each():
        stored = world.put(record)
        assert stored.version == 1
        assert world.get(type(record), record.id) == stored
        world.restart()
        assert world.get(type(record), record.id) == stored


def test_catalogue_rows_are_records_too(world):
    shipped = load_shipped()
    for row in (*shipped.items[:2], *shipped.setup[:2]):
        world.put(row)
        assert world.get(type(row), row.id).record == row
    (found,) = world.find(type(shipped.items[0]), list=shipped.items[0].list, number=shipped.items[0].number)
    assert found.record == shipped.items[0]


def test_migration_makes_the_tables_of_the_code(world):
    with world.database.engine.connect() as connection:
        difference = compare_metadata(MigrationContext.configure(connection), metadata)
    # Entries look like ("add_index", Index(…)); other packages' tables are theirs to compare.
    assert [each for each in difference if "registry_" in str(each) and "remove" not in str(each[0])] == []


def test_migration_goes_back_to_an_empty_database(world):
    migrate.downgrade(world.database, "0001")
    with pytest.raises(AssertionError):
        world.sql("SELECT 1 WHERE 1 = 0")
    migrate.upgrade(world.database)
    world.put(organ())


def test_entry_tells_who_why_and_what(world):
    stored = world.put(organ(), verb="merged")
    with world.database.read() as connection:
        entry = world.store.book.trusted(connection, stored.entry_index)
    assert entry.kind == "organ.merged"
    assert entry.leaf.subjects == (stored.record.id, row_subject(stored.record.id))
    assert entry.value("act") == {
        "by": {"id": "per-" + "c" * 26, "name": "登记员甲", "organ": None},
        "why": "test",
    }
    assert entry.value("body") == stored.record.model_dump(mode="json")
    assert entry.value("row") == {
        "kind": "organ",
        "id": stored.record.id,
        "version": 1,
        "digest": digest("yinxin/row/v1/organ", stored.record.model_dump(mode="json")),
    }


def test_change_counts_versions_and_finds_by_the_new_values(world):
    first = world.put(organ())
    renamed = first.record.model_copy(update={"legal_name": "兴国县数据局"})
    second = world.put(renamed, replaces=first)
    assert second.version == 2
    assert world.get(Organ, renamed.id) == second
    assert world.find(Organ, legal_name="兴国县行政审批局") == []
    assert world.find(Organ, legal_name="兴国县数据局") == [second]


def test_change_of_an_outdated_version_conflicts(world):
    first = world.put(organ())
    world.put(first.record.model_copy(update={"aliases": ()}), replaces=first)
    with pytest.raises(ConflictError, match="is at version 2, the change is to version 1"):
        world.put(first.record.model_copy(update={"level": "city"}), replaces=first)


def test_registering_twice_conflicts(world):
    stored = world.put(organ())
    with pytest.raises(ConflictError, match="is registered already"):
        world.put(stored.record)


def test_refused_write_leaves_no_entry(world):
    world.put(organ())
    with world.database.read() as connection:
        before = world.store.book.latest(connection, row_subject(organ().id))
    with pytest.raises(ConflictError) as caught:
        world.put(organ())
    assert caught.value.code == "record-not-unique"
    assert GRANTOR in caught.value.zh
    assert GRANTOR in caught.value.en
    with world.database.read() as connection:
        assert world.store.book.latest(connection, row_subject(organ().id)) == before
    assert len(world.find(Organ)) == 1


def test_owner_and_number_are_unique_until_the_seal_is_cancelled(world):
    first = world.put(seal())
    with pytest.raises(ConflictError, match="another seal holds"):
        world.put(seal())
    world.put(seal(number=36, name="兴国县行政审批局行政审批专用章（36）"))
    world.put(seal(owner=THIRD))
    world.put(first.record.model_copy(update={"state": "cancelled"}), replaces=first)
    world.put(seal())


def test_seal_has_one_current_key(world):
    first = world.put(seal_key())
    second = seal_key(seal=first.record.seal, key_version=2, serial="ff")
    with pytest.raises(ConflictError):
        world.put(second)
    world.put(first.record.model_copy(update={"retired_at": world.now}), replaces=first)
    stored = world.put(second)
    assert world.find(SealKey, seal=second.seal, current=True) == [stored]
    assert len(world.find(SealKey, seal=second.seal)) == 2


def test_unknown_id_is_not_found(world):
    with pytest.raises(NotFoundError, match="there is no organ org-"):
        world.get(Organ, new_id("org"))
    assert world.reading(world.store.look, Organ, new_id("org")) is None
    assert world.reading(world.store.look_one, Organ, code=THIRD) is None


def test_find_one_wants_exactly_one(world):
    world.put(role())
    second = world.put(role(role="seal_user"))
    assert world.reading(world.store.find_one, RoleAssignment, role="seal_user") == second
    with pytest.raises(ConflictError, match="found 2"):
        world.reading(world.store.find_one, RoleAssignment, organ=second.record.organ)
    with pytest.raises(NotFoundError):
        world.reading(world.store.find_one, RoleAssignment, role="custodian")


def test_lock_reads_what_get_reads(world):
    stored = world.put(agreement())
    assert world.writing(world.store.lock, Agreement, stored.record.id) == stored


def test_row_is_readable_in_the_transaction_that_wrote_it(world):
    with world.database.write() as connection:
        by = {"by": _actor(), "why": "one transaction", "now": world.now}
        first = world.store.put(connection, organ(), **by)
        assert world.store.get(connection, Organ, first.record.id) == first
        second = world.store.put(connection, first.record, replaces=first, **by)
        assert world.store.get(connection, Organ, first.record.id) == second
    assert world.get(Organ, first.record.id) == second


def test_taken_back_transaction_leaves_no_memory(world):
    """What was read inside a transaction that failed must neither be believed nor be missed later."""
    first = world.put(organ())
    other = organ(code=THIRD)
    with pytest.raises(KeyError), world.database.write() as connection:  # noqa: PT012  the failure is the point
        by = {"by": _actor(), "why": "fails", "now": world.now}
        world.store.put(connection, first.record.model_copy(update={"aliases": ()}), replaces=first, **by)
        world.store.get(connection, Organ, first.record.id)
        world.store.put(connection, other, **by)
        world.store.get(connection, Organ, other.id)
        raise KeyError
    assert world.get(Organ, first.record.id) == first
    with pytest.raises(NotFoundError):
        world.get(Organ, other.id)
    later = world.put(organ(code=THIRD))
    assert world.get(Organ, later.record.id) == later


def _actor() -> Any:
    return Actor(id="cli-" + "d" * 26, name="审批平台", organ=GRANTOR)


def _row(world, record) -> dict[str, Any]:
    table = f"registry_{KINDS[type(record)].name}"
    with world.database.engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT * FROM {table} WHERE id = '{record.id}'")
        return dict(found.mappings().one())


def _refused(world, record) -> str:
    with pytest.raises(RowTamperedError) as caught:
        world.get(type(record), record.id)
    assert caught.value.code == "row-tampered"
    for text in (caught.value.zh, caught.value.en):
        assert f"registry_{KINDS[type(record)].name}" in text
        assert record.id in text
    return caught.value.en


def _other_body(body: str) -> str:
    """The same JSON with one character of one value changed, so that it would still parse."""
    for found, put in (
        ("2024", "2023"),
        ("兴国", "石城"),
        ("ab", "ac"),
        ("2027", "2028"),
        ("王", "玉"),
        ("平台", "平臺"),
    ):
        if found in body:
            return body.replace(found, put, 1)
    raise AssertionError(body)


def test_changed_body_refuses(world):
    for record in one_of_each():
        world.put(record)
        table, body = f"registry_{KINDS[type(record)].name}", _other_body(_row(world, record)["body"])
        world.get(type(record), record.id)
        world.sql(f"UPDATE {table} SET body = :body WHERE id = :id", body=body, id=record.id)
        assert "body does not fit its digest" in _refused(world, record)


def test_changed_body_with_a_fitting_digest_refuses(world):
    for record in one_of_each():
        world.put(record)
        kind = KINDS[type(record)].name
        body = _other_body(_row(world, record)["body"])
        fitting = digest(f"yinxin/row/v1/{kind}", json.loads(body))
        world.sql(
            f"UPDATE registry_{kind} SET body = :body, digest = :digest WHERE id = :id",
            body=canonical(json.loads(body)).decode(),
            digest=fitting,
            id=record.id,
        )
        assert "does not fit its ledger entry" in _refused(world, record)


def test_changed_digest_version_or_index_refuses(world):
    world.put(organ(code=THIRD))
    for record in one_of_each():
        world.put(record)
        table = f"registry_{KINDS[type(record)].name}"
        row = _row(world, record)
        changes = (("digest", "sha256:" + "0" * 64), ("version", 7), ("entry_index", 0), ("entry_index", 999))
        for column, value in changes:
            world.sql(f"UPDATE {table} SET {column} = :value WHERE id = :id", value=value, id=record.id)
            _refused(world, record)
            world.sql(f"UPDATE {table} SET {column} = :value WHERE id = :id", value=row[column], id=record.id)
            world.get(type(record), record.id)


def test_changed_lookup_column_refuses(world):
    for record in one_of_each():
        world.put(record)
        kind = KINDS[type(record)]
        row = _row(world, record)
        for name in kind.lookups:
            statement = f"UPDATE registry_{kind.name} SET {name} = :value WHERE id = :id"
            world.sql(statement, value="planted", id=record.id)
            assert "lookup columns" in _refused(world, record)
            with pytest.raises(RowTamperedError):
                world.find(type(record), **{name: "planted"})
            world.sql(statement, value=row[name], id=record.id)
        world.get(type(record), record.id)


def test_deleted_row_refuses(world):
    for record in one_of_each():
        world.put(record)
        world.sql(f"DELETE FROM registry_{KINDS[type(record)].name} WHERE id = :id", id=record.id)
        assert "the row is gone" in _refused(world, record)
        with pytest.raises(RowTamperedError):
            world.reading(world.store.look, type(record), record.id)
        with pytest.raises(ConflictError):
            world.put(record)


def test_rolled_back_row_refuses(world):
    for record in one_of_each():
        first = world.put(record)
        old = _row(world, record)
        world.put(record, replaces=first)
        world.sql(
            f"UPDATE registry_{KINDS[type(record)].name} SET version = :version, body = :body, digest = :digest, "
            "entry_index = :entry_index WHERE id = :id",
            **{name: old[name] for name in ("id", "version", "body", "digest", "entry_index")},
        )
        assert "not the newest" in _refused(world, record)
        with pytest.raises(RowTamperedError):
            world.put(record, replaces=first)
        world.restart()
        assert "not the newest" in _refused(world, record)


@pytest.mark.parametrize("restarted", [False, True])
def test_rollback_that_also_hides_the_newer_entry_refuses(world, restarted):
    record = role(valid_until=None)
    first = world.put(record)
    old = _row(world, record)
    ended = record.model_copy(update={"valid_until": world.now})
    second = world.put(ended, replaces=first)
    world.get(RoleAssignment, record.id)
    world.sql("DELETE FROM registry_role_assignment WHERE id = :id", id=record.id)
    world.sql('DELETE FROM ledger_subjects WHERE "index" = :index', index=second.entry_index)
    columns = ", ".join(old)
    world.sql(
        f"INSERT INTO registry_role_assignment ({columns}) VALUES ({', '.join(':' + name for name in old)})",
        **old,
    )
    if restarted:
        world.restart()
    assert "not the newest" in _refused(world, record)


def test_row_swapped_with_another_of_its_kind_refuses(world):
    mine, other = world.put(organ()), world.put(organ(code=THIRD, legal_name="兴国县林业局"))
    world.sql("DELETE FROM registry_organ WHERE id = :id", id=mine.record.id)
    world.sql("UPDATE registry_organ SET id = :mine WHERE id = :id", mine=mine.record.id, id=other.record.id)
    _refused(world, mine.record)


def test_row_that_the_ledger_never_saw_refuses(world):
    real = world.put(organ())
    row = _row(world, real.record) | {"id": new_id("org"), "code": THIRD}
    row["body"] = row["body"].replace(real.record.id, row["id"]).replace(GRANTOR, THIRD)
    row["digest"] = digest("yinxin/row/v1/organ", json.loads(row["body"]))
    columns = ", ".join(row)
    world.sql(f"INSERT INTO registry_organ ({columns}) VALUES ({', '.join(':' + name for name in row)})", **row)
    with pytest.raises(RowTamperedError):
        world.find(Organ, code=THIRD)


def test_changed_ledger_entry_refuses_after_a_restart(world):
    stored = world.put(organ())
    world.sql("UPDATE ledger_openings SET value = :value", value=b'{"digest":"x"}')
    world.restart()
    with pytest.raises(RecordBrokenError):
        world.get(Organ, stored.record.id)


def test_status_of_a_document_cannot_be_forgotten(world):
    """No record means in force; so a deleted record must not read as no record."""
    first = document_status()
    assert world.reading(world.store.look, DocumentStatus, status_id(first.impression)) is None
    world.put(first)
    world.sql("DELETE FROM registry_document_status WHERE id = :id", id=first.id)
    with pytest.raises(RowTamperedError):
        world.reading(world.store.look, DocumentStatus, status_id(first.impression))


def test_erased_body_leaves_the_row_usable(world):
    """Personal data leaves the ledger by its rule; the row itself is what the newest entry says."""
    stored = world.put(organ())
    book = world.store.book
    world.now += timedelta(seconds=1)
    with world.database.write() as connection:
        groups = {"body", "act"}
        book.erase(connection, stored.entry_index, groups, reason="retention", by=_actor().id, now=world.now)
    world.restart()
    assert world.get(Organ, stored.record.id) == stored


def test_calendar_day_has_one_row(world):
    world.put(calendar_day())
    with pytest.raises(ConflictError):
        world.put(calendar_day(kind="workday"))


def test_change_status_through_the_store(world):
    first = world.put(document_status())
    restored = change_status(first.record, status_change("in_force"), impression=first.record.impression)
    assert world.put(restored, replaces=first).record.status == "in_force"
    assert world.find(DocumentStatus, status="annulled") == []


def test_seal_is_found_by_agreement(world):
    stored = world.put(seal())
    assert world.find(Seal, agreement=stored.record.agreement) == [stored]
    assert world.find(Seal, agreement=new_id("agr")) == []


def test_id_of_another_kind_is_not_found_rather_than_gone(world):
    """A kid or an id that a caller sends may be of any kind; that is no sign of tampering."""
    stored = world.put(seal())
    with pytest.raises(NotFoundError):
        world.get(Organ, stored.record.id)
    assert world.reading(world.store.look, Agreement, stored.record.id) is None


def test_record_that_would_not_read_back_is_refused(world):
    """``model_copy`` checks nothing; the store does."""
    for values in ({"legal_name": ""}, {"aliases": ["县行政审批局"]}, {"level": "moon"}, {"code": GRANTOR[:-1]}):
        with pytest.raises(RecordInvalidError):
            world.put(organ().model_copy(update=values))
    assert world.find(Organ) == []


def test_row_of_an_older_form_is_unreadable_not_tampered(world, monkeypatch):
    stored = world.put(organ())
    world.restart()
    monkeypatch.setattr(Organ, "model_validate_json", classmethod(lambda cls, _body: cls.model_validate({})))
    with pytest.raises(RecordInvalidError) as caught:
        world.get(Organ, stored.record.id)
    assert caught.value.code == "record-unreadable"


def test_of_two_changes_at_once_one_is_kept(world):
    first = world.put(organ())
    outcomes: list[object] = []
    both_ready = Barrier(2)

    def change(alias: str) -> None:
        record = first.record.model_copy(update={"aliases": (alias,)})
        both_ready.wait()
        try:
            with world.database.write() as connection:
                by = {"by": _actor(), "why": "race", "now": world.now}
                outcomes.append(world.store.put(connection, record, replaces=first, **by))
        except ConflictError as error:
            outcomes.append(error)

    _together(Thread(target=change, args=("甲",)), Thread(target=change, args=("乙",)))
    kept = [each for each in outcomes if not isinstance(each, ConflictError)]
    assert (len(outcomes), len(kept)) == (2, 1)
    assert world.get(Organ, first.record.id) == kept[0]


def test_reader_beside_a_writer_sees_no_tampering(world):
    """Row and newest entry are read in one statement, so a commit in between is no false alarm."""
    present = world.put(organ())
    done, seen, errors = Event(), set(), []

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(world.get(Organ, present.record.id).version)
                seen.add(world.writing(world.store.lock, Organ, present.record.id).version)
            except RegistryError as error:
                errors.append(error)
                return

    reader = Thread(target=read)
    reader.start()
    for number in range(25):
        present = world.put(present.record.model_copy(update={"aliases": (f"别名{number}",)}), replaces=present)
    done.set()
    _together(reader)
    assert errors == []
    assert len(seen) > 1


def _together(*threads: Thread) -> None:
    for thread in threads:
        if thread.ident is None:
            thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "text", ["", "org-1", "\x00", "org-" + "a" * 25 + "\x00", "\ud800", "'; DROP TABLE x", "é" * 500]
)
def test_any_text_may_be_asked_for(world, text):
    """What a caller sends as an id or a code reaches the store; it is not found, and nothing breaks."""
    with pytest.raises(NotFoundError):
        world.get(Organ, text)
    assert world.writing(world.store.look, Organ, text) is None
    with pytest.raises(NotFoundError):
        world.writing(world.store.lock, Organ, text)
    assert world.find(Organ, code=text) == []
