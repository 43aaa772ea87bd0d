"""Several threads and processes append, read, sign and prove at once; the record stays whole."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ledger_world import World

from ledger.book import Book
from ledger.database import Database
from ledger.entry import Draft
from ledger.ids import new_id

EACH = 12
ROOT = Path(__file__).parent.parent.parent


def append_some(database: Database, book: Book, subject: str) -> None:
    for number in range(EACH):
        with database.write() as connection:
            draft = Draft(kind="a.b", subjects=(subject,), groups={"row": number})
            book.append(connection, draft, datetime.now(UTC))


def in_threads(*targets: Callable[[], object]) -> None:
    failures = []

    def guarded(target: Callable[[], object]) -> None:
        try:
            target()
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_threads_append_sign_and_prove_at_once(world: World) -> None:
    world.fill(3)
    subjects = [new_id("app") for _ in range(4)]

    def appending(subject: str) -> Callable[[], None]:
        return lambda: append_some(world.database, world.book, subject)

    def proving() -> None:
        for _ in range(EACH):
            now = datetime.now(UTC)
            signed = world.book.checkpoint(now, 3)
            world.book.evidence(signed.size - 1, ["row"], now)
            with world.database.read() as connection:
                world.book.trusted(connection, signed.size - 1)

    in_threads(*map(appending, subjects), proving, proving)
    assert world.count("ledger_entries") == 3 + 4 * EACH
    assert world.book.audit() == []
    with world.database.read() as connection:
        assert {world.book.latest(connection, subject).value("row") for subject in subjects} == {EACH - 1}


def test_replicas_learn_what_others_appended(world: World) -> None:
    replicas = [Book(Database(world.url), world.identity, world.key) for _ in range(3)]
    for number in range(9):
        world.now = datetime.now(UTC)
        book = replicas[number % 3]
        with book.database.write() as connection:
            draft = Draft(kind="a.b", subjects=(), groups={"row": number})
            assert book.append(connection, draft, world.now).index == number
            assert book.trusted(connection, max(number - 1, 0)).kind == "a.b"
    for book in replicas:
        assert book.checkpoint(world.now, 9).size == 9
        book.database.close()
    assert world.book.audit() == []


WORKER = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
import importlib.util
spec = importlib.util.spec_from_file_location("fixtures", {fixtures!r})
fixtures = importlib.util.module_from_spec(spec)
sys.modules["fixtures"] = fixtures
spec.loader.exec_module(fixtures)
spec = importlib.util.spec_from_file_location("concurrency", {here!r})
concurrency = importlib.util.module_from_spec(spec)
spec.loader.exec_module(concurrency)
world = fixtures.World(concurrency.Database({url!r}), __import__("pathlib").Path({anchor!r}))
concurrency.append_some(world.database, world.book, concurrency.new_id("app"))
"""


def test_processes_append_at_once(world: World) -> None:
    world.fill(2)
    world.book.checkpoint(datetime.now(UTC), 2)
    here = Path(__file__)
    script = WORKER.format(
        tests=str(here.parent.parent),
        root=str(ROOT),
        fixtures=str(here.parent / "conftest.py"),
        here=str(here),
        url=world.url,
        anchor=str(world.anchor),
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(3)
    ]
    for worker in workers:
        _, told = worker.communicate(timeout=120)
        assert worker.returncode == 0, told
    assert world.append_now().index == 2 + 3 * EACH
    assert world.book.audit() == []
