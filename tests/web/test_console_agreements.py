"""From the signed original to a seal in a real browser: terms, both signatures, two administrators with passkeys."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from world import CITY, COUNTY, letter, terms

from registry.agreement_terms import read_terms
from registry.records import Agreement
from registry.statements import sign_statement
from sealing.workshop import open_workshop
from tests.web.conftest import _clean
from tests.web.console_site import ConsoleSite, add_authenticator, enrol, open_console
from web.console.agreement_form import typed_of

TYP = "yinxin-agreement+jws"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    with open_console(tmp_path_factory.mktemp("agreements")) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(console: ConsoleSite) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


def administrator(console: ConsoleSite, chromium: Browser, name: str) -> Page:
    page = chromium.new_context(locale="zh-CN").new_page()
    page.set_default_timeout(10_000)
    add_authenticator(page)
    enrol(page, console, name=name)
    return page


@pytest.fixture(scope="module")
def first(console: ConsoleSite, chromium: Browser) -> Page:
    return administrator(console, chromium, "administrator")


@pytest.fixture(scope="module")
def second(console: ConsoleSite, chromium: Browser) -> Page:
    return administrator(console, chromium, "second")


def typed(console: ConsoleSite, page: Page, **changed: str) -> None:
    """Fill in the form of terms as for the agreement of the city, with another number."""
    values = typed_of(read_terms(terms(console.world, "city"))) | changed
    for name, value in values.items():
        field = page.locator(f"#{name}")
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def begun(console: ConsoleSite, page: Page, folder: Path) -> None:
    original = folder / "协议.pdf"
    original.write_bytes(letter(("协议原件", "示例单位", "2026年1月1日")))
    page.goto(f"{console.address}/console/agreements")
    page.click("#new")
    page.set_input_files("#document", original)
    page.click("#upload button")


def signed(page: Page) -> None:
    """The passkey signs what waits on the approval pages."""
    page.wait_for_selector("form[data-passkey]")
    assert page.url.startswith("http://approve.localhost:")
    page.click("form[data-passkey] button")
    page.wait_for_url("**/console/proposals/**")


def decided(console: ConsoleSite, second: Page, proposal: str) -> str:
    """The second administrator agrees; what the page then says."""
    second.goto(f"{console.address}/console/proposals/{proposal}")
    second.fill("#reason", "已核对")
    second.click("button[value=approve]")
    signed(second)
    return second.inner_text("main")


def proposal_of(page: Page) -> str:
    assert "等待另一名管理员决定" in page.inner_text(".done")
    return page.url.partition("?")[0].rpartition("/")[2]


def test_from_the_signed_original_to_a_seal(console: ConsoleSite, first: Page, second: Page, tmp_path: Path) -> None:
    begun(console, first, tmp_path)
    typed(console, first, number="示例协议〔2026〕77号", valid_until="2025-12-31")
    first.click("#terms button")
    assert "期限止不能早于期限起" in first.inner_text(".summary")
    assert first.input_value("#number") == "示例协议〔2026〕77号", "what was typed is kept"
    first.fill("#valid_until", "2027-12-31")
    first.click("#terms button")
    assert "草案" in first.inner_text("h1"), first.inner_text("main")
    agreement = first.url.partition("?")[0].rpartition("/")[2]
    for organ in (CITY, COUNTY):
        first.click("details summary >> text=待签内容 >> nth=0") if organ == CITY else None
        payload = json.loads(str(first.locator("details pre").first.text_content()))
        kid, key = next(
            console.world.organ_keys[name] for name in (CITY, COUNTY) if console.world.codes[name] == payload["organ"]
        )
        first.fill("#jws", sign_statement(payload, typ=TYP, kid=kid, key=key))
        first.click("#sign button")
    first.fill("#reason", "双方已签署")
    first.click("button[value=into_force]")
    assert "有效" in first.inner_text("h1"), first.inner_text("main")
    with first.expect_download() as downloading:
        first.click("text=下载原件")
    assert downloading.value.path().read_bytes() == (tmp_path / "协议.pdf").read_bytes()

    old = console.world.seals["city"]  # it has the number that the new one will bear
    first.goto(f"{console.address}/console/seals/{old}")
    first.fill("#why", "换发")
    first.click("button[value=cancel_seal]")
    signed(first)
    assert "已办理" in decided(console, second, proposal_of(first))

    first.goto(f"{console.address}/console/agreements/{agreement}")
    first.click("#issue")
    first.fill("#diameter_mm", "80")
    first.click("button[value=show]")
    assert "45" in first.inner_text(".summary")
    first.fill("#diameter_mm", "40")
    first.click("button[value=show]")
    assert "行政审批专用章" in first.inner_text("figcaption")
    first.select_option("#custodian", index=1)
    first.fill("#reason", "按新协议刻制")
    first.click("button[value=propose]")
    signed(first)
    assert "已办理" in decided(console, second, proposal_of(first))
    first.goto(f"{console.address}/console/agreements/{agreement}")
    first.click("main a[href*='/console/seals/']")
    first.fill("#reason", "交付保管人")
    first.click("button[value=enable]")
    assert "使用中" in first.inner_text("h1"), first.inner_text("main")


def test_the_proposer_cannot_agree_alone(console: ConsoleSite, first: Page) -> None:
    agreement = console.world.agreements["city"]
    first.goto(f"{console.address}/console/agreements/{agreement}")
    first.fill("#reason", "试办")
    first.click("button[value=end]")
    signed(first)
    assert first.locator("button[value=approve]").count() == 0


def test_a_name_that_runs_backwards_is_refused(console: ConsoleSite, first: Page, tmp_path: Path) -> None:
    begun(console, first, tmp_path)
    typed(console, first, number="示例\u202e协议〔2026〕78号")
    first.click("#terms button")
    assert "U+202E" in first.inner_text(".summary")
    with open_workshop(console.settings) as shop, shop.database.read() as connection:
        numbers = [each.record.terms.number for each in shop.registry.find(connection, Agreement)]
    assert not any("78号" in each for each in numbers)
