"""Pictures of the pages in a real browser, to be looked at: ``make screenshots``."""

import os
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from tests.web.console_pages import walk  # noqa: E402  found by the path above
from tests.web.console_site import open_console  # noqa: E402  as above
from tests.web.site import Site, open_site  # noqa: E402  as above

WIDTHS = (360, 1280)


def main(folder: Path) -> None:
    """Write one picture a page, width and language into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as made, open_site(Path(made)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"], env={**os.environ, **_fonts(Path(made))}
        )
        for width in WIDTHS:
            _all(browser, site, folder, width)
        _console(browser, folder)
        browser.close()


def _console(browser: Browser, folder: Path) -> None:
    """Every page of the console at both widths."""

    def keep(page: Page, name: str) -> None:
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=folder / f"console-{name}-{width}.png", full_page=True)
            print(folder / f"console-{name}-{width}.png")
        page.set_viewport_size({"width": WIDTHS[-1], "height": 900})

    with TemporaryDirectory() as made, open_console(Path(made)) as site:
        walk(site, browser, keep, folder=Path(made))


def _fonts(folder: Path) -> dict[str, str]:
    """The machine's fonts and the ones of the seal faces, so that Chinese is drawn anywhere."""
    told = folder / "fonts.conf"
    told.write_text(
        f"<fontconfig><include ignore_missing='yes'>/etc/fonts/fonts.conf</include><dir>{ROOT / 'signer/fonts'}</dir>"
        f"<cachedir>{folder / 'fonts'}</cachedir></fontconfig>",
        encoding="utf-8",
    )
    return {"FONTCONFIG_FILE": str(told)}


def _all(browser: Browser, site: Site, folder: Path, width: int) -> None:
    view = browser.new_page(viewport={"width": width, "height": 900}, locale="zh-CN")

    def keep(name: str) -> None:
        view.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        print(folder / f"{name}-{width}.png")

    for path, name in (("/verify", "form"), ("/check", "check"), ("/help", "help"), ("/nowhere", "unknown")):
        view.goto(site.url(path))
        keep(name)
    uploads = {
        "passed": site.genuine.path,
        "annulled": site.annulled.path,
        "covered": site.covered,
        "tampered": site.tampered,
        "foreign": site.foreign,
    }
    for name, path in uploads.items():
        _upload(view, site.url("/verify"), path)
        keep(name)
    _upload(view, site.url("/verify?lang=en&text=large"), site.genuine.path)
    keep("passed-english-large")
    _paper(view, site)
    keep("match")
    _small(view, site, folder, width)
    view.close()


def _small(view: Page, site: Site, folder: Path, width: int) -> None:
    """The two pictures of the docs: what is seen first, in few colours."""
    name, path = ("changed", site.covered) if width == WIDTHS[0] else ("verdict", site.genuine.path)
    _upload(view, site.url("/verify"), path)
    shown = view.screenshot()
    picture = Image.open(BytesIO(shown)).convert("RGB").quantize(48)
    picture.save(folder / f"pages-{name}.png", optimize=True)


def _upload(view: Page, address: str, path: Path) -> None:
    view.goto(address)
    view.set_input_files("#document", path)
    view.click("form button")
    view.wait_for_selector("#verdict-title")


def _paper(view: Page, site: Site) -> None:
    view.goto(site.url(f"/c/{site.genuine.code}" if site.genuine.code else "/check"))
    view.fill("#number", site.genuine.number)
    view.click("form button")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
