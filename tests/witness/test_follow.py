"""A public client follows the log over HTTP: written from the C2SP texts alone, with the standard library and openssl.

What follows uses nothing of the project: what it can check, any stranger can.
"""

import subprocess
import urllib.request
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from servers import running
from witness_world import running_witness

from ledger.entry import Draft
from ledger.ids import new_id
from sealing.clock import utc_now
from sealing.settings import Settings
from sealing.workshop import Workshop, initialise, open_workshop

WIDTH = 256
SPKI = bytes.fromhex("302a300506032b6570032100")


class Follower:
    """Knows a prefix and two verifier keys, and remembers the tree it has seen."""

    def __init__(self, prefix: str, log_vkey: str, witness_vkey: str, folder: Path) -> None:
        self.prefix, self.log_vkey, self.witness_vkey, self.folder = prefix, log_vkey, witness_vkey, folder
        self.hashes: list[bytes] = []

    def get(self, path: str) -> tuple[bytes, str, str]:
        with urllib.request.urlopen(f"{self.prefix}/{path}", timeout=20) as answer:
            return answer.read(), answer.headers["Content-Type"], answer.headers["Cache-Control"]

    def follow(self) -> tuple[int, int]:
        """Read on to the present checkpoint; its size, and the time of its cosignature."""
        note, media_type, caching = self.get("checkpoint")
        assert media_type == "text/plain; charset=utf-8"
        assert caching == "public, max-age=2"
        body, _, signatures = note.decode().rpartition("\n\n")
        body += "\n"
        origin, size_text, root_text = body.splitlines()
        assert origin == self.log_vkey.split("+")[0]
        assert self.signature(self.log_vkey, signatures, lambda _: body.encode()) == b""
        stamp = self.signature(
            self.witness_vkey,
            signatures,
            lambda stamp: f"cosignature/v1\ntime {int.from_bytes(stamp)}\n{body}".encode(),
        )
        size, known = int(size_text), len(self.hashes)
        assert size >= known, "rolled back"
        self.hashes += self.entries(known, size)
        assert root_of(self.hashes) == b64decode(root_text), "the entries do not lead to the root"
        return size, int.from_bytes(stamp)

    def entries(self, start: int, end: int) -> list[bytes]:
        """The leaf hashes of a span, from the entry bundles, held against the tiles of level 0."""
        found: list[bytes] = []
        for number in range(start // WIDTH, -(-end // WIDTH)):
            width = min(WIDTH, end - number * WIDTH)
            name = f"{number:03}" + ("" if width == WIDTH else f".p/{width}")
            bundle, media_type, caching = self.get(f"tile/entries/{name}")
            assert media_type == "application/octet-stream"
            assert "immutable" in caching
            hashes = []
            while bundle:
                length = int.from_bytes(bundle[:2])
                hashes.append(sha256(b"\x00" + bundle[2 : 2 + length]).digest())
                bundle = bundle[2 + length :]
            assert b"".join(hashes) == self.get(f"tile/0/{name}")[0]
            assert len(hashes) == width
            if width == WIDTH:
                upper = end // WIDTH
                assert root_of(hashes) == self.get(f"tile/1/000.p/{upper}")[0][32 * number : 32 * number + 32]
            found += hashes[max(0, start - number * WIDTH) :]
        return found

    def signature(self, vkey: str, lines: str, message: Callable[[bytes], bytes]) -> bytes:
        """Check the line of a key with openssl; what stands between key hash and signature."""
        name, key_hash, encoded = vkey.split("+", 2)
        kind_and_key = b64decode(encoded)
        assert sha256(name.encode() + b"\n" + kind_and_key).digest()[:4].hex() == key_hash
        (raw,) = (
            data
            for line in lines.splitlines()
            if line.startswith(f"— {name} ") and (data := b64decode(line.split(" ")[2]))[:4].hex() == key_hash
        )
        (self.folder / "key").write_bytes(SPKI + kind_and_key[1:])
        (self.folder / "message").write_bytes(message(raw[4:-64]))
        (self.folder / "signature").write_bytes(raw[-64:])
        key = ["-pubin", "-keyform", "DER", "-inkey", self.folder / "key"]
        signed = ["-in", self.folder / "message", "-sigfile", self.folder / "signature"]
        subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", *key, *signed], check=True, capture_output=True)
        return raw[4:-64]


def root_of(hashes: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + root_of(hashes[:split]) + root_of(hashes[split:])).digest()


def append(shop: Workshop, count: int) -> None:
    with shop.database.write() as connection:
        for number in range(count):
            draft = Draft(kind="test.entry", subjects=(new_id("tst"),), groups={"row": {"n": number}})
            shop.book.append(connection, draft, utc_now())


@pytest.mark.tool("openssl")
def test_a_stranger_follows_the_log_and_its_witness(tmp_path: Path) -> None:
    data = tmp_path / "data"
    initialise(Settings(data=data), utc_now())
    with open_workshop(Settings(data=data)) as shop:
        append(shop, 300)
        log = shop.identity
    with running_witness(tmp_path / "witness", log) as witness:
        (tmp_path / "witnesses").write_text(witness.configuration, encoding="utf-8")
        chosen = {
            "witnesses": str(tmp_path / "witnesses"),
            "outbound_networks": '["127.0.0.0/8"]',
            "unsafe_outbound_http": "true",
        }
        follower: Follower | None = None
        seen = [(0, 0)]
        for grown in (0, 250):
            with open_workshop(Settings(data=data)) as shop:
                append(shop, grown)
            with running(Settings(data=data), tmp_path, **chosen) as server:
                prefix = f"{server.address}/v1"
                follower = follower or Follower(prefix, log.vkey, witness.vkey, tmp_path)
                follower.prefix = prefix
                seen.append(follower.follow())
        assert seen[1][0] > 300
        assert seen[2][0] >= seen[1][0] + 250
        assert 0 < seen[1][1] <= seen[2][1]
