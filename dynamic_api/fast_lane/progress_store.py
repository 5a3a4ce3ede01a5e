"""One group of progress rows: loaded, changed and saved in one transaction, durable when it returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import bindparam, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import Database, insert_or_ignore
from dynamic_api.fast_lane.statements import (
    PROGRESS_COLUMNS,
    completion,
    opening,
)
from dynamic_api.models import AccessToken, Progress

Key = tuple[int, int]  # learner, lesson


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


NAMES = [column.key for column in PROGRESS_COLUMNS]
_LOAD = select(Progress.user_id, Progress.lesson_id, *PROGRESS_COLUMNS).order_by(Progress.user_id, Progress.lesson_id)
_SAVE = (
    update(Progress.__table__)  # type: ignore[arg-type]
    .where(Progress.user_id == bindparam("its_user"), Progress.lesson_id == bindparam("its_lesson"))
    .values({name: bindparam(f"new_{name}") for name in NAMES})
)
SEEN = (
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
        await connection.execute(SEEN, [{"its_id": key, "seen": moment} for key, moment in sorted(seen.items())])


class CoreStore:
    """Through SQLAlchemy, for databases that take many writers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, keys: Moments, follow: Follow, seen: Mapping[int, datetime], opened: Moments) -> None:
        """One transaction."""
        async with self._database.transaction() as db:
            await _open(db, opened)
            rows = await _load(db, keys)
            before = incomplete(rows)
            follow(rows)
            await _save(db, rows)
            await _note_completions(db, completed_since(rows, before))
            await _touch(db, seen)

    def close(self) -> None:
        """The database is closed by whoever opened it."""


def _row(values: Sequence[Any]) -> ProgressRow:
    return ProgressRow(*values)


def incomplete(rows: Mapping[Key, ProgressRow]) -> list[Key]:
    return [key for key, row in rows.items() if row.status != "completed"]


def completed_since(rows: Mapping[Key, ProgressRow], before: Sequence[Key]) -> dict[Key, ProgressRow]:
    """Which of the rows that were not are complete now."""
    return {key: rows[key] for key in before if rows[key].status == "completed"}


def _columns(row: ProgressRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in NAMES}
