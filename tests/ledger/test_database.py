"""The session: locks, durability, snapshots, and which failure means what, on real databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from databases import PostgresServer
from ledger_world import World
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from ledger.database import Database, after_commit, is_writing
from ledger.entry import Draft
from ledger.errors import DatabaseBusyError, DatabaseFullError, DatabaseUnavailableError

SHORT = timedelta(milliseconds=200)


class Left(Exception):  # noqa: N818  thrown to leave a transaction
    pass


@pytest.fixture
def hasty(url: str) -> Iterator[Database]:
    opened = Database(url, busy_timeout=SHORT)
    yield opened
    opened.close()


def test_a_second_writer_waits_no_longer_than_the_busy_timeout(world: World, hasty: Database) -> None:
    with world.database.write() as connection:
        world.book.append(connection, Draft(kind="a.b", subjects=(), groups={}), world.now)
        with pytest.raises(DatabaseBusyError) as refusal, hasty.write() as second:
            world.book.append(second, Draft(kind="a.b", subjects=(), groups={}), world.now)
    assert refusal.value.code == "database-busy"
    assert refusal.value.zh
    assert world.append().index == 1


def test_a_reader_is_not_held_up_by_a_writer_and_keeps_its_snapshot(world: World, hasty: Database) -> None:
    world.fill(1)
    count = text("SELECT count(*) FROM ledger_entries")
    with hasty.read() as reader:
        assert reader.execute(count).scalar_one() == 1
        world.append()
        assert reader.execute(count).scalar_one() == 1
    with hasty.read() as reader:
        assert reader.execute(count).scalar_one() == 2
        assert not is_writing(reader)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_reader_cannot_write(world: World) -> None:
    with pytest.raises(DatabaseUnavailableError), world.database.read() as connection:
        connection.execute(text("DELETE FROM ledger_head"))


def durability(database: Database, connection: Connection) -> object:
    setting = "PRAGMA synchronous" if database.dialect == "sqlite" else "SHOW synchronous_commit"
    return connection.exec_driver_sql(setting).scalar_one()


def test_commits_are_synced_and_only_what_can_be_made_again_is_not(database: Database) -> None:
    full, lazy = (2, 1) if database.dialect == "sqlite" else ("on", "off")
    with database.write() as connection:
        assert durability(database, connection) == full
    with database.write(sync=False) as connection:
        assert durability(database, connection) == lazy
    with pytest.raises(Left), database.write(sync=False):
        raise Left
    for _ in range(3):
        with database.write() as connection:
            assert durability(database, connection) == full


def test_a_server_that_would_not_sync_is_told_to(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    postgres.run(f'ALTER DATABASE "{url.rpartition("/")[2]}" SET synchronous_commit = off')
    opened = Database(url)
    with opened.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    opened.close()


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_sqlite_runs_in_wal_mode_with_foreign_keys(database: Database) -> None:
    with database.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("journal_mode", "foreign_keys")
        ]
    assert pragmas == ["wal", 1]


def test_actions_run_after_the_commit_and_never_without_one(database: Database) -> None:
    seen = []
    with database.write() as connection:
        after_commit(connection, lambda: seen.append("committed"))
        assert is_writing(connection)
        assert seen == []
    assert seen == ["committed"]
    with pytest.raises(Left), database.write() as connection:  # noqa: PT012  the block is the transaction that is left
        after_commit(connection, lambda: seen.append("wrong"))
        raise Left
    with database.write():
        pass
    assert seen == ["committed"]


def test_a_broken_constraint_stays_what_it_is(world: World) -> None:
    world.fill(1)
    with pytest.raises(IntegrityError), world.database.write() as connection:
        connection.execute(text("INSERT INTO ledger_nodes VALUES (1, 1, :h), (1, 1, :h)"), {"h": bytes(32)})


def test_a_statement_that_is_wrong_stays_a_programming_error(database: Database) -> None:
    with pytest.raises(Exception, match="no_such_table") as refusal, database.read() as connection:
        connection.execute(text("SELECT 1 FROM no_such_table"))
    assert not isinstance(refusal.value, DatabaseBusyError)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_full_disk_is_told_and_leaves_nothing_half_done(world: World) -> None:
    world.fill(2)
    with world.database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with world.database.engine.connect() as connection:
        connection.connection.driver_connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DatabaseFullError) as refusal:
        world.append(row={"long": "x" * 500_000})
    assert refusal.value.code == "database-full"
    assert world.append().index == 2
    assert world.book.audit() == []


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_connection_lost_in_the_middle_is_told_and_leaves_nothing(world: World, postgres: PostgresServer) -> None:
    world.fill(1)
    with pytest.raises(DatabaseUnavailableError) as refusal, world.database.write() as connection:  # noqa: PT012  the block is the transaction that is left
        world.book.append(connection, Draft(kind="a.b", subjects=(), groups={}), world.now)
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        postgres.run(f"SELECT pg_terminate_backend({backend}, 5000)")
        connection.exec_driver_sql("SELECT 1")
    assert refusal.value.code == "database-unavailable"
    assert world.append().index == 1
    assert world.book.audit() == []


@pytest.mark.parametrize(
    "url",
    ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:9/nothing", "mysql://localhost/x", "sqlite://"],
)
def test_a_database_that_cannot_be_opened_is_told(url: str) -> None:
    with pytest.raises(DatabaseUnavailableError) as refusal:  # noqa: PT012  the block is the transaction that is left
        opened = Database(url, busy_timeout=SHORT)
        with opened.read() as connection:
            connection.execute(text("SELECT 1"))
    assert refusal.value.zh


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is no database " * 100)
    opened = Database(f"sqlite:///{tmp_path / 'x.db'}")
    with pytest.raises(DatabaseUnavailableError), opened.read() as connection:
        connection.execute(text("SELECT 1"))
    opened.close()


def test_passwords_are_not_told() -> None:
    opened = Database("postgresql://nobody:hunter2@127.0.0.1:9/nothing", busy_timeout=SHORT)
    with pytest.raises(DatabaseUnavailableError) as refusal, opened.read():
        pass
    assert "hunter2" not in str(refusal.value)


def test_a_pool_that_is_used_up_is_told(hasty: Database) -> None:
    with pytest.raises(DatabaseBusyError, match="free connection"):
        hold(hasty, 30)


def hold(database: Database, count: int) -> None:
    if count:
        with database.read():
            hold(database, count - 1)
