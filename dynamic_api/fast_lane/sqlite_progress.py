"""Progress on SQLite, past SQLAlchemy: a connection of its own, groups saved in the loop and committed in a thread."""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from dynamic_api.database import PRAGMAS, Database
from dynamic_api.fast_lane.hot_database import CACHE
from dynamic_api.fast_lane.progress_store import (
    NAMES,
    SEEN,
    Follow,
    Key,
    Moments,
    ProgressRow,
    completed_since,
    incomplete,
)
from dynamic_api.fast_lane.statements import (
    OPENED,
    PROGRESS_COLUMNS,
    as_moment,
    as_stored,
    as_text,
    compiled,
    completion,
    opening,
)
from dynamic_api.models import Progress

logger = logging.getLogger("coursewright.fast_lane")

ROWS_BETWEEN = 10_000  # written between two looks at the write-ahead log; each has a page of it at most, mostly less
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"

_UPSERT = sqlite_insert(Progress).values(
    {name: bindparam(name) for name in ("user_id", "lesson_id", *NAMES)}  # every column
)
_SQLITE_LOAD = compiled(
    select(*PROGRESS_COLUMNS).where(
        Progress.user_id == bindparam("user_id"), Progress.lesson_id == bindparam("lesson_id")
    ),
    "sqlite",
)
_SQLITE_SAVE = compiled(
    _UPSERT.on_conflict_do_update(
        index_elements=[Progress.user_id, Progress.lesson_id], set_={name: _UPSERT.excluded[name] for name in NAMES}
    ),
    "sqlite",
)
if _SQLITE_SAVE.names[:12] != ("user_id", "lesson_id", *NAMES):
    raise RuntimeError("the order of the columns and of what is saved differ")
_SQLITE_SEEN = compiled(SEEN, "sqlite")
_SQLITE_OPENING = compiled(opening(), "sqlite")
if _SQLITE_OPENING.names != (*["moment"] * len(OPENED), "its_user", "its_lesson"):
    raise RuntimeError("the order of what is said of an opening has changed")
_SQLITE_COMPLETION = compiled(completion("sqlite"), "sqlite")


class SqliteStore:
    """A connection of its own. What waits for the disk or for another process waits in a thread; what only computes
    stays in the loop, since two threads that hand each other the interpreter for each statement are slower than one.

    SQLite has one writer: the group takes its turn with everybody else's transactions.
    """

    def __init__(self, database: Database, *, rows_between: int = ROWS_BETWEEN) -> None:
        self._database = database
        self._rows_between, self._rows = rows_between, 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._connection: sqlite3.Connection | None = None
        self._tidying: asyncio.Future[None] | None = None

    async def write(self, keys: Moments, follow: Follow, seen: Mapping[int, datetime], opened: Moments) -> None:
        """One transaction."""
        loop = asyncio.get_running_loop()
        async with self._database.writing_turn():
            connection = self._connection or self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:  # another process is writing
                await loop.run_in_executor(self._thread, _begin_patiently, connection)
            try:
                if opened:
                    connection.executemany(_SQLITE_OPENING.text, [_opened(key, at) for key, at in opened.items()])
                rows = {key: self._load(connection, key, begun) for key, begun in keys.items()}
                before = incomplete(rows)
                follow(rows)
                connection.executemany(_SQLITE_SAVE.text, [_saved(key, row) for key, row in rows.items()])
                for (learner, lesson), row in completed_since(rows, before).items():
                    moment = as_text(row.updated_at)
                    values = _SQLITE_COMPLETION.values(learner=learner, lesson=lesson, moment=moment)
                    connection.execute(_SQLITE_COMPLETION.text, values)
                touched = [_SQLITE_SEEN.values(its_id=name, seen=as_stored(at, "sqlite")) for name, at in seen.items()]
                if touched:
                    connection.executemany(_SQLITE_SEEN.text, touched)
                # `commit` gives the interpreter away once; a COMMIT that is executed does so for every step of it.
                await loop.run_in_executor(self._thread, connection.commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            await self._tidy(connection, len(keys) + len(opened))

    async def _tidy(self, connection: sqlite3.Connection, rows: int) -> None:
        """Bring the write-ahead log into the database now and then, beside the commits instead of inside one of them:
        that is what the slowest beat would wait for. What was written meanwhile follows in a turn of ours, since the
        log begins anew only when nothing of it is left. https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
        """
        loop = asyncio.get_running_loop()
        self._rows += rows
        if self._tidying is None and self._rows >= self._rows_between:
            self._rows = 0
            self._tidying = loop.run_in_executor(None, _checkpoint, self._database.engine.url.database or "")
        elif self._tidying is not None and self._tidying.done():
            begun, self._tidying = self._tidying, None
            try:
                begun.result()
                await loop.run_in_executor(self._thread, _follow_up, connection)
            except sqlite3.Error:  # the group is saved; the log waits for the next look
                logger.exception("the write-ahead log could not be tidied")

    def _load(self, connection: sqlite3.Connection, key: Key, begun: datetime) -> ProgressRow:
        found = connection.execute(_SQLITE_LOAD.text, key).fetchone()
        if found is None:
            return ProgressRow.begun(begun)
        status, position, duration, percent, automatic, opened, beaten, viewed, completed, updated = found
        return ProgressRow(
            status,
            position,
            duration,
            percent,
            bool(automatic),
            as_moment(opened) or begun,
            as_moment(beaten),
            as_moment(viewed) or begun,
            as_moment(completed),
            as_moment(updated) or begun,
        )

    def _open(self) -> sqlite3.Connection:
        path = self._database.engine.url.database or ""
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in (*PRAGMAS, "busy_timeout=0", "wal_autocheckpoint=0", CACHE):
            connection.execute(f"PRAGMA {pragma}")
        self._connection = connection
        return connection

    def close(self) -> None:
        """Close the connection, and let the thread go."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _follow_up(connection: sqlite3.Connection) -> None:
    connection.execute(_CHECKPOINT).fetchone()


def _checkpoint(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(_CHECKPOINT)
    finally:
        connection.close()


def _begin_patiently(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout=10000")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.execute("PRAGMA busy_timeout=0")


def _opened(key: Key, at: datetime) -> tuple[Any, ...]:
    """In the order of the statement's parameters, which is checked where the statement is made."""
    return (*[as_text(at)] * len(OPENED), *key)


def _saved(key: Key, row: ProgressRow) -> tuple[Any, ...]:
    """In the order of the statement's columns, which is checked where the statement is made."""
    return (
        *key,
        row.status,
        row.position_seconds,
        row.duration_seconds,
        row.percent,
        row.auto_complete,
        as_text(row.opened_at),
        as_text(row.beaten_at) if row.beaten_at else None,
        as_text(row.last_viewed_at),
        as_text(row.completed_at) if row.completed_at else None,
        as_text(row.updated_at),
    )
