"""Changing one's own ways in, in a real browser: password, codes, passkeys, sessions."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.conftest import _clean
from tests.web.console_site import PASSWORD, ConsoleSite, add_authenticator, enrol, open_console, sign_in


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    with open_console(tmp_path_factory.mktemp("ways")) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(console: ConsoleSite) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


def visitor(chromium: Browser) -> Page:
    page = chromium.new_context(locale="zh-CN").new_page()
    page.set_default_timeout(10_000)
    return page


def test_a_person_changes_every_way_in(console: ConsoleSite, chromium: Browser) -> None:
    here, elsewhere = visitor(chromium), visitor(chromium)
    for page in (here, elsewhere):
        sign_in(page, console, "user")
    here.goto(f"{console.address}/console/account")
    here.click("form[action*='/session/end'] button >> nth=0")
    elsewhere.goto(f"{console.address}/console")
    assert "/sign-in" in elsewhere.url

    here.fill("#password", "not this one at all")
    here.fill("#new_password", "another sentence that nobody guesses")
    here.fill("#again", "another sentence that nobody guesses")
    here.click("#password-form button")
    assert here.locator(".summary").count() == 1
    for name, value in (("password", PASSWORD), ("new_password", "short"), ("again", "short")):
        here.fill(f"#{name}", value)
    here.click("#password-form button")
    assert "password-refused" in here.inner_text(".summary")
    for name, value in (("password", PASSWORD), ("new_password", PASSWORD + " now"), ("again", PASSWORD + " now")):
        here.fill(f"#{name}", value)
    here.click("#password-form button")
    assert here.locator(".summary").count() == 0
    sign_in(elsewhere, console, "user")
    assert elsewhere.locator(".summary").count() == 1, "the old password opens nothing any more"

    here.click("#totp button")
    secret = here.inner_text("#secret")
    here.fill("#code", pyotp.TOTP(secret).now())
    here.click("#confirm button")
    assert "已启用" in here.inner_text("main")
    elsewhere.fill("#name", "user")
    elsewhere.fill("#password", PASSWORD + " now")
    elsewhere.click("form[action^='/sign-in'] button")
    assert "/console" not in elsewhere.url, "a code is asked for"
    here.click("#totp button")
    assert "未启用" in here.inner_text("main")


def test_who_must_have_a_passkey_keeps_the_last(console: ConsoleSite, chromium: Browser) -> None:
    principal = visitor(chromium)
    add_authenticator(principal)
    enrol(principal, console)
    principal.goto(f"{console.address}/console/account")
    principal.click("form[action*='/passkey/remove'] button")
    assert "请先添加另一把" in principal.inner_text("main")
