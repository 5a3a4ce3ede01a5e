"""Progress on SQLite: a connection of its own, groups written in the event loop and committed in a thread."""

import asyncio
import contextlib
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from dynamic_api.core.database import PRAGMAS, Database
from dynamic_api.core.models import Progress
from dynamic_api.core.reader import CACHE, Prepared, PreparedQuery
from dynamic_api.progress import statements
from dynamic_api.progress.group import Before, Change, Group, LessonKey, Rows, last_viewed
from dynamic_api.progress.rules import COLUMNS, ProgressRow

logger = logging.getLogger("coursewright.progress")

# Rows written between two checkpoints of the write-ahead log. Each takes a page of it at most, usually less.
ROWS_PER_CHECKPOINT = 10_000
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"


class SqliteStore:
    """A connection of its own. Waiting for the disk or for another process happens in a thread; computing stays in
    the event loop, since two threads that hand each other the interpreter for each statement are slower than one.

    SQLite has one writer at a time, so a group waits for the same lock as every other transaction.
    """

    def __init__(self, database: Database, *, rows_per_checkpoint: int = ROWS_PER_CHECKPOINT) -> None:
        self._database = database
        self._rows_per_checkpoint, self._rows = rows_per_checkpoint, 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="progress")
        self._connection: sqlite3.Connection | None = None
        self._checkpoint: asyncio.Future[None] | None = None

    async def write(self, group: Group, change: Change) -> None:
        """One transaction."""
        async with self._database.write_lock():
            connection = self._connection or self._open()
            await self._begin(connection)
            try:
                self._write(connection, group, change)
                # `commit` releases the interpreter once; an executed COMMIT would do so for every step of it.
                await asyncio.get_running_loop().run_in_executor(self._thread, connection.commit)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            await self._tidy_log(connection, len(group.changes) + len(group.views))

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

    def _write(self, connection: sqlite3.Connection, group: Group, change: Change) -> None:
        for key, at in group.views.items():
            _run(connection, _NOTE_VIEW, learner=key.user_id, lesson=key.lesson_id, moment=at)
        for token_id, at in group.phones.items():
            _run(connection, _NOTE_PHONE, token_id=token_id, moment=at)
        for session, (at, until) in group.sessions.items():
            _run(connection, _NOTE_SESSION, session=session, moment=at, until=until)
        rows, begun = self._load(connection, group)
        before = Before.of(rows, begun)
        change(rows)
        connection.executemany(_SAVE.text, [_SAVE.values(_saved(key, row)) for key, row in rows.items()])
        for key in before.to_count(rows):
            moment = rows[key].updated_at
            _run(connection, _COUNT, learner=key.user_id, course=key.course_id, lesson=key.lesson_id, moment=moment)
        for key, at in last_viewed(rows, group.views).items():
            _run(connection, _POINT, learner=key.user_id, course=key.course_id, lesson=key.lesson_id, moment=at)

    def _load(self, connection: sqlite3.Connection, group: Group) -> tuple[Rows, list[LessonKey]]:
        rows, begun = {}, []
        for key, at in group.changes.items():
            values = _LOAD.values({"learner": key.user_id, "lesson": key.lesson_id})
            found = connection.execute(_LOAD.text, values).fetchone()
            if found is None:
                begun.append(key)
            rows[key] = ProgressRow.begun(at) if found is None else ProgressRow(*_LOAD.decode(found))
        return rows, begun

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


_LOAD = PreparedQuery(
    select(*(getattr(Progress, name) for name in COLUMNS)).where(
        Progress.user_id == bindparam("learner"), Progress.lesson_id == bindparam("lesson")
    ),
    "sqlite",
    tuple,
)
_INSERT = insert(Progress).values({name: bindparam(name) for name in ("user_id", "lesson_id", *COLUMNS)})
_SAVE = Prepared(
    _INSERT.on_conflict_do_update(
        index_elements=[Progress.user_id, Progress.lesson_id], set_={name: _INSERT.excluded[name] for name in COLUMNS}
    ),
    "sqlite",
)
_COUNT = Prepared(statements.count_course("sqlite"), "sqlite")
_POINT = Prepared(statements.point_to_lesson(), "sqlite")
_NOTE_VIEW = Prepared(statements.note_view(), "sqlite")
_NOTE_PHONE = Prepared(statements.note_phone(), "sqlite")
_NOTE_SESSION = Prepared(statements.note_session(), "sqlite")


def _run(connection: sqlite3.Connection, statement: Prepared, **values: object) -> None:
    connection.execute(statement.text, statement.values(values))


def _saved(key: LessonKey, row: ProgressRow) -> dict[str, object]:
    values = {name: getattr(row, name) for name in COLUMNS}
    return {"user_id": key.user_id, "lesson_id": key.lesson_id, **values}


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
