"""Progress on PostgreSQL: a group in one transaction, one round trip for each kind of statement."""

from collections.abc import Iterable

import asyncpg
from sqlalchemy import ARRAY, Integer, bindparam, column, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from dynamic_api.core.models import Progress
from dynamic_api.core.reader import PostgresReader, Prepared, PreparedQuery
from dynamic_api.progress import statements
from dynamic_api.progress.group import Before, Change, Group, LessonKey, Rows, last_viewed
from dynamic_api.progress.rules import COLUMNS, ProgressRow

_KEYS = (
    func.unnest(bindparam("learners", type_=ARRAY(Integer)), bindparam("lessons", type_=ARRAY(Integer)))
    .table_valued(column("learner", Integer), column("lesson", Integer))
    .render_derived()
)
_LOAD = PreparedQuery(
    select(Progress.user_id, Progress.lesson_id, *(getattr(Progress, name) for name in COLUMNS))
    .where(tuple_(Progress.user_id, Progress.lesson_id).in_(select(_KEYS.c.learner, _KEYS.c.lesson)))
    .order_by(Progress.user_id, Progress.lesson_id)
    .with_for_update(),
    "postgresql",
    tuple,
)
_BEGIN = Prepared(
    insert(Progress)
    .values({name: bindparam(name) for name in ("user_id", "lesson_id", *COLUMNS)})
    .on_conflict_do_nothing(),
    "postgresql",
)
_SAVE = Prepared(
    update(Progress)
    .where(Progress.user_id == bindparam("learner"), Progress.lesson_id == bindparam("lesson"))
    .values({name: bindparam(f"new_{name}") for name in COLUMNS}),
    "postgresql",
)
_COUNT = Prepared(statements.count_course("postgresql"), "postgresql")
_POINT = Prepared(statements.point_to_lesson(), "postgresql")
_NOTE_VIEW = Prepared(statements.note_view(), "postgresql")
_NOTE_PHONE = Prepared(statements.note_phone(), "postgresql")
_NOTE_SESSION = Prepared(statements.note_session(), "postgresql")
_LOCK = "SELECT pg_advisory_xact_lock(729, learner) FROM unnest($1::integer[]) AS learner"

Values = list[dict[str, object]]


class PostgresStore:
    """Writes on a connection of the reader's pool."""

    def __init__(self, reader: PostgresReader) -> None:
        self._reader = reader

    async def write(self, group: Group, change: Change) -> None:
        """One transaction."""
        pool = await self._reader.pool()
        async with pool.acquire() as connection, connection.transaction():
            await _note(connection, group)
            rows, begun = await _load(connection, group)
            before = Before.of(rows, begun)
            change(rows)
            await _run(connection, _SAVE, [_saved(key, row) for key, row in sorted(rows.items())])
            await _count(connection, rows, before.to_count(rows))
            viewed = last_viewed(rows, group.views).items()
            await _run(connection, _POINT, [_about(key) | {"moment": at} for key, at in viewed])

    async def close(self) -> None:
        """The pool is closed by the reader."""


async def _note(connection: asyncpg.Connection, group: Group) -> None:
    await _run(connection, _NOTE_VIEW, [_about(key) | {"moment": at} for key, at in sorted(group.views.items())])
    phones = sorted(group.phones.items())
    await _run(connection, _NOTE_PHONE, [{"token_id": token_id, "moment": at} for token_id, at in phones])
    sessions = sorted(group.sessions.items())
    values: Values = [{"session": session, "moment": at, "until": until} for session, (at, until) in sessions]
    await _run(connection, _NOTE_SESSION, values)


async def _load(connection: asyncpg.Connection, group: Group) -> tuple[Rows, list[LessonKey]]:
    """The rows, locked; begun where there are none."""
    by_lesson = {(key.user_id, key.lesson_id): key for key in group.changes}
    rows = await _locked(connection, by_lesson, group.changes)
    missing = sorted(group.changes.keys() - rows.keys())
    if missing:
        begun = [_begun(key, ProgressRow.begun(group.changes[key])) for key in missing]
        await _run(connection, _BEGIN, begun)
        # Another process may have been faster: what counts is what is there now.
        rows |= await _locked(connection, by_lesson, missing)
    return rows, missing


async def _locked(
    connection: asyncpg.Connection, by_lesson: dict[tuple[int, int], LessonKey], keys: Iterable[LessonKey]
) -> Rows:
    ordered = sorted(keys)
    wanted = {"learners": [key.user_id for key in ordered], "lessons": [key.lesson_id for key in ordered]}
    found = await connection.fetch(_LOAD.text, *_LOAD.values(wanted)) if ordered else []
    rows: Rows = {}
    for each in found:
        learner, lesson, *values = _LOAD.decode(each)
        rows[by_lesson[learner, lesson]] = ProgressRow(*values)
    return rows


async def _count(connection: asyncpg.Connection, rows: Rows, keys: list[LessonKey]) -> None:
    if keys:
        # Two processes that each complete one of a course's last two lessons take turns, and the second counts both.
        await connection.execute(_LOCK, sorted({key.user_id for key in keys}))
        await _run(connection, _COUNT, [_about(key) | {"moment": rows[key].updated_at} for key in keys])


async def _run(connection: asyncpg.Connection, statement: Prepared, values: Values) -> None:
    """One statement for each of the values, in one round trip."""
    if len(values) == 1:
        await connection.execute(statement.text, *statement.values(values[0]))
    elif values:
        await connection.executemany(statement.text, [statement.values(each) for each in values])


def _about(key: LessonKey) -> dict[str, object]:
    return {"learner": key.user_id, "course": key.course_id, "lesson": key.lesson_id}


def _begun(key: LessonKey, row: ProgressRow) -> dict[str, object]:
    values = {name: getattr(row, name) for name in COLUMNS}
    return {"user_id": key.user_id, "lesson_id": key.lesson_id, **values}


def _saved(key: LessonKey, row: ProgressRow) -> dict[str, object]:
    values = {f"new_{name}": getattr(row, name) for name in COLUMNS}
    return {"learner": key.user_id, "lesson": key.lesson_id, **values}
