"""Reads that take microseconds, straight on the driver: sqlite3 in the event loop, asyncpg's pool.

A read in the loop is safe only while it is by index and small; tests hold each statement's query plan to that.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import asyncpg
from sqlalchemy import make_url

from dynamic_api.fast_lane.statements import Statement

Row = Sequence[Any]
# The default of two megabytes asks the system for most pages of a school of some size.
CACHE = "cache_size=-65536"  # SQLite counts KiB as negative


class HotDatabase(Protocol):
    """What the lane asks of a database."""

    dialect: str

    async def one(self, statement: Statement, values: Sequence[Any]) -> Row | None:
        """The first row, or None."""

    async def all(self, statement: Statement, values: Sequence[Any]) -> Sequence[Row]:
        """Every row."""

    async def close(self) -> None:
        """Return what was opened."""


class HotSqlite:
    """One connection that only reads, opened by the first question.

    What is asked in one turn of the event loop is read in one transaction, since to lock the file and let it go again
    costs more than a question. Nobody sees an old answer: the transaction begins after these requests have come, and
    ends before any that come later are looked at.
    """

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._in_turn = False

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("query_only=ON", "busy_timeout=10000", CACHE):
            connection.execute(f"PRAGMA {pragma}")
        self._connection = connection
        return connection

    def _turn(self) -> sqlite3.Connection:
        connection = self._connection or self._open()
        if not self._in_turn:
            connection.execute("BEGIN")
            self._in_turn = True
            asyncio.get_running_loop().call_soon(self._end_turn)
        return connection

    def _end_turn(self) -> None:
        self._in_turn = False
        if self._connection is not None:
            self._connection.execute("COMMIT")

    async def one(self, statement: Statement, values: Sequence[Any]) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._turn().execute(statement.text, values).fetchone()
        return row

    async def all(self, statement: Statement, values: Sequence[Any]) -> Sequence[Row]:
        """Every row."""
        return self._turn().execute(statement.text, values).fetchall()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class HotPostgres:
    """A pool of its own, opened by the first question."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        parts = make_url(url).set(drivername="postgresql")
        self._dsn = parts.render_as_string(hide_password=False)
        self._pool: Any = None

    async def _opened(self) -> Any:
        if self._pool is None:
            self._pool = asyncpg.create_pool(self._dsn, min_size=0, max_size=10)
        await self._pool  # a second waiter waits for the same opening
        return self._pool

    async def one(self, statement: Statement, values: Sequence[Any]) -> Row | None:
        """The first row, or None."""
        row: Row | None = await (await self._opened()).fetchrow(statement.text, *values)
        return row

    async def all(self, statement: Statement, values: Sequence[Any]) -> Sequence[Row]:
        """Every row."""
        rows: Sequence[Row] = await (await self._opened()).fetch(statement.text, *values)
        return rows

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None


def hot_database(url: str) -> HotDatabase:
    """The lane's access to the database of an address."""
    parts = make_url(url)
    return HotSqlite(parts.database or "") if parts.get_backend_name() == "sqlite" else HotPostgres(url)
