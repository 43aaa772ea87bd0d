"""One installation for all attack files."""

from collections.abc import Iterator

import pytest
from attacks.base import Base, open_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    with open_base(tmp_path_factory.mktemp("attacks")) as made:
        yield made
