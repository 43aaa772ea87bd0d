"""What goes wrong at a desk, in a real browser: each ends in a plain sentence, and nothing is lost or done twice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from world import COUNTY, letter, lines

from registry.records import RoleAssignment
from registry.store import Act
from sealing.administration.persons import end_role
from sealing.administration.seals import change_state
from sealing.workshop import open_workshop
from tests.web.conftest import _clean
from tests.web.console_site import OPERATOR, ConsoleSite, add_authenticator, enrol, open_console, sign_in


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleSite]:
    with open_console(tmp_path_factory.mktemp("console"), max_pdf_bytes="2000000") as made:
        yield made


@pytest.fixture(scope="module")
def chromium(console: ConsoleSite) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"], env=_clean())
        yield started
        started.close()


@pytest.fixture
def user(console: ConsoleSite, chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(locale="zh-CN") as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        sign_in(page, console, "user")
        yield page


@pytest.fixture(scope="module")
def principal(console: ConsoleSite, chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(locale="zh-CN") as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        add_authenticator(page)
        enrol(page, console)
        yield page


def uploaded(console: ConsoleSite, user: Page, path: Path) -> None:
    user.goto(f"{console.address}/console/drafts")
    user.set_input_files("#document", path)
    with user.expect_navigation():
        user.click("#upload button")


def drafted(console: ConsoleSite, user: Page, folder: Path) -> None:
    """A draft that is ready to be handed in, saved once."""
    order = console.world.order("city")
    path = folder / "决定书.pdf"
    path.write_bytes(letter(lines("city", order)))
    uploaded(console, user, path)
    user.select_option("#use", f"{order.seal} {order.item.list} {order.item.number}")
    user.fill("#case_number", order.case_number)
    user.fill("#document_number", str(order.document_number))
    user.click("button[value=check]")
    assert "可以提交" in user.inner_text("main")


def applied(console: ConsoleSite, user: Page, folder: Path) -> str:
    drafted(console, user, folder)
    user.click("button[value=submit]")
    return user.url.partition("?")[0].rpartition("/")[2]


def test_a_file_of_another_type_is_told_with_the_rules(console: ConsoleSite, user: Page, tmp_path: Path) -> None:
    path = tmp_path / "<script>alert(1).pdf"
    path.write_bytes(b"PK\x03\x04 no PDF at all")
    uploaded(console, user, path)
    assert user.title().startswith("填写用章申请")
    assert "<script>alert(1).pdf" in user.inner_text("main")
    assert user.locator("p.error").count() >= 1


def test_a_file_that_is_too_large_is_told(console: ConsoleSite, user: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(b"%PDF-1.7\n" + bytes(3_000_000))
    user.goto(f"{console.address}/console/drafts")
    user.set_input_files("#document", path)
    user.click("#upload button")
    assert "超过" in user.inner_text("#progress")


def test_the_same_draft_handed_in_in_two_windows_is_one_application(
    console: ConsoleSite, user: Page, tmp_path: Path
) -> None:
    drafted(console, user, tmp_path)
    other = user.context.new_page()
    other.goto(user.url)
    user.click("button[value=submit]")
    assert "待批准" in user.inner_text("h1")
    other.click("button[value=submit]")
    assert "没有草稿" in other.inner_text("main")
    other.close()


def test_the_back_button_after_handing_in_says_so(console: ConsoleSite, user: Page, tmp_path: Path) -> None:
    drafted(console, user, tmp_path)
    user.click("button[value=submit]")
    user.go_back()
    user.reload()
    assert "没有草稿" in user.inner_text("main")


def test_a_session_that_ended_in_the_middle_of_a_form_loses_nothing(
    console: ConsoleSite, user: Page, tmp_path: Path
) -> None:
    drafted(console, user, tmp_path)
    user.fill("#case_number", "办件-不可丢失")
    user.context.clear_cookies()
    user.click("button[value=check]")
    assert "办件-不可丢失" in user.inner_text("main")
    other = user.context.new_page()
    sign_in(other, console, "user")
    other.close()
    user.click("form.panel button")  # the token of the old session
    assert "办件-不可丢失" in user.inner_text("main")
    user.click("form.panel button")
    assert user.input_value("#case_number") == "办件-不可丢失"


def test_a_seal_suspended_while_the_page_is_open_stops_the_application(
    console: ConsoleSite, user: Page, tmp_path: Path
) -> None:
    drafted(console, user, tmp_path)
    change(console, "suspend")
    try:
        user.click("button[value=submit]")
        assert "还不能提交" in user.inner_text("main") or "请选择印章和事项" in user.inner_text("main")
    finally:
        change(console, "resume")


def change(console: ConsoleSite, step: str) -> None:
    with open_workshop(console.settings) as shop:
        act = Act(by=OPERATOR, why="测试", now=datetime.now(UTC))
        change_state(shop, console.world.seals["city"], step, act)  # type: ignore[arg-type]  # a step


def test_a_principal_whose_page_is_out_of_date_approves_nothing(
    console: ConsoleSite, user: Page, principal: Page, tmp_path: Path
) -> None:
    application = applied(console, user, tmp_path)
    principal.goto(f"{console.address}/console/approvals/{application}")
    user.fill("#reason", "文书有误")
    user.click("form[action*='/withdraw'] button")
    assert "已撤回" in user.inner_text("h1")
    principal.click("form[action*='/begin'] button")
    assert "已不在待批准之列" in principal.inner_text("main")


def test_an_approval_that_was_withdrawn_before_it_was_signed_records_nothing(
    console: ConsoleSite, user: Page, principal: Page, tmp_path: Path
) -> None:
    application = applied(console, user, tmp_path)
    principal.goto(f"{console.address}/console/approvals/{application}")
    principal.click("form[action*='/begin'] button")
    principal.wait_for_selector("form[data-passkey]")
    user.fill("#reason", "文书有误")
    user.click("form[action*='/withdraw'] button")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector("p.lead[role=alert]")
    assert "本次批准未记录" in principal.inner_text("main")


def test_sending_back_needs_a_reason_and_tells_it(
    console: ConsoleSite, user: Page, principal: Page, tmp_path: Path
) -> None:
    application = applied(console, user, tmp_path)
    principal.goto(f"{console.address}/console/approvals/{application}")
    principal.click("form[action*='/reject'] button")
    assert "请写明理由" in principal.inner_text("main")
    principal.go_back()
    principal.fill("#reason", "落款单位不符")
    principal.click("form[action*='/reject'] button")
    user.goto(f"{console.address}/console/applications/{application}")
    assert "落款单位不符" in user.inner_text("main")


def test_a_role_that_ended_this_morning_ends_the_page(console: ConsoleSite, user: Page) -> None:
    with open_workshop(console.settings) as shop, shop.database.read() as connection:
        (role,) = shop.registry.find(connection, RoleAssignment, person=console.world.staff[COUNTY].user)
    with open_workshop(console.settings) as shop:
        end_role(shop, role.record.id, Act(by=OPERATOR, why="调离", now=datetime.now(UTC)))
    user.goto(f"{console.address}/console/drafts")
    assert "职务可能刚刚到期" in user.inner_text("main")
