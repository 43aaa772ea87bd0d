"""The database session: who may read, who may write, and which failure means what.

SQLite in WAL mode with full sync by default; PostgreSQL through psycopg with the same code. Readers see one
snapshot. Writers are let in one at a time on SQLite (BEGIN IMMEDIATE); on PostgreSQL they lock the rows
they decide on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from ledger.errors import DatabaseBusyError, DatabaseError, DatabaseFullError, DatabaseUnavailableError

BUSY_TIMEOUT = timedelta(seconds=5)
_PAUSE = 0.0005  # seconds between two tries for the write lock of SQLite

UNCOMMITTED_HEAD = "ledger.uncommitted_head"
"""Key in ``Connection.info`` for what the book has appended in this transaction; forgotten when it ends."""

_AFTER_COMMIT = "ledger.after_commit"
_BEGAN = "ledger.began"


class Database:
    """One database behind a pool of connections. Shared by threads; a forked child opens its own."""

    def __init__(self, url: str, *, busy_timeout: timedelta = BUSY_TIMEOUT) -> None:
        """Nothing is opened yet. ``busy_timeout`` bounds every wait for a lock or a pooled connection.

        ``url`` is ``sqlite:////path/to/file`` or ``postgresql://…``; another kind raises
        :class:`DatabaseUnavailableError`.
        """
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.dialect: str = parsed.get_backend_name()
        if self.dialect not in {"sqlite", "postgresql"}:
            raise DatabaseUnavailableError(
                f"不支持的数据库 {self.dialect}；应为 sqlite 或 postgresql",
                f"database {self.dialect} is not supported; sqlite or postgresql expected",
            )
        self.engine: Engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_timeout=busy_timeout.total_seconds(),
            hide_parameters=True,  # they hold personal data and must not reach a log
        )
        milliseconds = int(busy_timeout.total_seconds() * 1000)
        if self.dialect == "sqlite":
            self._readers, self._writers = _sqlite(self.engine, milliseconds)
        else:
            self._readers, self._writers = _postgresql(self.engine, milliseconds)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one snapshot and writes nothing. Raises :class:`DatabaseError`."""
        with _typed_errors(), self._readers.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, sync: bool = True) -> Iterator[Connection]:
        """A transaction that is committed, and on disk when ``sync``, once the block ends without error.

        ``sync=False`` is for what can be made again after a power cut. Raises :class:`DatabaseError`.
        """
        began = monotonic()
        with _typed_errors(), self._writers.connect() as connection:
            actions: list[Callable[[], None]] = []
            connection.info[_AFTER_COMMIT] = actions
            connection.info[_BEGAN] = began
            try:
                with self._durability(connection, sync=sync), connection.begin():
                    if not sync and self.dialect == "postgresql":
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
                    yield connection
            finally:
                connection.info.pop(_AFTER_COMMIT, None)
                connection.info.pop(_BEGAN, None)
                connection.info.pop(UNCOMMITTED_HEAD, None)
        for action in actions:
            action()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """A connection outside any transaction, for schema changes that begin and commit their own."""
        with _typed_errors(), self._writers.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()

    @contextmanager
    def _durability(self, connection: Connection, *, sync: bool) -> Iterator[None]:
        if sync or self.dialect != "sqlite":
            yield
            return
        # SQLite takes the pragma only between transactions, so it goes to the driver, not through SQLAlchemy.
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            driver.execute("PRAGMA synchronous = FULL")


def after_commit(connection: Connection, action: Callable[[], None]) -> None:
    """Run ``action`` once the transaction of :meth:`Database.write` is committed; never when it is not."""
    connection.info[_AFTER_COMMIT].append(action)


def is_writing(connection: Connection) -> bool:
    """Whether ``connection`` is inside :meth:`Database.write`, so that it sees what is committed now."""
    return _AFTER_COMMIT in connection.info


def waited(connection: Connection) -> timedelta:
    """How long ago the caller asked for this transaction of :meth:`Database.write`."""
    return timedelta(seconds=monotonic() - connection.info[_BEGAN])


def _sqlite(engine: Engine, milliseconds: int) -> tuple[Engine, Engine]:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise DatabaseUnavailableError(
                f"SQLite 日志模式为 {mode}；应为 wal（本地磁盘上的文件）",
                f"SQLite journal mode is {mode}; wal expected (a file on a local disk)",
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # an erased opening is overwritten, not only unlinked

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("ledger_writes"):
            _begin_writing(connection, milliseconds)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine, engine.execution_options(ledger_writes=True)


def _begin_writing(connection: Connection, milliseconds: int) -> None:
    """Take the write lock, asking again every half millisecond.

    SQLite's own busy handler sleeps longer with each try, up to a tenth of a second, so that two processes that
    write in turn would mostly sleep.
    """
    driver: Any = connection.connection.driver_connection
    deadline = monotonic() + milliseconds / 1000
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if getattr(error.orig, "sqlite_errorname", "") != "SQLITE_BUSY" or monotonic() >= deadline:
                    raise
                sleep(_PAUSE)
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _postgresql(engine: Engine, milliseconds: int) -> tuple[Engine, Engine]:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401  the driver's own
        connection.execute(f"SET lock_timeout = {milliseconds}")
        # A server set to answer before its own disk has the commit would make "sealed" a guess.
        connection.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
        connection.commit()

    readers = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return readers, engine.execution_options(isolation_level="READ COMMITTED")


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError) as error:
        typed = _typed(error)
        if typed is None:
            raise
        raise typed from error


_SQLITE_ERRORS: dict[str, type[DatabaseError]] = {
    "SQLITE_BUSY": DatabaseBusyError,
    "SQLITE_LOCKED": DatabaseBusyError,
    "SQLITE_FULL": DatabaseFullError,
    "SQLITE_IOERR": DatabaseUnavailableError,
    "SQLITE_CANTOPEN": DatabaseUnavailableError,
    "SQLITE_READONLY": DatabaseUnavailableError,
    "SQLITE_CORRUPT": DatabaseUnavailableError,
    "SQLITE_NOTADB": DatabaseUnavailableError,
}
_POSTGRESQL_ERRORS: dict[str, type[DatabaseError]] = {  # PostgreSQL manual, appendix A
    "55P03": DatabaseBusyError,  # lock_not_available
    "40P01": DatabaseBusyError,  # deadlock_detected
    "40001": DatabaseBusyError,  # serialization_failure
    "57014": DatabaseBusyError,  # query_canceled: a statement timeout
    "53300": DatabaseBusyError,  # too_many_connections
    "53100": DatabaseFullError,  # disk_full
    "57P01": DatabaseUnavailableError,  # admin_shutdown
    "57P02": DatabaseUnavailableError,  # crash_shutdown
    "57P03": DatabaseUnavailableError,  # cannot_connect_now
    "25006": DatabaseUnavailableError,  # read_only_sql_transaction: a standby
}
_TEXTS: dict[type[DatabaseError], tuple[str, str]] = {
    DatabaseBusyError: ("数据库正被占用；可稍后重试", "the database is busy; the call may be repeated"),
    DatabaseFullError: (
        "数据库所在磁盘已满；需要腾出空间",
        "no space is left for the database; room must be made",
    ),
    DatabaseUnavailableError: ("数据库无法访问", "the database cannot be reached or read"),
}


def _typed(error: DBAPIError | PoolTimeoutError) -> DatabaseError | None:
    kind, found = _kind(error)
    if kind is None:
        return None
    zh, en = _TEXTS[kind]
    return kind(f"{zh}（{found}）", f"{en} ({found})")


def _kind(error: DBAPIError | PoolTimeoutError) -> tuple[type[DatabaseError] | None, str]:
    if isinstance(error, PoolTimeoutError):
        return DatabaseBusyError, "no free connection"
    cause = error.orig
    name = getattr(cause, "sqlite_errorname", None)
    if name:  # extended names begin with the primary one: SQLITE_BUSY_SNAPSHOT
        return _SQLITE_ERRORS.get("_".join(name.split("_")[:2])), name
    state = getattr(cause, "sqlstate", None)
    if state and not state.startswith("08"):
        return _POSTGRESQL_ERRORS.get(state), state
    if error.connection_invalidated or type(cause).__name__ == "OperationalError":
        return DatabaseUnavailableError, state or type(cause).__name__
    return None, ""
