"""What every test folder shares: outside programs, and the promise that CI skips nothing."""

import os
import shutil
from collections.abc import Iterator

import pytest
from databases import PostgresServer, postgres_server, server_programs

NO_SKIPS = bool(os.environ.get("NO_SKIPS"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose outside program is missing, naming it; in CI that is a failure."""
    for marker in item.iter_markers("tool"):
        for program in marker.args:
            if shutil.which(program) is None:
                reason = f"needs the program {program}"
                if NO_SKIPS:
                    pytest.fail(f"{reason}, and in CI nothing is skipped", pytrace=False)
                pytest.skip(reason)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Turn any skip into a failure where nothing may be skipped."""
    outcome = yield
    report = outcome.get_result()
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Debian's PostgreSQL server, started once for each test process that asks for it."""
    programs = server_programs()
    if programs is None:
        pytest.skip("needs the program postgres")
    with postgres_server(programs) as server:
        yield server
