"""The whole way in a real browser: a seal user applies, the principal approves with a passkey, the seal follows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from world import letter, lines

from tests.web.conftest import _clean
from tests.web.console_site import ConsoleSite, add_authenticator, enrol, open_console, sign_in


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    with open_console(tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(console: ConsoleSite) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


def applied(console: ConsoleSite, user: Page, source: Path) -> str:
    """The address of a new application for ``source``, a letter of its own order."""
    order = console.world.order("city")
    source.write_bytes(letter(lines("city", order)))
    sign_in(user, console, "user")
    user.click("a.card")
    user.set_input_files("#document", source)
    user.click("#upload button")
    user.select_option("#use", f"{order.seal} {order.item.list} {order.item.number}")
    user.fill("#case_number", order.case_number)
    user.fill("#document_number", str(order.document_number))
    user.click("button[value=submit]")
    assert "待批准" in user.inner_text("h1"), user.inner_text("main")
    return user.url


def downloaded(user: Page, link: int, path: Path) -> bytes:
    with user.expect_download() as downloading:
        user.click(f"a.button >> nth={link}")
    downloading.value.save_as(path)
    return path.read_bytes()


def test_from_a_pdf_to_a_sealed_document(console: ConsoleSite, chromium: Browser, tmp_path: Path) -> None:
    source, sealed = tmp_path / "决定书.pdf", tmp_path / "sealed.pdf"
    user, principal = (
        chromium.new_context(accept_downloads=True, locale="zh-CN").new_page() for _ in ("user", "principal")
    )
    for page in (user, principal):
        page.set_default_timeout(10_000)
    address = applied(console, user, source)
    add_authenticator(principal)
    enrol(principal, console)
    principal.goto(f"{console.address}/console/approvals")
    principal.click("ol.lines a")
    principal.click("form[action*='/begin'] button")
    principal.wait_for_selector("form[data-passkey]")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector(".done")
    assert "已批准，文书已盖章" in principal.inner_text(".done")

    user.goto(address)
    assert "已盖章" in user.inner_text("h1"), user.inner_text("main")
    assert downloaded(user, 0, sealed).startswith(source.read_bytes())
    assert json.loads(downloaded(user, 1, tmp_path / "receipt.json"))["d"] == "yinxin/receipt/v1"
    user.goto(f"{console.address}/verify")
    user.set_input_files("#document", sealed)
    user.click("#upload button")
    user.wait_for_selector("#verdict-title")
    assert "主要负责人本人签名批准" in user.inner_text("main")
