"""Engine and transactions. `transaction()` is the only place that commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000")


class Database:
    """One engine, read sessions, and write transactions."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._read = async_sessionmaker(self.engine, expire_on_commit=False)
        self._write = async_sessionmaker(
            self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE"), expire_on_commit=False
        )
        # SQLite has one writer: waiting for it here is cheaper than in the busy handler.
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that never commits."""
        async with self._read() as session:
            yield session

    @asynccontextmanager
    async def writing_turn(self) -> AsyncIterator[None]:
        """The one writer's turn, for whoever writes past the sessions."""
        async with self._writer:
            yield

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commits at the end of the block, or not at all. Never wait for a partner inside it."""
        if self.is_sqlite:
            async with self._writer, self._write.begin() as session:
                yield session
        else:
            async with self._write.begin() as session:
                yield session

    async def close(self) -> None:
        """Return every connection."""
        await self.engine.dispose()


def make_engine(url: str) -> AsyncEngine:
    """An engine whose SQLite transactions begin when they say so.

    Python's sqlite3 begins late and only for writes; two readers that both decide to write then fail at once.
    https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#serializable-isolation-savepoints-transactional-ddl
    """
    engine = create_async_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _configure)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def insert_or_ignore(db: AsyncSession, table: type[Any]) -> Any:
    """An INSERT that does nothing where a unique key is taken, in this database's dialect."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()
