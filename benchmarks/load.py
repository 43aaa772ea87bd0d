"""A real installation under load: two processes on one data folder, each with a sealing thread of its own.

The processes wait for orders on a pipe: so many bare signatures, or so many whole seal uses. Both are made of
documents that were written before, and each document is used once.
"""

import multiprocessing
import pickle
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path

from world import PLAIN, World, build_world

from keystore.interface import Permit
from sealing.administration.seals import SealPolicy
from sealing.clock import utc_now
from sealing.order import Caller, Submission
from sealing.parts import seal_parts
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop
from signer.desk import inspect_document
from signer.face import draw
from signer.placement import parse_placement
from signer.prepare import prepare
from signer.seal_file import embed, measure
from signer.specimen import Specimen
from signer.text import locate

PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A filled installation and the seal uses that wait to be made in it."""

    settings: Settings
    caller: Caller
    world: World
    folder: Path


@contextmanager
def installation(policy: SealPolicy = PLAIN) -> Iterator[Prepared]:
    """Build an installation on SQLite in a folder that is removed afterwards; its seals have this ``policy``."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as name:
        folder = Path(name)
        settings, plan = build_world(folder / "data", utc_now(), policy=policy)
        with open_workshop(settings) as shop:
            world = plan.fill(shop)
        yield Prepared(settings=settings, caller=world.clients["platform"], world=world, folder=folder)


def submissions(world: World, folder: Path, count: int) -> list[Submission]:
    """Seal uses of the three agreements in turn, each with a document and an approval of its own."""
    names = ("city", "town", "forest")
    return [world.submission(names[number % 3], folder) for number in range(count)]


class Crew:
    """Processes that seal when told."""

    def __init__(self, prepared: Prepared, shares: list[list[Submission]]) -> None:
        """``shares`` holds the seal uses of each process."""
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for share in shares:
            ours, theirs = context.Pipe()
            arguments = (theirs, prepared.settings.model_dump(), pickle.dumps(share), prepared.caller)
            process = context.Process(target=_work, args=arguments, daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def seconds(self, what: str, count: int) -> float:
        """Wall time until every process has done ``count`` of ``what`` (``bare`` or ``whole``)."""
        started = time.perf_counter()
        for pipe in self._pipes:
            pipe.send((what, count))
        for pipe in self._pipes:
            answer = pipe.recv()
            if answer != "done":
                raise RuntimeError(answer)
        return time.perf_counter() - started

    def close(self) -> None:
        """Let the processes end."""
        for pipe in self._pipes:
            pipe.send(("end", 0))
        for process in self._processes:
            process.join(30)


def _work(pipe: Connection, settings: dict[str, object], share: bytes, caller: Caller) -> None:
    with open_workshop(Settings.model_validate(settings)) as shop:
        waiting: list[Submission] = pickle.loads(share)
        bare, sealer = _Bare(shop, waiting[0]), Sealer(shop)
        bare.sign()
        sealer.seal(waiting.pop(), caller)
        pipe.send("ready")
        while True:
            what, count = pipe.recv()
            if what == "end":
                return
            try:
                for _ in range(count):
                    if what == "bare":
                        bare.sign()
                    else:
                        outcome = sealer.seal(waiting.pop(), caller)
                        if outcome.state != "sealed":
                            raise RuntimeError(str(outcome))  # noqa: TRY301  told to the parent like any other
                pipe.send("done")
            except Exception as error:  # noqa: BLE001  the parent reports it
                pipe.send(repr(error))


class _Bare:
    """The signer alone, in process: prepare, key, self-check, embed; nothing decided, nothing recorded."""

    def __init__(self, shop: Workshop, submission: Submission) -> None:
        with shop.database.read() as connection:
            parts = seal_parts(connection, shop.registry, submission.order.seal)
        if parts is None:
            raise RuntimeError("no seal")
        self.key = shop.keystore.open(parts.key.record.key_ref)
        self.chain = parts.chain
        self.source = submission.source
        self.digest = sha256(self.source.read_bytes()).digest()
        seal = parts.seal.record
        self.face = draw(Specimen(name=seal.name, number=seal.number, sample=True))
        self.spots = locate(self.source, parse_placement(submission.order.placement), self.face.diameter)
        self.target = shop.documents.unused()

    def sign(self) -> None:
        """One signature on a fresh copy."""
        layout = prepare(
            self.source,
            self.target,
            face=self.face,
            spots=self.spots,
            seam=(),
            field=None,
            final=True,
            signer_name="印信",
            reason="基准",
            location="赣州",
            now=utc_now(),
        )
        ready = measure(self.target, layout, source_digest=self.digest, chain=self.chain, algorithm=self.key.algorithm)
        embed(ready, self.key.sign(Permit.to_sign(self.key, ready.to_be_signed), ready.to_be_signed))
        self.target.unlink()


def inspection_milliseconds(submission: Submission, rounds: int = 30) -> float:
    """The least CPU time of examining a document and reading its text, in milliseconds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        inspect_document(source=str(submission.source), tolerated_fonts=[], allowed_attachments=[])
        best = min(best, time.process_time() - started)
    return best * 1000
