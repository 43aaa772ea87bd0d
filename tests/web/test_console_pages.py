"""Every page of the console in a real browser: no barrier, no complaint of the browser, small, in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.conftest import _clean
from tests.web.console_pages import walk
from tests.web.console_site import ConsoleSite, open_console
from tests.web.visits import Visit

PAGES = 39
WEIGHT = 100_000
"""Bytes of a page with style and scripts, pictures of documents left out."""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[ConsoleSite]:
    with open_console(tmp_path) as made:
        yield made


@pytest.fixture
def chromium(console: ConsoleSite) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


@pytest.mark.parametrize(("locale", "text"), [("zh-CN", ""), ("en", "large")])
def test_every_page_is_for_everybody(
    console: ConsoleSite, chromium: Browser, tmp_path: Path, locale: str, text: str
) -> None:
    seen: dict[str, list[str]] = {}
    heavy: dict[str, int] = {}

    def keep(page: Page, name: str) -> None:
        page.wait_for_load_state()
        if text:
            page.evaluate("document.documentElement.classList.add('large')")
        seen[name] = Visit(page).barriers()
        if text:
            page.evaluate("document.documentElement.classList.remove('large')")
        assert page.get_attribute("html", "lang") == locale, name
        heavy[name] = weight(page)

    walk(console, chromium, keep, folder=tmp_path, locale=locale)
    assert len(seen) >= PAGES, sorted(seen)
    assert {name: told for name, told in seen.items() if told} == {}
    assert {name: size for name, size in heavy.items() if size > WEIGHT} == {}


def weight(page: Page) -> int:
    """Bytes of the page without embedded pictures, and of its style and scripts."""
    html = page.evaluate("document.documentElement.outerHTML.replace(/data:image[^\"]*/g, '')")
    names = page.evaluate(
        "[...document.querySelectorAll('link[rel=stylesheet]')].map(e => e.getAttribute('href'))"
        ".concat([...document.scripts].map(e => e.getAttribute('src')))"
    )
    static = Path(__file__).resolve().parents[2] / "web"
    return len(html.encode()) + sum((static / name.removeprefix("/")).stat().st_size for name in names)
