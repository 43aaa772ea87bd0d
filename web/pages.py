"""The pages, added to the application of the API: same process, same limits, same record."""

from typing import Final

from fastapi import APIRouter, FastAPI

from sealing.account_desk import make_desk, sign_in_place
from web import check_page, help_page, report_page, static_files, verify_page
from web.code_tries import CodeTries
from web.console import (
    account_page,
    agreements_page,
    applications_page,
    apply_page,
    approvals_page,
    approve_page,
    dashboard_page,
    home_page,
    issue_page,
    proposals_page,
    register_page,
    seals_page,
    sign_in_page,
    ways_in_page,
)
from web.problem_page import problem_page
from web.verdict_token import VerdictTokens

ROUTERS: Final[tuple[APIRouter, ...]] = (
    verify_page.router,
    report_page.router,
    check_page.router,
    help_page.router,
    static_files.router,
)
"""Pages for everybody, without a cookie."""
CONSOLE: Final[tuple[APIRouter, ...]] = (
    sign_in_page.router,
    home_page.router,
    dashboard_page.router,
    register_page.router,
    account_page.router,
    ways_in_page.router,
    apply_page.router,
    applications_page.router,
    approvals_page.router,
    agreements_page.router,
    issue_page.router,
    seals_page.router,
    proposals_page.router,
    approve_page.router,
)
"""Pages for people with an account, the ways in, and the approval pages under their own host."""


def add_pages(app: FastAPI) -> None:
    """Add the pages to an application that ``api.app.create_app`` made. Raises ``KeystoreError``."""
    shop = app.state.service.shop
    key = shop.keystore.open(shop.installation.token_key)
    app.state.verdict_tokens = VerdictTokens(key, shop.settings.public_url)
    app.state.code_tries = CodeTries()
    app.state.desk = make_desk(shop, sign_in_place(shop.settings))
    app.state.problem_page = problem_page
    for router in (*ROUTERS, *CONSOLE):
        app.include_router(router)
