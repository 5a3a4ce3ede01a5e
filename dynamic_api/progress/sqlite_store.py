"""Progress on SQLite: a row at a time, which costs nothing inside one process."""

import sqlite3

from sqlalchemy import Integer, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from dynamic_api.core.models import Progress
from dynamic_api.core.reader import Prepared, PreparedQuery
from dynamic_api.core.sqlite_writer import SqliteWriter
from dynamic_api.progress import statements
from dynamic_api.progress.group import Change, Group, Loaded, row_values
from dynamic_api.progress.rules import COLUMNS, ProgressRow


class SqliteStore:
    """Writes on the writer's connection."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer

    async def write(self, group: Group, change: Change) -> None:
        """One transaction."""
        rows = len(group.changes) + len(group.views)
        await self._writer.write(lambda connection: _write(connection, group, change), rows=rows)


def _write(connection: sqlite3.Connection, group: Group, change: Change) -> None:
    for key, at in group.views.items():
        _run(connection, _NOTE_VIEW, **key.parameters(), moment=at)
    for token_id, at in group.phones.items():
        _run(connection, _NOTE_PHONE, token_id=token_id, moment=at)
    for session, (at, until) in group.sessions.items():
        _run(connection, _NOTE_SESSION, session=session, moment=at, until=until)
    loaded = _load(connection, group)
    change(loaded.rows)
    connection.executemany(_SAVE.text, [_SAVE.values(row_values(key, row)) for key, row in loaded.rows.items()])
    for key in loaded.to_count():
        _run(connection, _COUNT, **key.parameters(), moment=loaded.rows[key].updated_at)
    for key, at in loaded.to_point(group.views).items():
        _run(connection, _POINT, **key.parameters(), moment=at)


def _load(connection: sqlite3.Connection, group: Group) -> Loaded:
    loaded = Loaded()
    for key, at in group.changes.items():
        found = connection.execute(_LOAD.text, _LOAD.values(key.parameters())).fetchone()
        if found is None:
            loaded.begin(key, ProgressRow.begun(at))
        else:
            is_last, *values = _LOAD.decode(found)
            loaded.add(key, ProgressRow(*values), is_last=is_last)
    return loaded


_LEARNER, _COURSE, _LESSON = (bindparam(name, type_=Integer) for name in ("learner", "course", "lesson"))
_LOAD = PreparedQuery(
    select(statements.is_last_viewed(_LEARNER, _COURSE, _LESSON), *(getattr(Progress, name) for name in COLUMNS)).where(
        Progress.user_id == _LEARNER, Progress.lesson_id == _LESSON
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
