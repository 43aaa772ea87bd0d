"""Every page of the console, reached as people reach it; for the checks of accessibility and for screenshots."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page
from world import letter, lines

from tests.web.console_site import ConsoleSite, add_authenticator, enrol, prove, sign_in

Keep = Callable[[Page, str], None]


def walk(site: ConsoleSite, browser: Browser, keep: Keep, *, folder: Path, locale: str = "zh-CN") -> None:
    """Go the whole way in one language and hand each page with its name to ``keep``."""
    user, principal, administrator = (_page(browser, locale) for _ in range(3))
    for path, name in (("/sign-in", "sign-in"), ("/open-account", "open-account")):
        user.goto(site.address + path)
        keep(user, name)
    user.goto(f"{site.address}/sign-in")
    user.click("form[action^='/sign-in/passkey/begin'] button")
    keep(user, "second-factor")
    application = _applied(site, user, keep, folder)
    for path, name in (
        ("", "home"),
        ("/applications", "applications"),
        ("/dashboard", "dashboard"),
        ("/account", "account"),
    ):
        user.goto(f"{site.address}/console{path}")
        keep(user, name)
    user.goto(f"{site.address}/console/account")
    user.click("#totp button")
    keep(user, "totp")
    user.click("#confirm button")
    keep(user, "totp-wrong")
    _approved(site, principal, keep, application)
    user.goto(f"{site.address}/console/applications/{application}")
    keep(user, "application-sealed")
    user.goto(f"{site.address}/console/approvals")
    keep(user, "forbidden")
    _kept(site, administrator, keep)
    user.goto(f"{site.address}/console/drafts")
    user.context.clear_cookies()
    user.click("#upload button")
    keep(user, "session-over")
    for each in (user, principal, administrator):
        each.context.close()


def _page(browser: Browser, locale: str) -> Page:
    context: BrowserContext = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def _applied(site: ConsoleSite, user: Page, keep: Keep, folder: Path) -> str:
    order = site.world.order("city")
    source = folder / "决定书.pdf"
    source.write_bytes(letter(lines("city", order)))
    sign_in(user, site, "user")
    user.goto(f"{site.address}/console/drafts")
    keep(user, "drafts")
    user.set_input_files("#document", source)
    user.click("#upload button")
    keep(user, "draft")
    user.click("button[value=submit]")
    keep(user, "draft-incomplete")
    user.select_option("#use", f"{order.seal} {order.item.list} {order.item.number}")
    user.fill("#case_number", order.case_number)
    user.fill("#document_number", "不是这个号")
    user.click("button[value=check]")
    keep(user, "draft-stopped")
    user.fill("#document_number", str(order.document_number))
    user.click("button[value=check]")
    keep(user, "draft-ready")
    user.click("button[value=submit]")
    keep(user, "application")
    return user.url.partition("?")[0].rpartition("/")[2]


def _approved(site: ConsoleSite, principal: Page, keep: Keep, application: str) -> None:
    add_authenticator(principal)
    enrol(principal, site, keep=keep)
    principal.goto(f"{site.address}/console/approvals")
    keep(principal, "approvals")
    principal.goto(f"{site.address}/console/approvals/{application}")
    keep(principal, "approval")
    principal.click("form[action*='/begin'] button")
    principal.wait_for_selector("form[data-passkey]")
    keep(principal, "approve")
    principal.click("form[data-passkey] button")
    principal.wait_for_selector(".done")
    keep(principal, "approvals-done")


def _kept(site: ConsoleSite, administrator: Page, keep: Keep) -> None:
    add_authenticator(administrator)
    sign_in(administrator, site, "administrator")
    prove(administrator, site)
    for path, name in (
        ("/dashboard", "dashboard-lent"),
        ("/register", "register"),
        ("/register?since=x", "register-wrong"),
    ):
        administrator.goto(f"{site.address}/console{path}")
        keep(administrator, name)
    for path, name in (
        ("/agreements", "agreements"),
        (f"/agreements/{site.world.agreements['city']}", "agreement"),
        (f"/agreements/{site.world.agreements['city']}/seal", "issue"),
        ("/agreements/new", "agreement-original"),
        ("/agreements/new?original=sha256:" + "0" * 64, "agreement-terms"),
    ):
        administrator.goto(f"{site.address}/console{path}")
        keep(administrator, name)
    administrator.click("#terms button")
    keep(administrator, "agreement-terms-wrong")
    for path, name in (("/seals", "seals"), ("/proposals", "proposals")):
        administrator.goto(f"{site.address}/console{path}")
        keep(administrator, name)
        administrator.click("tbody a >> nth=0")
        keep(administrator, name.removesuffix("s"))
