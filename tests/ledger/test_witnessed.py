"""What witnesses answered, kept by several processes at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

from ledger_world import World

from ledger import witnessed
from ledger.cosignature import Cosignature, WitnessIdentity
from ledger.witnessed import WitnessAnswer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 4


def test_processes_that_keep_the_same_answer_at_once_do_not_fail(world: World) -> None:
    identity, barrier = WitnessIdentity(name="w", public_key=b"\x01" * 32), Barrier(AT_ONCE)

    def keep(number: int) -> None:
        for size in range(8):
            barrier.wait(10)
            with world.database.write() as connection:
                answer = WitnessAnswer(witness=identity.vkey, asked=NOW, outcome=f"code-{number}", size=size)
                witnessed.keep_answer(connection, answer)
                witnessed.keep_cosignature(connection, size, Cosignature(witness=identity, time=NOW), f"line {number}")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(keep, range(AT_ONCE)))
    with world.database.read() as connection:
        (kept,) = witnessed.answers(connection).values()
    assert kept.size == 7
