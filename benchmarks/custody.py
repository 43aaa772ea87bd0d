"""What it costs that keys are elsewhere: a seal through the custody process and SoftHSM, beside keys in files.

Three installations differ in nothing but where their keys are: in files and this process, in files behind the custody
process, in a SoftHSM token behind it. Whole ``seal()`` calls alternate, one seal at a time. The overhead is
what a seal takes longer than with a key in this process, once the raw signatures of both are taken away.
"""

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from softhsm import make_token
from sqlalchemy import select
from world import World, build_world

from benchmarks.load import submissions
from custody.client import CustodyKey
from keystore.interface import Permit, SigningKey
from keystore.open import open_keystore
from ledger.tables import entries
from sealing.administration.seals import change_state
from sealing.clock import utc_now
from sealing.order import Submission
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.workshop import Workshop, open_workshop

ROUNDS, A_ROUND, WARM = 11, 12, 12
RAW, PINGS = 300, 300
SEALERS, SUSPENSIONS = 4, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An open installation, the seal uses that wait in it, and what each took, in seconds."""

    world: World
    sealer: Sealer
    waiting: list[Submission]
    times: list[float]

    def seal(self, count: int) -> float:
        """Seconds for one of ``count`` seals, one after the other."""
        started = time.perf_counter()
        for _ in range(count):
            outcome = self.sealer.seal(self.waiting.pop(), self.world.clients["platform"])
            if outcome.state != "sealed":
                raise RuntimeError(str(outcome))
        return (time.perf_counter() - started) / count

    @property
    def microseconds(self) -> float:
        """The median of the seals."""
        return statistics.median(self.times) * 1e6


def run(out: Callable[[str], None]) -> None:
    """Print ``pkcs11_overhead_us``, ``pkcs11_seals_per_s_share`` and ``revoke_to_refuse``, with their parts."""
    with tempfile.TemporaryDirectory(prefix="yinxin-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        token = make_token(folder / "token")
        os.environ.update(token.environment)
        places = {
            "in process, files": stack.enter_context(_place(folder / "own", unsafe_in_process_keys=True)),
            "custody, files": stack.enter_context(_place(folder / "files", unsafe_in_process_keys=False)),
            "custody, SoftHSM": stack.enter_context(
                _place(folder / "softhsm", unsafe_in_process_keys=False, keystore=token.uri)
            ),
        }
        _alternate(list(places.values()))
        for what, place in places.items():
            out(f"   seal(), {what}: median {place.microseconds:.0f} µs, minimum {min(place.times) * 1e6:.0f} µs")
        own, files, softhsm = places.values()
        raw_software = _raw(_key(own.world.shop, own.world.shop.settings.keystore_uri))
        raw_pkcs11 = _raw(_key(softhsm.world.shop, token.uri))
        out(f"   raw signature, P-256: software {raw_software:.0f} µs, PKCS#11 {raw_pkcs11:.0f} µs")
        out(f"   one round trip to the custody process: {_round_trip(softhsm.world.shop):.0f} µs")
        _print_key_uses(out, softhsm)
        overhead = (softhsm.microseconds - raw_pkcs11) - (own.microseconds - raw_software)
        out(f"figure pkcs11_overhead_us {overhead:.0f}")
        out(f"figure pkcs11_seals_per_s_share {files.microseconds / softhsm.microseconds:.2f}")
        out(f"figure revoke_to_refuse {max(_revocations(softhsm, folder))}")


@contextmanager
def _place(folder: Path, **settings: object) -> Iterator[Place]:
    chosen, plan = build_world(folder / "data", utc_now(), **settings)
    with open_workshop(chosen) as shop:
        world = plan.fill(shop)
        waiting = submissions(world, folder, ROUNDS * A_ROUND + WARM + A_ROUND)
        place = Place(world=world, sealer=Sealer(shop), waiting=waiting, times=[])
        place.seal(WARM)
        yield place


def _alternate(places: list[Place]) -> None:
    """Seal by seal in turn, so that whatever else the machine does falls on all alike."""
    for _ in range(ROUNDS * A_ROUND):
        for place in places:
            place.times.append(place.seal(1))


def _key(shop: Workshop, uri: str) -> SigningKey:
    """The key of a seal, from the backend itself."""
    keystore = open_keystore(uri, key_encryption_key=shop.settings.key_encryption_key_path)
    return next(key for key in map(keystore.open, keystore.refs()) if key.purpose == "seal")


def _raw(key: SigningKey) -> float:
    """Microseconds of one signature without anything around it."""
    times = []
    for number in range(RAW):
        message = number.to_bytes(4) * 32
        started = time.perf_counter()
        key.sign(Permit.to_sign(key, message), message)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def _print_key_uses(out: Callable[[str], None], place: Place) -> None:
    """What one seal asks of the custody process: which keys, how often, and for how long."""
    times: dict[str, list[float]] = {}
    sign = CustodyKey.sign

    def timed(key: CustodyKey, permit: Permit, message: bytes) -> bytes:
        started = time.perf_counter()
        signature = sign(key, permit, message)
        times.setdefault(key.purpose, []).append(time.perf_counter() - started)
        return signature

    CustodyKey.sign = timed  # type: ignore[assignment, method-assign]  # of this run's own process
    try:
        place.seal(A_ROUND)
    finally:
        CustodyKey.sign = sign  # type: ignore[method-assign]  # as it was
    for purpose, each in times.items():
        median = statistics.median(each) * 1e6
        out(f"   key of the purpose {purpose}: {len(each) / A_ROUND:.1f} uses a seal, median {median:.0f} µs")


def _round_trip(shop: Workshop) -> float:
    """Microseconds of a call that touches no key."""
    times = []
    for _ in range(PINGS):
        started = time.perf_counter()
        shop.keystore.ping()  # type: ignore[attr-defined]  # the custody process's client has it
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def _revocations(place: Place, folder: Path) -> Iterator[int]:
    """Seals committed after each suspension, while several workshops on the same data seal without a pause."""
    world = place.world
    for number in range(SUSPENSIONS):
        waiting = [world.submission("city", folder / "softhsm") for _ in range(SEALERS * 12)]
        threads = [
            threading.Thread(target=_seal_until_refused, args=(world, waiting[each::SEALERS]))
            for each in range(SEALERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.05 * (number + 1))
        change_state(world.shop, world.seals["city"], "suspend", replace(world.act("停用"), now=utc_now()))
        for thread in threads:
            thread.join()
        with world.shop.database.read() as connection:
            kinds = list(connection.execute(select(entries.c.kind).order_by(entries.c.index)).scalars())
        last = len(kinds) - 1 - kinds[::-1].index("seal.suspended")
        yield kinds[last:].count("seal.impressed")
        change_state(world.shop, world.seals["city"], "resume", replace(world.act("恢复"), now=utc_now()))


def _seal_until_refused(world: World, waiting: list[Submission]) -> None:
    with open_workshop(Settings.model_validate(world.shop.settings.model_dump())) as shop:
        sealer = Sealer(shop)
        for submission in waiting:
            if sealer.seal(submission, world.clients["platform"]).state != "sealed":
                return
