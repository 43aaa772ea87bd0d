"""A whole installation whose every private key is in a SoftHSM token: founded, filled, sealed with, audited."""

from datetime import timedelta
from pathlib import Path

import pytest
from softhsm import SoftToken
from world import START, build_world

from keystore.interface import TokenAbsentError
from keystore.pkcs11 import Pkcs11Keystore
from sealing.seal import Sealer
from sealing.workshop import Workshop, open_workshop

pytestmark = pytest.mark.tool("softhsm2-util")


def audit(shop: Workshop) -> list[str]:
    return [each.en for each in shop.book.audit()]


def test_a_document_is_sealed_with_a_key_in_the_token(token: SoftToken, tmp_path: Path) -> None:
    settings, plan = build_world(tmp_path / "data", keystore=token.uri)
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        assert isinstance(shop.keystore, Pkcs11Keystore)
        sealer = Sealer(shop, clock=lambda: START + timedelta(hours=1))
        outcome = sealer.seal(world.submission("city", tmp_path), world.clients["platform"])
        assert outcome.state == "sealed", outcome.findings

        with token.unplugged(), pytest.raises(TokenAbsentError):
            sealer.seal(world.submission("town", tmp_path), world.clients["platform"])
        assert sealer.seal(world.submission("forest", tmp_path), world.clients["platform"]).state == "sealed"
        assert audit(shop) == []
    assert list((tmp_path / "data").rglob("keys/*.json")) == []
    assert token.objects == 2 * len(Pkcs11Keystore(shop.keystore._session.address).refs())
