"""The pages, added to the application of the API: same process, same limits, same record."""

from typing import Final

from fastapi import APIRouter, FastAPI

from web import check_page, help_page, report_page, static_files, verify_page
from web.code_tries import CodeTries
from web.problem_page import problem_page
from web.verdict_token import VerdictTokens

ROUTERS: Final[tuple[APIRouter, ...]] = (
    verify_page.router,
    report_page.router,
    check_page.router,
    help_page.router,
    static_files.router,
)


def add_pages(app: FastAPI) -> None:
    """Add the pages to an application that ``api.app.create_app`` made. Raises ``KeystoreError``."""
    shop = app.state.service.shop
    key = shop.keystore.open(shop.installation.token_key)
    app.state.verdict_tokens = VerdictTokens(key, shop.settings.public_url)
    app.state.code_tries = CodeTries()
    app.state.problem_page = problem_page
    for router in ROUTERS:
        app.include_router(router)
