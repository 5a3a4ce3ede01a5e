"""The connection that writes groups to SQLite."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dynamic_api.core.database import PRAGMAS, Database
from dynamic_api.core.reader import CACHE

logger = logging.getLogger("coursewright.database")

# Rows written between two checkpoints of the write-ahead log. Each takes a page of it at most, usually less.
ROWS_PER_CHECKPOINT = 10_000
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"

Answer = TypeVar("Answer")


class SqliteWriter:
    """A connection of its own. Waiting for the disk or for another process happens in a thread; computing stays in
    the event loop, since two threads that hand each other the interpreter for each statement are slower than one.

    SQLite has one writer at a time, so a group waits for the same lock as every other transaction.
    """

    def __init__(self, database: Database, *, rows_per_checkpoint: int = ROWS_PER_CHECKPOINT) -> None:
        self._database = database
        self._rows_per_checkpoint, self._rows = rows_per_checkpoint, 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._connection: sqlite3.Connection | None = None
        self._checkpoint: asyncio.Future[None] | None = None

    async def write(self, act: Callable[[sqlite3.Connection], Answer], *, rows: int) -> Answer:
        """What `act` returns, once what it did is committed. It must not wait; `rows` is how many it writes at most."""
        async with self._database.write_lock():
            connection = self._connection or self._open()
            await self._begin(connection)
            try:
                answer = act(connection)
                # `commit` releases the interpreter once; an executed COMMIT would do so for every step of it.
                await asyncio.get_running_loop().run_in_executor(self._thread, connection.commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            await self._tidy_log(connection, rows)
        return answer

    async def close(self) -> None:
        """Close the connection and end the thread."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        for pragma in (*PRAGMAS, "busy_timeout=0", "wal_autocheckpoint=0", CACHE):
            connection.execute(f"PRAGMA {pragma}")
        self._connection = connection
        return connection

    @property
    def _path(self) -> str:
        return self._database.url.database or ""

    async def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # another process is writing
            await asyncio.get_running_loop().run_in_executor(self._thread, _begin_patiently, connection)

    async def _tidy_log(self, connection: sqlite3.Connection, rows: int) -> None:
        """Move the write-ahead log into the database now and then, beside the commits instead of inside one of them,
        where the slowest heartbeat would wait for it. What was written meanwhile follows under the write lock, since
        the log starts anew only when nothing of it is left.
        https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
        """
        loop = asyncio.get_running_loop()
        self._rows += rows
        if self._checkpoint is None and self._rows >= self._rows_per_checkpoint:
            self._rows = 0
            self._checkpoint = loop.run_in_executor(None, _checkpoint, self._path)
        elif self._checkpoint is not None and self._checkpoint.done():
            finished, self._checkpoint = self._checkpoint, None
            try:
                finished.result()
                await loop.run_in_executor(self._thread, _finish_checkpoint, connection)
            except sqlite3.Error:  # the group is saved; the log waits for the next checkpoint
                logger.exception("the write-ahead log could not be checkpointed")


def _begin_patiently(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout=10000")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _checkpoint(path: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(_CHECKPOINT)


def _finish_checkpoint(connection: sqlite3.Connection) -> None:
    connection.execute(_CHECKPOINT).fetchone()
