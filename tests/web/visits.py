"""A visitor in a real browser who also notes what the browser complains about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

_RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@dataclass(slots=True)
class Visit:
    """One page and all complaints: console errors (broken policies among them), script errors, failed requests."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def upload(self, address: str, path: Path) -> None:
        self.page.goto(address)
        self.page.set_input_files("#document", path)
        self.page.click("form button")
        self.page.wait_for_selector("#verdict-title")

    def heading(self) -> str:
        return self.page.inner_text("h1")

    def barriers(self) -> list[str]:
        """WCAG 2.1 A and AA violations found by axe, and a page wider than the window."""
        found = Axe().run(self.page, options=_RULES).response["violations"]
        told = [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]
        size = self.page.viewport_size
        assert size is not None
        for width in (320, 360, 1280):
            self.page.set_viewport_size({"width": width, "height": 800})
            wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            told += [f"{wide} px too wide at {width}"] if wide > 0 else []
        self.page.set_viewport_size(size)
        return told


@contextmanager
def visit(browser: Browser, *, width: int = 1280, script: bool = True, language: str = "zh-CN") -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script, locale=language)
    context.set_default_timeout(10_000)
    made = Visit(page=context.new_page())
    made.page.on("console", lambda said: made.complaints.append(said.text) if said.type == "error" else None)
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("requestfailed", lambda request: made.complaints.append(request.url))
    try:
        yield made
    finally:
        context.close()
