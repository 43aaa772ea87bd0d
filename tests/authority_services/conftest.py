"""One installation, and the real server over it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from servers import running
from world import build_world

from sealing.workshop import open_workshop
from tests.authority_services.services import Services


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("authority-services")
    settings, plan = build_world(folder / "data", datetime.now(UTC))
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        with running(settings, folder, verification_rate="100000/minute") as server:
            made = Services(world=world, server=server, folder=folder)
            made.write("root.pem", shop.installation.root_certificate)
            made.write("issuer.pem", shop.installation.issuer_certificate)
            yield made
