"""Files written byte by byte, and the examination of them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # builders and features, beside the tests

from signer.examine import Examination, examine


@pytest.fixture
def examined(tmp_path: Path) -> Callable[..., Examination]:
    def run(data: bytes, **options: tuple[str, ...]) -> Examination:
        path = tmp_path / "document.pdf"
        path.write_bytes(data)
        return examine(path, **options)

    return run
