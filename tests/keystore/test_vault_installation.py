"""A whole installation whose every private key is in a key service, used through the custody process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from tls_authority import make_tls_authority
from vault_server import Vault, vault_running
from world import START, build_world

from keystore.interface import KeystoreError
from sealing.seal import Sealer
from sealing.workshop import open_workshop


@pytest.mark.parametrize("in_process", [True, False], ids=["in this process", "in the custody process"])
def test_a_document_is_sealed_with_a_key_in_the_service(tmp_path: Path, in_process: bool) -> None:
    context, roots = make_tls_authority(tmp_path)
    token = tmp_path / "token"
    token.write_text("hvs.first\n")
    token.chmod(0o600)
    with vault_running(context, Vault()) as vault:
        files = f"token-file={quote(str(token))}&roots={quote(str(roots))}"
        uri = f"vault+https://localhost:{vault.port}/transit?{files}"
        now = START if in_process else datetime.now(UTC)  # the custody process has a clock of its own
        settings, plan = build_world(tmp_path / "data", now, keystore=uri, unsafe_in_process_keys=in_process)
        with open_workshop(settings) as shop:
            world = plan.fill(shop)
            sealer = Sealer(shop, clock=lambda: now + timedelta(seconds=1))
            assert sealer.seal(world.submission("city", tmp_path), world.clients["platform"]).state == "sealed"

            vault.sealed = True
            with pytest.raises(KeystoreError) as caught:
                sealer.seal(world.submission("town", tmp_path), world.clients["platform"])
            assert caught.value.code == "key-service-gone"
            vault.sealed = False
            assert sealer.seal(world.submission("forest", tmp_path), world.clients["platform"]).state == "sealed"
            assert [each.en for each in shop.book.audit()] == []
            assert sorted(f"vault:{name}.v1" for name in vault.keys) == shop.keystore.refs()
    assert list((tmp_path / "data").rglob("keys/*.json")) == []
