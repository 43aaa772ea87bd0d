"""A sealed document under a witness: its intent is not older than the last cosigned head, its receipt is cosigned."""

from datetime import timedelta
from pathlib import Path

from witness_world import running_witness
from world import START, build_world

from ledger.cosignature import read_cosignatures
from sealing import impressions
from sealing.audit import audit
from sealing.clock import utc_now
from sealing.receipts import receipt
from sealing.seal import Sealer
from sealing.settings import Settings
from sealing.witnessing import Witnessing
from sealing.workshop import open_workshop


def test_a_seal_use_is_held_between_two_cosigned_heads(tmp_path: Path) -> None:
    listed = tmp_path / "witnesses"
    settings, plan = build_world(
        tmp_path / "data",
        witnesses=listed,
        witnesses_needed=1,
        outbound_networks=("127.0.0.0/8",),
        unsafe_outbound_http=True,
    )
    with open_workshop(Settings(data=settings.data)) as shop:
        identity = shop.identity
    with running_witness(tmp_path / "witness", identity) as witness:
        listed.write_text(witness.configuration, encoding="utf-8")
        with open_workshop(settings) as shop:
            world = plan.fill(shop)
            Witnessing(shop, utc_now).ask(shop.witnesses)
            before = (settings.data / "last-cosigned").read_text(encoding="utf-8")
            clock = lambda: START + timedelta(hours=1)  # noqa: E731  a clock that stands still
            outcome = Sealer(shop, clock=clock).seal(world.submission("city", tmp_path), world.clients["platform"])
            assert outcome.state == "sealed", outcome.findings
            with shop.database.read() as connection:
                impression = impressions.checked(connection, shop.book, outcome.impression or "")
                (intent,) = shop.book.indexes(connection, "seal.intended")
                bound = shop.book.entry(connection, intent).value("witnessed")
            (earlier,) = read_cosignatures(before, [witness.identity])
            assert bound == {
                "size": int(before.split("\n")[1]),
                "root": bound["root"],
                "time": f"{earlier.time:%Y-%m-%dT%H:%M:%S}.000000Z",
            }
            given = receipt(shop, impression, clock())
            (after,) = read_cosignatures(given.evidence.checkpoint, [witness.identity])
            assert after.time >= earlier.time
            assert given.evidence.check(shop.identity)[1].size > impression.entry >= bound["size"]
            assert [each for each in audit(shop, clock()) if each.severity == "broken"] == []
