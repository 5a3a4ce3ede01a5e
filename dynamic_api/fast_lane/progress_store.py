"""One group of progress rows: loaded, changed and saved in one transaction, durable when it returns."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, select, text, tuple_, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import PRAGMAS, Database, insert_or_ignore
from dynamic_api.fast_lane.hot_database import CACHE
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
from dynamic_api.models import AccessToken, Progress

Key = tuple[int, int]  # learner, lesson
FLUSHES_BETWEEN = 500  # groups written between two looks at the write-ahead log


@dataclass(slots=True)
class ProgressRow:
    """A row of `progress` as the rules see it."""

    status: str
    position_seconds: int
    duration_seconds: int | None
    percent: int
    auto_complete: bool
    opened_at: datetime
    beaten_at: datetime | None
    last_viewed_at: datetime
    completed_at: datetime | None
    updated_at: datetime

    @classmethod
    def begun(cls, now: datetime) -> "ProgressRow":
        """A lesson that is opened for the first time."""
        return cls("in_progress", 0, None, 0, True, now, None, now, None, now)


Follow = Callable[[dict[Key, ProgressRow]], None]
Moments = Mapping[Key, datetime]


class ProgressStore(Protocol):
    """Where a group is written."""

    async def write(self, keys: Moments, follow: Follow, seen: Mapping[int, datetime], opened: Moments) -> None:
        """Note what was opened again. Load the rows of these keys (begun at the given moment where there are none), let
        `follow` change them, save them, note the courses that are completed with them, and when phones were last seen;
        all of it or nothing."""

    def close(self) -> None:
        """Close what was opened."""


_NAMES = [column.key for column in PROGRESS_COLUMNS]
_LOAD = select(Progress.user_id, Progress.lesson_id, *PROGRESS_COLUMNS).order_by(Progress.user_id, Progress.lesson_id)
_SAVE = (
    update(Progress.__table__)  # type: ignore[arg-type]
    .where(Progress.user_id == bindparam("its_user"), Progress.lesson_id == bindparam("its_lesson"))
    .values({name: bindparam(f"new_{name}") for name in _NAMES})
)
_SEEN = (
    update(AccessToken.__table__)  # type: ignore[arg-type]
    .where(AccessToken.id == bindparam("its_id"))
    .values(last_used_at=bindparam("seen"))
)


async def _load(db: AsyncSession, keys: Moments) -> dict[Key, ProgressRow]:
    """The rows, held until the transaction ends; begun where there are none."""
    wanted = tuple_(Progress.user_id, Progress.lesson_id).in_(list(keys))
    found = await db.execute(_LOAD.where(wanted).with_for_update())
    rows = {(row[0], row[1]): _row(row[2:]) for row in found}
    if missing := sorted(keys.keys() - rows.keys()):
        fresh = [_columns(ProgressRow.begun(keys[key])) | {"user_id": key[0], "lesson_id": key[1]} for key in missing]
        await db.execute(insert_or_ignore(db, Progress), fresh)
        # Another process may have been a moment faster: what counts is what is there now.
        again = tuple_(Progress.user_id, Progress.lesson_id).in_(missing)
        for row in await db.execute(_LOAD.where(again).with_for_update()):
            rows[row[0], row[1]] = _row(row[2:])
    return rows


async def _save(db: AsyncSession, rows: dict[Key, ProgressRow]) -> None:
    if rows:
        connection = await db.connection()
        values = [
            {"its_user": key[0], "its_lesson": key[1]} | {f"new_{n}": v for n, v in _columns(row).items()}
            for key, row in sorted(rows.items())
        ]
        await connection.execute(_SAVE, values)


_COMPLETION = completion("postgresql")
_TURN = text("SELECT pg_advisory_xact_lock(729, :learner)")


async def _note_completions(db: AsyncSession, rows: Mapping[Key, ProgressRow]) -> None:
    for (learner, lesson), row in sorted(rows.items()):
        # Two processes that each save one of the last two lessons take turns here, and the second sees them both.
        await db.execute(_TURN, {"learner": learner})
        await db.execute(_COMPLETION, {"learner": learner, "lesson": lesson, "moment": row.updated_at})


async def _open(db: AsyncSession, opened: Moments) -> None:
    if opened:
        connection = await db.connection()
        values = [{"its_user": key[0], "its_lesson": key[1], "moment": at} for key, at in sorted(opened.items())]
        await connection.execute(opening(), values)


async def _touch(db: AsyncSession, seen: Mapping[int, datetime]) -> None:
    if seen:
        connection = await db.connection()
        await connection.execute(_SEEN, [{"its_id": key, "seen": moment} for key, moment in sorted(seen.items())])


class CoreStore:
    """Through SQLAlchemy, for databases that take many writers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, keys: Moments, follow: Follow, seen: Mapping[int, datetime], opened: Moments) -> None:
        """One transaction."""
        async with self._database.transaction() as db:
            await _open(db, opened)
            rows = await _load(db, keys)
            before = _incomplete(rows)
            follow(rows)
            await _save(db, rows)
            await _note_completions(db, _completed(rows, before))
            await _touch(db, seen)

    def close(self) -> None:
        """The database is closed by whoever opened it."""


def _row(values: Sequence[Any]) -> ProgressRow:
    return ProgressRow(*values)


def _incomplete(rows: Mapping[Key, ProgressRow]) -> list[Key]:
    return [key for key, row in rows.items() if row.status != "completed"]


def _completed(rows: Mapping[Key, ProgressRow], before: Sequence[Key]) -> dict[Key, ProgressRow]:
    """Which of the rows that were not are complete now."""
    return {key: rows[key] for key in before if rows[key].status == "completed"}


def _columns(row: ProgressRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES}


_UPSERT = sqlite_insert(Progress).values(
    {name: bindparam(name) for name in ("user_id", "lesson_id", *_NAMES)}  # every column
)
_SQLITE_LOAD = compiled(
    select(*PROGRESS_COLUMNS).where(
        Progress.user_id == bindparam("user_id"), Progress.lesson_id == bindparam("lesson_id")
    ),
    "sqlite",
)
_SQLITE_SAVE = compiled(
    _UPSERT.on_conflict_do_update(
        index_elements=[Progress.user_id, Progress.lesson_id], set_={name: _UPSERT.excluded[name] for name in _NAMES}
    ),
    "sqlite",
)
if _SQLITE_SAVE.names[:12] != ("user_id", "lesson_id", *_NAMES):
    raise RuntimeError("the order of the columns and of what is saved differ")
_SQLITE_SEEN = compiled(_SEEN, "sqlite")
_SQLITE_OPENING = compiled(opening(), "sqlite")
if _SQLITE_OPENING.names != (*["moment"] * len(OPENED), "its_user", "its_lesson"):
    raise RuntimeError("the order of what is said of an opening has changed")
_SQLITE_COMPLETION = compiled(completion("sqlite"), "sqlite")


class SqliteStore:
    """A connection of its own. What waits for the disk or for another process waits in a thread; what only computes
    stays in the loop, since two threads that hand each other the interpreter for each statement are slower than one.

    SQLite has one writer: the group takes its turn with everybody else's transactions.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._connection: sqlite3.Connection | None = None
        self._since_tidy = 0
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
                before = _incomplete(rows)
                follow(rows)
                connection.executemany(_SQLITE_SAVE.text, [_saved(key, row) for key, row in rows.items()])
                for (learner, lesson), row in _completed(rows, before).items():
                    moment = as_text(row.updated_at)
                    values = _SQLITE_COMPLETION.values(learner=learner, lesson=lesson, moment=moment)
                    connection.execute(_SQLITE_COMPLETION.text, values)
                touched = [_SQLITE_SEEN.values(its_id=name, seen=as_stored(at, "sqlite")) for name, at in seen.items()]
                if touched:
                    connection.executemany(_SQLITE_SEEN.text, touched)
                # `commit` gives the interpreter away once; a COMMIT that is executed does so for every step of it.
                await loop.run_in_executor(self._thread, connection.commit)
                self._tidy(loop)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _tidy(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bring the write-ahead log into the database now and then, beside the commits instead of inside one of them:
        that is what the slowest beat would wait for. https://sqlite.org/wal.html#automatic_checkpoint
        """
        self._since_tidy += 1
        if self._since_tidy >= FLUSHES_BETWEEN and (self._tidying is None or self._tidying.done()):
            self._since_tidy = 0
            self._tidying = loop.run_in_executor(None, _checkpoint, self._database.engine.url.database or "")

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


def _checkpoint(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
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


def progress_store(database: Database) -> ProgressStore:
    """The store for a database."""
    return SqliteStore(database) if database.is_sqlite else CoreStore(database)
