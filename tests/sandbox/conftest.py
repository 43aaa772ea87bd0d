"""Real pools; the functions they run live in ``guests/`` beside this file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox import Pool

NAMES = (
    "echo", "abort", "loop", "hoard", "flood", "environment", "descriptors", "limits", "sleep", "identity",
    "typed", "secret", "shout", "forge", "not_json", "write_file", "session", "half_typed", "close_pipes",
    "lie_about_length", "answer_nonsense", "answer_deep", "loaded",
)  # fmt: skip
ALLOWED = tuple(f"sandbox_guests:{name}" for name in NAMES)
FOLDER = str(Path(__file__).parent / "guests")


@pytest.fixture(scope="session")
def make_pool() -> Iterator[Callable[..., Pool]]:
    with ExitStack() as stack:

        def make(size: int = 1, **options: Any) -> Pool:
            settings = {"allowed": ALLOWED, "paths": (FOLDER,), "seconds": 10, **options}
            return stack.enter_context(Pool(size, **settings))

        yield make


@pytest.fixture(scope="session")
def pool(make_pool: Callable[..., Pool]) -> Pool:
    return make_pool()
