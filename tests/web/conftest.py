"""One site and one browser for all page tests."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.site import Site, open_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real server with documents to verify; its limits are out of the way."""
    with open_site(tmp_path_factory.mktemp("site"), verification_rate="100000/minute") as made:
        yield made


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    """Debian's Chromium, headless. While it runs no other event loop can, so it comes last and goes with its module."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


def _clean() -> dict[str, str | float | bool]:
    """No proxy of the machine between the browser and the server beside it."""
    return {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
