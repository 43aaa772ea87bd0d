"""The console over a real server, with people who have accounts: for browser tests and screenshots."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from servers import Server, free_port, running
from two_administrators import both
from world import CITY, COUNTY, World, build_world

from accounts.enrolment import invite, open_account
from registry.store import Act, Actor
from sealing.account_desk import make_desk, sign_in_place
from sealing.administration import offered_passkeys
from sealing.administration.offered_passkeys import confirm
from sealing.settings import Settings
from sealing.workshop import open_workshop

PASSWORD = "a sentence that nobody guesses"
OPERATOR = Actor(id="per-" + "a" * 26, name="运维示例", organ=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSite:
    """A server whose console is at ``address``, and the installation behind it."""

    server: Server
    settings: Settings
    world: World
    folder: Path
    address: str

    def confirm_offer(self, offer: str) -> str:
        """What an administrator does who has compared the fingerprint: the id of the registered key."""
        with open_workshop(self.settings) as shop:
            act = Act(by=OPERATOR, why="当面核对指纹", now=datetime.now(UTC))
            key = confirm(shop, offer, document="示例登记表", act=act)
            return key.record.id

    def confirm_administrator(self, offer: str) -> None:
        """The same for an administrator's passkey, which takes two of them."""
        with open_workshop(self.settings) as shop:
            act = Act(by=OPERATOR, why="当面核对指纹", now=datetime.now(UTC))
            organ = self.world.codes[CITY]
            content = offered_passkeys.proposed(shop, offer, organ=organ, document="示例登记表")
            both(shop, self.world.administrators[CITY], "add_administrator", content, act)


@contextmanager
def open_console(folder: Path, **changed: Any) -> Iterator[ConsoleSite]:
    """A site where the county's seal user (``user``) and principal, and an administrator of the city, have accounts."""
    port = free_port()
    address = f"http://localhost:{port}"
    settings, plan = build_world(
        folder / "data", datetime.now(UTC), public_url=address, approval_url=f"http://approve.localhost:{port}"
    )
    with open_workshop(settings) as shop:
        world = plan.fill(shop)
        desk, now = make_desk(shop, sign_in_place(settings)), datetime.now(UTC)
        staff = world.staff[COUNTY]
        people = {
            "user": staff.user,
            "principal": staff.principal,
            "administrator": world.administrators[CITY][0].person,
            "second": world.administrators[CITY][1].person,
        }
        for name, person in people.items():
            open_account(desk, invite(desk, person, "open", by=OPERATOR.id, now=now), name, password=PASSWORD, now=now)
    urls = {"public_url": settings.public_url, "approval_url": settings.approval_url}
    with running(settings, folder, port=str(port), **urls, **changed) as server:
        yield ConsoleSite(server=server, settings=settings, world=world, folder=folder, address=address)


def add_authenticator(page: Page) -> None:
    """A virtual authenticator for everything in this browser context's page."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def sign_in(page: Page, site: ConsoleSite, name: str) -> None:
    """By password."""
    page.goto(f"{site.address}/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("form[action^='/sign-in'] button")


def prove(page: Page, site: ConsoleSite, keep: Callable[[Page, str], None] = lambda _page, _name: None) -> None:
    """On the account page, after a password: the first passkey to sign in with."""
    page.goto(f"{site.address}/console")
    keep(page, "passkey-needed")
    page.click("a.button")
    page.click("form[action^='/console/account/passkey/begin'] button")
    keep(page, "add-passkey")
    page.click("form[data-passkey] button")
    page.wait_for_selector("#offer")


def enrol(
    page: Page,
    site: ConsoleSite,
    keep: Callable[[Page, str], None] = lambda _page, _name: None,
    *,
    name: str = "principal",
) -> None:
    """The person signs in for the first time: a passkey to sign in, and one to approve, confirmed in person."""
    sign_in(page, site, name)
    assert page.url.split("?")[0].endswith("/console/account"), "whoever has no passkey yet is sent to add one"
    prove(page, site, keep)
    page.click("#offer")
    page.wait_for_selector("form[data-passkey]")
    assert page.url.startswith("http://approve.localhost:")
    keep(page, "offer-passkey")
    page.click("form[data-passkey] button")
    page.wait_for_selector(".fingerprint")
    keep(page, "offered-passkey")
    offer = page.inner_text("p.quiet >> nth=0").strip()
    (site.confirm_offer if name == "principal" else site.confirm_administrator)(offer)
