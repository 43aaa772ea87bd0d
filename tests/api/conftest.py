"""One live service for all tests of a module; each test makes its own orders."""

from collections.abc import Iterator

import pytest

from tests.api.live import Service, live_service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A real installation behind the real application."""
    with live_service(tmp_path_factory.mktemp("installation")) as made:
        yield made
