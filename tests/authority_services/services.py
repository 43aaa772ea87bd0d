"""What the tests of the authority services work with."""

import subprocess
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers import Server
from world import GRANTORS, World

from registry.records import SealKey
from sealing.administration.seals import change_state
from sealing.workshop import Workshop

OCSP, TSA = "/v1/authority/ocsp", "/v1/authority/tsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The installation as its operator has it, and its server as the world sees it."""

    world: World
    server: Server
    folder: Path

    @property
    def shop(self) -> Workshop:
        return self.world.shop

    def seal_certificate(self, name: str) -> x509.Certificate:
        with self.shop.database.read() as connection:
            found = self.shop.registry.find_one(connection, SealKey, seal=self.world.seals[name], current=True)
        return x509.load_der_x509_certificate(b64decode(found.record.chain[0]))

    def change(self, name: str, change: str) -> None:
        self.world.now = datetime.now(UTC)
        if change == "cancel":
            self.world.two_persons("cancel_seal", GRANTORS[name], seal=self.world.seals[name], reason="superseded")
            return
        change_state(self.shop, self.world.seals[name], change, self.world.act("测试"))  # type: ignore[arg-type]  # one of the changes

    def write(self, name: str, *certificates: x509.Certificate) -> str:
        path = self.folder / name
        path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in certificates))
        return str(path)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(self.server.address + path, timeout=30)

    def post(self, path: str, body: bytes, media_type: str) -> httpx2.Response:
        return httpx2.post(self.server.address + path, content=body, headers={"Content-Type": media_type}, timeout=30)

    def openssl(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stdout + done.stderr
