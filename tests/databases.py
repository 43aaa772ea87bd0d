"""Real databases for tests: a file for SQLite, and Debian's PostgreSQL server started on a free port of loopback.

``databases(kind, …)`` gives an empty one; a conftest exposes it as a fixture and parametrises over ``KINDS``.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import psycopg

KINDS = ("sqlite", "postgresql")
ACCOUNT = "postgres"  # the server refuses to run as root


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server that trusts local connections."""

    port: int
    folder: Path

    def new_database(self, template: str = "template1") -> str:
        """Make a database like ``template`` (a name or a URL made here; nobody may be connected) and return its URL."""
        name = f"t_{token_hex(6)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template.rpartition("/")[2]}"')
        return f"postgresql+psycopg://{ACCOUNT}@127.0.0.1:{self.port}/{name}"

    def run(self, statement: str) -> None:
        """Run one statement as the server's owner, outside a transaction."""
        where = f"host=127.0.0.1 port={self.port} user={ACCOUNT} dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # text put together above, no outside input


def server_programs() -> Path | None:
    """The folder with ``initdb`` and ``postgres``; Debian keeps it off the PATH."""
    found = shutil.which("postgres")
    if found:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    return folders[-1].parent if folders else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[PostgresServer]:
    """Start a server in a temporary folder, with fsync on as in production, and stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="yinxin-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, ACCOUNT, ACCOUNT)
        data, port = folder / "data", _free_port()
        initialise = ["--auth=trust", f"--username={ACCOUNT}", "--encoding=UTF8", "--no-locale", "--no-sync"]
        _run(programs / "initdb", f"--pgdata={data}", *initialise)
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=on -c max_connections=200"
        control = (programs / "pg_ctl", f"--pgdata={data}")
        _run(*control, f"--log={folder / 'log'}", f"--options={options}", "--wait", "start")
        try:
            yield PostgresServer(port=port, folder=folder)
        finally:
            _run(*control, "--mode=immediate", "--wait", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def empty_database(kind: str, folder: Path, server: PostgresServer | None) -> Iterator[str]:
    """The URL of a new empty database of ``kind``; PostgreSQL needs the ``server``, which cleans up when it stops."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / (token_hex(4) + '.db')}"
    else:
        assert server is not None
        yield server.new_database()


def copy_of(template: str, folder: Path, server: PostgresServer | None) -> str:
    """The URL of a new database with what the one at ``template`` holds; much quicker than migrating each time."""
    if template.startswith("sqlite"):
        target = folder / f"{token_hex(4)}.db"
        shutil.copyfile(template.removeprefix("sqlite:///"), target)
        return f"sqlite:///{target}"
    assert server is not None
    return server.new_database(template)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(*command: str | Path) -> None:
    as_owner = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_owner, *map(str, command)], cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
