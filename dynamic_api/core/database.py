"""The engine and its transactions. `transaction()` is the only place that commits through the ORM."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from sqlite3 import Connection as SqliteConnection

import asyncpg
from sqlalchemy import URL, Connection, Insert, NullPool, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from dynamic_api.core.models import Base
from dynamic_api.core.postgres_pool import CONNECT_SECONDS

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")


@dataclass(frozen=True)
class PostgresUse:
    """How one process uses PostgreSQL: see the settings of the same names."""

    connections: int = 20
    pooler: bool = False
    seconds: float | None = None

    @property
    def pool_size(self) -> int:
        """Half of the connections serve the ORM's transactions, the other half what `Reader` and its writers do."""
        return self.connections // 2


class Database:
    """One engine, read sessions, and write transactions."""

    def __init__(self, url: str, postgres: PostgresUse | None = None) -> None:
        self.url = make_url(url)
        self.postgres = postgres or PostgresUse()
        self.engine = make_engine(url, self.postgres)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._read = async_sessionmaker(self.engine, expire_on_commit=False)
        self._write = async_sessionmaker(
            self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE"), expire_on_commit=False
        )
        # SQLite has one writer at a time: waiting for it here is cheaper than in SQLite's busy handler.
        self._write_lock = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that never commits, for commands and for reading before a write. Learners' pages use `Reader`."""
        async with self._read() as session:
            yield session

    @asynccontextmanager
    async def write_lock(self) -> AsyncIterator[None]:
        """The right to write to SQLite, for writers that do not use the ORM."""
        async with self._write_lock:
            yield

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commits at the end of the block, or not at all. Never wait for a partner inside it."""
        if self.is_sqlite:
            async with self._write_lock, self._write.begin() as session:
                yield session
        else:
            async with self._write.begin() as session:
                yield session

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def make_plain_engine(url: str) -> AsyncEngine:
    """An engine for one task outside the service, such as a migration: no pool, and SQLite as its driver has it."""
    parts = make_url(url)
    if parts.get_backend_name() == "postgresql":
        return _postgresql_engine(parts, poolclass=NullPool)
    return create_async_engine(parts, poolclass=NullPool)


def _postgresql_engine(url: URL, use: PostgresUse | None = None, **options: object) -> AsyncEngine:
    use = use or PostgresUse()
    if use.pooler:
        unnamed = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: ""}
        options = {**options, "connect_args": unnamed}
    return create_async_engine("postgresql+asyncpg://", async_creator=connector(url, use), **options)


def connector(url: URL, use: PostgresUse) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """What opens a connection to PostgreSQL; gives up after a few seconds, since somebody may be waiting.

    Behind a pooler in transaction mode each statement may reach another server process, which knows nothing of
    statements that were prepared before: then they stay unnamed, and are parsed each time.
    """
    address = postgresql_dsn(url)
    cache = {"statement_cache_size": 0} if use.pooler else {}

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(address, timeout=CONNECT_SECONDS, command_timeout=use.seconds, **cache)

    return connect


def make_engine(url: str, postgres: PostgresUse) -> AsyncEngine:
    """An engine whose SQLite transactions begin explicitly.

    Python's sqlite3 begins late and only for writes; two readers that both decide to write would then fail at once.
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """
    parts = make_url(url)
    if parts.get_backend_name() == "postgresql":
        size = postgres.connections - postgres.pool_size
        return _postgresql_engine(
            parts, postgres, pool_pre_ping=True, pool_size=size, max_overflow=0, pool_timeout=CONNECT_SECONDS
        )
    engine = create_async_engine(parts)
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def postgresql_dsn(url: URL) -> str:
    """The address as libpq writes it, so that every connection of ours reads `sslmode` and the rest alike."""
    query = dict(url.query)
    if "ssl" in query:
        query.setdefault("sslmode", query.pop("ssl"))
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)


def _configure(connection: SqliteConnection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


async def take_turns(db: AsyncSession, name: str) -> None:
    """Wait until no other transaction holds this name, and hold it until ours ends. SQLite has one writer anyway."""
    if db.get_bind().dialect.name == "postgresql":
        await db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def insert_or_ignore(db: AsyncSession, table: type[Base]) -> Insert:
    """An INSERT that does nothing where a unique key is taken, in this database's dialect."""
    if db.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
