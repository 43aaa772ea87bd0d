"""A log without a database and a real witness process, for tests of what passes between them."""

import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from ledger_world import ORIGIN, LogKey

from ledger import merkle
from ledger.checkpoint import Checkpoint, LogIdentity, sign_checkpoint
from ledger.cosignature import WitnessIdentity
from ledger.merkle import CompactRange, Node

WITNESS = "witness.example/w1"


@dataclass
class TreeLog:
    """A log in memory: its leaves' hashes and its key."""

    key: LogKey = field(default_factory=LogKey)
    origin: str = ORIGIN
    nodes: dict[Node, bytes] = field(default_factory=dict)
    tree: CompactRange = field(default_factory=CompactRange)

    @property
    def identity(self) -> LogIdentity:
        return LogIdentity.of_key(self.origin, self.key)

    def grow(self, count: int, word: str = "leaf") -> "TreeLog":
        for number in range(count):
            hash_of_leaf = merkle.leaf_hash(f"{word} {number}".encode())
            self.nodes[Node(0, self.tree.size)] = hash_of_leaf
            self.tree, completed = self.tree.append(hash_of_leaf)
            self.nodes.update(completed)
        return self

    def fork(self) -> "TreeLog":
        """The same log, to grow otherwise."""
        return TreeLog(key=self.key, origin=self.origin, nodes=dict(self.nodes), tree=self.tree)

    def read(self, wanted: Sequence[Node]) -> Mapping[Node, bytes]:
        return {node: self.nodes[node] for node in wanted if node in self.nodes}

    def note(self, size: int | None = None) -> str:
        size = self.tree.size if size is None else size
        root = merkle.range_at(size, self.read).root()
        return sign_checkpoint(Checkpoint(origin=self.origin, size=size, root=root), self.identity, self.key)

    def request(self, old: int, size: int | None = None) -> bytes:
        size = self.tree.size if size is None else size
        proof = merkle.consistency_proof(old, size, self.read) if old <= size else []
        lines = [f"old {old}", *(b64encode(each).decode() for each in proof)]
        return ("\n".join(lines) + "\n\n" + self.note(size)).encode()


@dataclass
class WitnessProcess:
    """A witness process and where it listens."""

    process: subprocess.Popen[str]
    address: str
    vkey: str
    folder: Path

    @property
    def identity(self) -> WitnessIdentity:
        return WitnessIdentity.from_vkey(self.vkey)

    @property
    def configuration(self) -> str:
        """Its line in the list of witnesses of a service."""
        return f"{self.vkey} {self.address}\n"

    def post(self, body: bytes) -> httpx2.Response:
        return httpx2.post(f"{self.address}/add-checkpoint", content=body, timeout=20)


@contextmanager
def running_witness(folder: Path, *logs: LogIdentity, name: str = WITNESS) -> Iterator[WitnessProcess]:
    """Start ``yinxin witness`` on any free port; stop it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "logs.txt"
    listed.write_text("# followed\n" + "".join(f"{each.vkey}\n" for each in logs), encoding="utf-8")
    command = [sys.executable, "-m", "cli", "witness", str(folder), "--logs", str(listed), "--name", name]
    process = subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        vkey, told = process.stdout.readline().strip(), process.stderr.readline()
        assert "http://" in told, told
        address = "http://" + told.partition("http://")[2].strip().removesuffix("/add-checkpoint")
        _await(address)
        yield WitnessProcess(process=process, address=address, vkey=vkey, folder=folder)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
        process.stderr.close()


def _await(address: str) -> None:
    for _ in range(200):
        try:
            if httpx2.get(f"{address}/vkey", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(address)
