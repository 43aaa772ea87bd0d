"""Having the record vouched for from outside: witnesses all the time, a time-stamp authority once a day.

What is asked and answered stands in the database; the last cosigned checkpoint also in the file ``last-cosigned``
beside it. A witness that says our record is not the one it knows stops appending and signing, at start and later.
"""

import fcntl
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import SystemRandom
from threading import Event, Thread
from time import monotonic, sleep
from typing import Final

import structlog

from ledger import store, witnessed
from ledger.evidence import Evidence, stamped_digest
from ledger.witnessed import WitnessAnswer
from sealing.clock import Clock
from sealing.errors import NotWitnessedError
from sealing.outside_services import outbound_client
from sealing.time_stamping import time_stamper
from sealing.witness_exchange import CONFLICTS, COSIGNED, ask, conflict, present
from sealing.witness_list import Witness
from sealing.workshop import Workshop

INTERVAL: Final = 30.0
"""Seconds between two rounds, give or take a fifth."""
STALE: Final = timedelta(hours=1)
"""After this time a tree that did not grow is cosigned again, so that a silence is noticed."""
PATIENCE: Final = 5.0
"""Seconds that a receipt waits for its witnesses."""
DAY: Final = timedelta(days=1)
"""Between two outside time-stamps of the record."""
_CALL: Final = 4.0  # seconds for one call
_AT_ONCE: Final = 8
_PAUSE: Final = 0.02

log: structlog.stdlib.BoundLogger = structlog.get_logger("yinxin")


class Witnessing:
    """Asks the witnesses of one installation. Shared by threads; of several processes one asks at a time."""

    def __init__(self, shop: Workshop, clock: Clock) -> None:
        """Nothing is asked before a method is called."""
        self.shop = shop
        self.clock = clock
        self._client = outbound_client(shop.settings, [each.url for each in shop.witnesses], seconds=_CALL)
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Ask every witness once, then go on in the background.

        Raises :class:`RecordBrokenError` when one knows of another record than the database holds. A witness that
        cannot be reached is told in the log, and does not stop the start.
        """
        if not self.shop.witnesses and not self.shop.settings.timestamp_url:
            return
        self.ask(self.shop.witnesses)
        self._thread = Thread(target=self._run, name="witnessing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background work; waits for a call that is under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def ask(self, witnesses: Collection[Witness]) -> None:
        """Have the present head cosigned by these witnesses, all at once, and keep what they answer.

        Raises :class:`RecordBrokenError` as :meth:`start`; this process then appends and signs nothing more.
        """
        now = self.clock()
        with self.shop.database.read() as connection:
            before = witnessed.answers(connection)

        def one(witness: Witness) -> tuple[WitnessAnswer, str | None]:
            last = before.get(witness.identity.vkey)
            return ask(self.shop, self._client, witness, known=(last and last.size) or 0, now=now)

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(one, witnesses))
        for answer, note in answers:
            self._keep(answer, note, before.get(answer.witness))
        self.adopt()

    def adopt(self) -> None:
        """Take over what any process was told: refuse to go on while a witness contradicts the record.

        Raises that :class:`RecordBrokenError`.
        """
        with self.shop.database.read() as connection:
            answers = witnessed.answers(connection)
        names = {each.identity.vkey: each.identity.name for each in self.shop.witnesses}
        found = (conflict(self.shop, answers[vkey], name) for vkey, name in names.items() if vkey in answers)
        error = next((each for each in found if each is not None), None)
        self.shop.book.refuse(error)
        if error is not None:
            raise error

    def _keep(self, answer: WitnessAnswer, note: str | None, before: WitnessAnswer | None) -> None:
        if note is not None:
            self.shop.book.keep_cosigned(note)
        else:
            log.warning("not_cosigned", witness=answer.witness.partition("+")[0], outcome=answer.outcome)
        if answer.size is None and before is not None:
            outcome = before.outcome if before.outcome in CONFLICTS else answer.outcome
            answer = WitnessAnswer(
                witness=answer.witness, asked=answer.asked, outcome=outcome, size=before.size
            )  # silence takes back nothing
        with self.shop.database.write() as connection:
            witnessed.keep_answer(connection, answer)

    def _run(self) -> None:
        random = SystemRandom()
        while not self._stopped.wait(INTERVAL * random.uniform(0.8, 1.2)):
            try:
                self.round()
            except Exception:
                log.warning("witnessing_failed", exc_info=True)

    def round(self) -> None:
        """What is due now: ask those witnesses that have not cosigned the present head, unless another process does.

        Raises as :meth:`ask`.
        """
        with _turn(self.shop, patience=0) as ours:
            due = self._due() if ours else []
            if due:
                self.ask(due)
            if ours:
                self._stamp()
        self.adopt()

    def _stamp(self) -> None:
        """Have the newest cosigned checkpoint, or the newest at all, time-stamped from outside once a day."""
        now = self.clock()
        if not self.shop.settings.timestamp_url:
            return
        with self.shop.database.read() as connection:
            last = witnessed.last_token(connection)
            cosigned = self.shop.book.last_witnessed(connection)
        if last is not None and now - last < DAY:
            return
        signed = self.shop.book.checkpoint(now, cosigned.size) if cosigned else present(self.shop, now)
        with self.shop.database.read() as connection:
            if witnessed.tokens(connection, signed.size):
                return  # nothing was added since
        token = time_stamper(self.shop).token(stamped_digest(signed.note), now)
        with self.shop.database.write() as connection:
            witnessed.keep_token(connection, signed.size, token.der, now)

    def _due(self) -> list[Witness]:
        now = self.clock()
        with self.shop.database.read() as connection:
            size = store.read_head(connection).range.size
            answers = witnessed.answers(connection)

        def fresh(answer: WitnessAnswer | None) -> bool:
            if answer is None or answer.outcome != COSIGNED or answer.size != size:
                return False
            return now - answer.asked < STALE

        return [each for each in self.shop.witnesses if not fresh(answers.get(each.identity.vkey))]

    def await_cosigned(self, at_least: int, needed: int) -> None:
        """Have a checkpoint over ``at_least`` entries cosigned by ``needed`` witnesses before long.

        Raises :class:`NotWitnessedError`, :class:`RecordBrokenError`.
        """
        with _turn(self.shop, patience=PATIENCE) as ours:  # whoever waited may find it done
            if ours and self.shop.book.cosigned(at_least, needed=needed) is None:
                self.ask(self.shop.witnesses)
        found = self.shop.book.cosigned(at_least, needed=needed)
        if found is None:
            raise NotWitnessedError(
                "not-witnessed",
                f"尚无 {needed} 个见证人的附签，凭证暂不发出；请稍后再取",
                f"{needed} witnesses have not cosigned yet, no receipt is given before they have; ask again later",
            )


def evidence(shop: Workshop, index: int, groups: Collection[str], now: datetime) -> Evidence:
    """What shows entry ``index`` to a stranger, cosigned by as many witnesses as the settings ask for.

    Called outside any transaction. Raises :class:`NotWitnessedError`, and as ``Book.evidence``.
    """
    needed = shop.settings.witnesses_needed
    if needed and shop.book.cosigned(index + 1, needed=needed) is None:
        Witnessing(shop, lambda: now).await_cosigned(index + 1, needed)
    return shop.book.evidence(index, groups, now, needed=max(1, needed))


@contextmanager
def _turn(shop: Workshop, *, patience: float) -> Iterator[bool]:
    """Whether this process may ask now; of all processes over one data folder one may."""
    until = monotonic() + patience
    with (shop.settings.data / "witnessing.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if monotonic() >= until:
                    yield False
                    return
                sleep(_PAUSE)
            else:
                yield True
                return
