"""Progress on PostgreSQL: a group in one transaction, one round trip for each kind of statement."""

from collections.abc import Iterable

import asyncpg
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from dynamic_api.core.models import CourseProgress, Progress
from dynamic_api.core.postgres_pool import PostgresPool
from dynamic_api.core.reader import Prepared, PreparedQuery
from dynamic_api.core.sql import rows_from_arrays
from dynamic_api.progress import statements
from dynamic_api.progress.group import Change, Group, LessonKey, Loaded, Rows, row_values
from dynamic_api.progress.rules import COLUMNS, ProgressRow

_KEYS = rows_from_arrays(
    [Progress.__table__.c.user_id, CourseProgress.__table__.c.course_id, Progress.__table__.c.lesson_id]
)
_LOAD = PreparedQuery(
    select(
        Progress.user_id,
        Progress.lesson_id,
        statements.is_last_viewed(Progress.user_id, _KEYS.c.course_id, Progress.lesson_id),
        *(getattr(Progress, name) for name in COLUMNS),
    )
    .join(_KEYS, (Progress.user_id == _KEYS.c.user_id) & (Progress.lesson_id == _KEYS.c.lesson_id))
    .order_by(Progress.user_id, Progress.lesson_id)
    .with_for_update(of=Progress),
    "postgresql",
    tuple,
)
_BEGIN = Prepared(
    insert(Progress)
    .values({name: bindparam(name) for name in ("user_id", "lesson_id", *COLUMNS)})
    .on_conflict_do_nothing(),
    "postgresql",
)
_GIVEN = rows_from_arrays(Progress.__table__.c[name] for name in ("user_id", "lesson_id", *COLUMNS))
_SAVE = Prepared(
    update(Progress)
    .where(Progress.user_id == _GIVEN.c.user_id, Progress.lesson_id == _GIVEN.c.lesson_id)
    .values({name: _GIVEN.c[name] for name in COLUMNS}),
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
    """Writes on a connection of the pool."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def write(self, group: Group, change: Change) -> None:
        """One transaction."""
        async with self._pool.connection() as connection, connection.transaction():
            await _note(connection, group)
            loaded = await _load(connection, group)
            change(loaded.rows)
            await _save(connection, loaded.rows)
            await _count(connection, loaded)
            viewed = loaded.to_point(group.views).items()
            await _run(connection, _POINT, [key.parameters() | {"moment": at} for key, at in viewed])


async def _note(connection: asyncpg.Connection, group: Group) -> None:
    await _run(connection, _NOTE_VIEW, [key.parameters() | {"moment": at} for key, at in sorted(group.views.items())])
    phones = sorted(group.phones.items())
    await _run(connection, _NOTE_PHONE, [{"token_id": token_id, "moment": at} for token_id, at in phones])
    sessions = sorted(group.sessions.items())
    values: Values = [{"session": session, "moment": at, "until": until} for session, (at, until) in sessions]
    await _run(connection, _NOTE_SESSION, values)


async def _load(connection: asyncpg.Connection, group: Group) -> Loaded:
    """The rows, locked; begun where there are none."""
    loaded = Loaded()
    for key, row, is_last in await _locked(connection, group.changes):
        loaded.add(key, row, is_last=is_last)
    missing = sorted(group.changes.keys() - loaded.rows.keys())
    if missing:
        begun = [row_values(key, ProgressRow.begun(group.changes[key])) for key in missing]
        await _run(connection, _BEGIN, begun)
        # Another process may have been faster: what counts is what is there now.
        for key, row, _ in await _locked(connection, missing):
            loaded.begin(key, row)
    return loaded


async def _locked(
    connection: asyncpg.Connection, keys: Iterable[LessonKey]
) -> list[tuple[LessonKey, ProgressRow, bool]]:
    by_lesson = {(key.user_id, key.lesson_id): key for key in sorted(keys)}
    if not by_lesson:
        return []
    learners, courses, lessons = zip(*by_lesson.values(), strict=True)
    values = _LOAD.values({"user_id": learners, "course_id": courses, "lesson_id": lessons})
    rows = [_LOAD.decode(each) for each in await connection.fetch(_LOAD.text, *values)]
    return [(by_lesson[user, lesson], ProgressRow(*row), is_last) for user, lesson, is_last, *row in rows]


async def _save(connection: asyncpg.Connection, rows: Rows) -> None:
    if rows:
        values: dict[str, object] = {name: [getattr(row, name) for row in rows.values()] for name in COLUMNS}
        keys = {"user_id": [key.user_id for key in rows], "lesson_id": [key.lesson_id for key in rows]}
        await connection.execute(_SAVE.text, *_SAVE.values(values | keys))


async def _count(connection: asyncpg.Connection, loaded: Loaded) -> None:
    if keys := loaded.to_count():
        # Two processes that each complete one of a course's last two lessons take turns, and the second counts both.
        await connection.execute(_LOCK, sorted({key.user_id for key in keys}))
        await _run(connection, _COUNT, [key.parameters() | {"moment": loaded.rows[key].updated_at} for key in keys])


async def _run(connection: asyncpg.Connection, statement: Prepared, values: Values) -> None:
    """One statement for each of the values, in one round trip."""
    if len(values) == 1:
        await connection.execute(statement.text, *statement.values(values[0]))
    elif values:
        await connection.executemany(statement.text, [statement.values(each) for each in values])
