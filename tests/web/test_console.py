"""The whole way in a real browser: a seal user applies, the principal approves with a passkey, the seal follows."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from world import letter, lines

from tests.web.conftest import _clean
from tests.web.console_site import ConsoleSite, add_authenticator, open_console, sign_in


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


def test_from_a_pdf_to_a_sealed_document(console: ConsoleSite, chromium: Browser, tmp_path: Path) -> None:
    order = console.world.order("city")
    source = tmp_path / "决定书.pdf"
    source.write_bytes(letter(lines("city", order)))
    user = chromium.new_context(accept_downloads=True, locale="zh-CN").new_page()
    user.set_default_timeout(8000)
    sign_in(user, console, "user")
    user.click("a.card")
    user.set_input_files("#document", source)
    user.click("#upload button")
    user.select_option("#use", f"{order.seal} {order.item.list} {order.item.number}")
    user.fill("#case_number", order.case_number)
    user.fill("#document_number", str(order.document_number))
    user.click("button[value=submit]")
    assert "待批准" in user.inner_text("h1"), user.inner_text("main")
    address = user.url

    principal = chromium.new_context(locale="zh-CN").new_page()
    principal.set_default_timeout(8000)
    add_authenticator(principal)
    sign_in(principal, console, "principal")
    assert principal.url.split("?")[0].endswith("/console/account"), "a principal without a passkey is sent to add one"
    principal.click("form[action^='/console/account/passkey/begin'] button")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector("#offer")
    principal.click("#offer")
    principal.wait_for_selector("form[data-passkey]")
    assert principal.url.startswith("http://approve.localhost:")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector(".fingerprint")
    console.confirm_offer(principal.inner_text("p.quiet >> nth=0").strip())

    principal.goto(f"{console.address}/console/approvals")
    principal.click("ol.lines a")
    principal.click("form[action*='/begin'] button")
    principal.wait_for_selector("form[data-passkey]")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector(".done")
    assert "已批准，文书已盖章" in principal.inner_text(".done")

    user.goto(address)
    assert "已盖章" in user.inner_text("h1"), user.inner_text("main")
    with user.expect_download() as downloading:
        user.click("a.button >> nth=0")
    sealed = tmp_path / "sealed.pdf"
    downloading.value.save_as(sealed)
    with user.expect_download() as downloading:
        user.click("a.button >> nth=1")
    receipt = tmp_path / "receipt.json"
    downloading.value.save_as(receipt)
    assert sealed.read_bytes().startswith(source.read_bytes())
    assert json.loads(receipt.read_text())["d"] == "yinxin/receipt/v1"
    user.goto(f"{console.address}/verify")
    user.set_input_files("#document", sealed)
    user.click("#upload button")
    user.wait_for_selector("#verdict-title")
    assert "主要负责人本人签名批准" in user.inner_text("main")
