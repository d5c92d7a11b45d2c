"""The connection to the record: SQLite in a file, or PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic.util import CommandError
from asyncpg import InterfaceError, PostgresError
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import InterfaceError as DbapiInterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from services.coordination.errors import ConfigurationError, UnavailableError
from services.coordination.store.migrate import HEAD, Schema, downgrade, schema, script, upgrade
from services.coordination.store.unit_of_work import UnitOfWork

_WAIT_S = 5
_LIMIT_S = 30
_WRITES = "vigie_writes"
_REBUILDS = "vigie_rebuilds"
_FILE = "vigie_file"
# Classes of SQLSTATE: connection, rollback, resources, locks, operator, system (PostgreSQL, appendix A).
_PASSING = frozenset({"08", "40", "53", "55", "57", "58"})

_T = TypeVar("_T")


class Database:
    """One SQL database and the connections of this process to it."""

    def __init__(self, url: str, *, now: Callable[[], datetime]) -> None:
        """Raises ConfigurationError for a URL that names no database that can be used. Connects to nothing yet."""
        self._url = _driver_url(url)
        self._engine = _engine(self._url)
        self._closing: set[asyncio.Future[Any]] = set()
        if self.is_embedded:
            self._engine.sync_engine.dialect.do_terminate = self._give_up  # type: ignore[method-assign, assignment]
        self._writer = self._engine.execution_options(**{_WRITES: True})
        self._now = now

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for tests."""
        return self._engine

    @property
    def is_embedded(self) -> bool:
        """Whether it is a file of this process's own, rather than a server that replicas share."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def where(self) -> str:
        """Which database it is, without credentials."""
        return "/".join(filter(None, (self._url.host, self._url.database)))

    async def schema(self) -> Schema:
        """What its tables are. Raises UnavailableError, and ConfigurationError for what is no record at all."""
        return await self._migrating(schema)

    async def check(self) -> None:
        """Raises ConfigurationError unless its tables are those of this version, and UnavailableError."""
        if problem := (await self.schema()).problem:
            raise ConfigurationError(f"database {self.where}: {problem}")

    async def ping(self) -> None:
        """Raises UnavailableError unless it answers."""
        async with self.read() as work:
            await work.events.last_change()

    async def migrate(self, revision: str = HEAD) -> None:
        """Brings the tables up to a revision.

        Raises UnavailableError, and ConfigurationError for what is no record of this version.
        """
        await self._migrating(partial(upgrade, revision=revision))

    async def downgrade(self, revision: str) -> None:
        """Takes the tables back to a revision; what only later ones can hold is lost. Raises as `migrate`."""
        await self._migrating(partial(downgrade, revision=revision))

    async def migration_script(self) -> str:
        """What `migrate` would do, in SQL. Raises as `migrate`, also on SQLite."""
        return await self._migrating(script)

    async def _migrating(self, work: Callable[[Connection], _T]) -> _T:
        """Runs it in a transaction on a connection of its own, which may take its time."""
        engine = _engine(self._url, limit_s=None)
        try:
            async with _translated(), engine.execution_options(**{_WRITES: True, _REBUILDS: True}).begin() as connection:
                return await connection.run_sync(work)
        except UnavailableError as error:
            raise UnavailableError(f"{self.where}: {error.message}") from error
        except (DatabaseError, CommandError) as error:
            problem = f"is no record that this version can use ({_cause(error)}); name another, or start the version that made it"
            raise ConfigurationError(f"database {self.where}: {problem}") from error
        finally:
            await engine.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work that changes the record when it is committed. Raises UnavailableError."""
        async with _translated(), AsyncSession(self._writer, expire_on_commit=False) as session:
            yield UnitOfWork(session, self._now)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work that only reads and waits for no writer. Raises UnavailableError."""
        async with _translated(), AsyncSession(self._engine, expire_on_commit=False) as session:
            yield UnitOfWork(session, self._now)

    @asynccontextmanager
    async def driver_connection(self) -> AsyncIterator[Any]:
        """A connection of the driver's own kind, closed afterwards. Raises UnavailableError."""
        async with _translated(), self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            try:
                yield raw.driver_connection
            finally:
                await connection.invalidate()

    async def close(self) -> None:
        """Closes all connections."""
        await self._engine.dispose()
        if self._closing:
            await asyncio.wait(self._closing, timeout=_WAIT_S)

    def _give_up(self, connection: Any) -> None:
        # The thread of the connection closes it. SQLAlchemy would wait for that in a task, which waits for ever where a call is
        # cancelled twice, and the process with it.
        if closed := connection.driver_connection.stop():
            self._closing.add(closed)
            closed.add_done_callback(self._closing.discard)


def _driver_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is not None and url.drivername in {"postgresql", "postgres", "postgresql+asyncpg"}:
        return url.set(drivername="postgresql+asyncpg")
    if url is not None and url.drivername in {"sqlite", "sqlite+aiosqlite"} and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite+aiosqlite")
    # The text is not repeated: it may hold a password.
    raise ConfigurationError("database url: expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")


def _engine(url: URL, *, limit_s: int | None = _LIMIT_S) -> AsyncEngine:
    """Connections on which a statement may take so long; None is for ever."""
    if url.get_backend_name() == "sqlite":
        _make_folder(Path(url.database or "").parent)
        engine = create_async_engine(url, connect_args={"timeout": _WAIT_S}, pool_timeout=_WAIT_S)
        event.listen(engine.sync_engine, "connect", partial(_configure_sqlite, url.database or ""))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    bounds = {"lock_timeout": _WAIT_S, "statement_timeout": _LIMIT_S, "idle_in_transaction_session_timeout": _LIMIT_S}
    settings = {name: f"{bound_s}s" for name, bound_s in bounds.items() if limit_s is not None}
    arguments = {"timeout": _WAIT_S, "command_timeout": limit_s, "server_settings": settings}
    return create_async_engine(url, connect_args=arguments, pool_timeout=_WAIT_S, pool_pre_ping=True, pool_recycle=1800)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"database url: the folder {folder} cannot be made ({error.strerror}); name another") from error


def _configure_sqlite(path: str, connection: Any, record: ConnectionPoolEntry) -> None:
    # Transactions are begun below; the driver must not begin its own.
    connection.isolation_level = None
    cursor = connection.cursor()
    # What is removed is overwritten: rows that were erased must not be read out of the file.
    pragmas = ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_WAIT_S * 1000}", "foreign_keys=ON", "secure_delete=ON")
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    record.info[_FILE] = _identity(path)


def _begin_sqlite(connection: Connection) -> None:
    # SQLite goes on writing into a file that was removed, and whatever is acknowledged then is lost.
    file = _identity(connection.engine.url.database or "")
    if file != connection.info[_FILE]:
        if file is not None:
            connection.invalidate()
        raise UnavailableError("the file of the database is gone, or is another one; put it back, nothing was recorded")
    # A writer takes its place before it reads: turning a reader into a writer fails when another wrote meanwhile.
    options = connection.get_execution_options()
    if options.get(_REBUILDS, False):
        # A migration may write a table anew that others refer to. The connection is used for nothing else.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    immediate = options.get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (DBAPIError, PoolTimeoutError, PostgresError, InterfaceError, OSError) as error:
        if isinstance(error, DBAPIError) and not _is_passing(error):
            raise
        raise UnavailableError(f"the database cannot be used now ({_cause(error)}); try again, nothing was recorded") from error


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0][:200]


def _is_passing(error: DBAPIError) -> bool:
    """Whether the database is away, locked or full, rather than asked for something wrong."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or isinstance(error, OperationalError | DbapiInterfaceError) or state[:2] in _PASSING
