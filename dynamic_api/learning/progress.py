"""How far a learner is. The rules are pure functions of a row; the rest reads and writes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog import LiveLesson
from dynamic_api.clock import timestamp
from dynamic_api.database import Database, insert_or_ignore
from dynamic_api.models import Progress

OVERSHOOT = 60  # seconds that a player's clock may run past the end


@dataclass(frozen=True)
class Beat:
    """What a player says. Its duration is a hint: the course file's wins."""

    position_seconds: int
    duration_seconds: int | None = None
    is_completed: bool = False


def advance(progress: Progress, beat: Beat, *, duration: int | None, threshold: int, now: datetime) -> None:
    """Apply a beat. The position follows it; percent never falls; completed is never left.

    The app's first beats after opening say 0 until it plays, and mean nothing: they keep the position.
    """
    length = duration or beat.duration_seconds or progress.duration_seconds
    position = min(beat.position_seconds, length + OVERSHOOT) if length else beat.position_seconds
    fresh = progress.beaten_at is None or progress.beaten_at < progress.opened_at
    if position > 0 or not fresh:
        progress.position_seconds, progress.beaten_at = position, now
    progress.duration_seconds = length
    progress.last_viewed_at = progress.updated_at = now
    percent = min(100, position * 100 // length) if length else 0
    if percent < threshold:
        progress.auto_complete = True
    elif not progress.auto_complete:
        # "Not complete" was said at the end of the video; standing there still does not undo it.
        percent = threshold - 1
    progress.percent = max(progress.percent, percent)
    if beat.is_completed or (percent >= threshold and progress.auto_complete):
        complete(progress, now=now)


def complete(progress: Progress, *, now: datetime) -> None:
    """Done, by hand or by having watched enough."""
    if progress.status != "completed":
        progress.status, progress.completed_at = "completed", now
    progress.percent, progress.auto_complete, progress.updated_at = 100, True, now


def undo_completion(progress: Progress, *, threshold: int, now: datetime) -> None:
    """The only way out of completed: to just under the threshold."""
    progress.status, progress.completed_at = "in_progress", None
    progress.percent, progress.auto_complete, progress.updated_at = threshold - 1, False, now


async def open_progress(db: AsyncSession, user_id: int, lesson: LiveLesson, *, now: datetime) -> Progress:
    """The row of a lesson that is being opened: made, or touched."""
    await ensure_progress(db, user_id, lesson, now=now)
    progress = await locked_progress(db, user_id, lesson)
    progress.opened_at = progress.last_viewed_at = now
    return progress


async def ensure_progress(db: AsyncSession, user_id: int, lesson: LiveLesson, *, now: datetime) -> None:
    """Make the row where there is none."""
    await db.execute(
        insert_or_ignore(db, Progress).values(
            user_id=user_id,
            lesson_id=lesson.id,
            status="in_progress",
            position_seconds=0,
            percent=0,
            auto_complete=True,
            opened_at=now,
            last_viewed_at=now,
            updated_at=now,
        )
    )


async def record_beat(
    database: Database, user_id: int, lesson: LiveLesson, beat: Beat, *, threshold: int, now: datetime
) -> Progress:
    """Apply a beat, durably, from whichever device it came. It may come without an opening."""
    async with database.transaction() as db:
        await ensure_progress(db, user_id, lesson, now=now)
        progress = await locked_progress(db, user_id, lesson)
        advance(progress, beat, duration=lesson.file.duration, threshold=threshold, now=now)
    return progress


async def locked_progress(db: AsyncSession, user_id: int, lesson: LiveLesson) -> Progress:
    """The row, held until the transaction ends."""
    held = select(Progress).where(Progress.user_id == user_id, Progress.lesson_id == lesson.id).with_for_update()
    return (await db.scalars(held.execution_options(populate_existing=True))).one()


async def progress_of(db: AsyncSession, user_id: int, lessons: Iterable[LiveLesson]) -> dict[int, Progress]:
    """Lesson id → row, for the lessons that were ever opened."""
    ids = [lesson.id for lesson in lessons]
    rows = await db.scalars(select(Progress).where(Progress.user_id == user_id, Progress.lesson_id.in_(ids)))
    return {row.lesson_id: row for row in rows}


def describe(progress: Progress) -> dict[str, Any]:
    """A row as the API says it."""
    return {
        "status": progress.status,
        "playback_position_seconds": progress.position_seconds,
        "video_duration_seconds": progress.duration_seconds,
        "percent_complete": progress.percent,
        "last_viewed_at": timestamp(progress.last_viewed_at),
        "completed_at": timestamp(progress.completed_at),
        "updated_at": timestamp(progress.updated_at),
    }


def summarise(lessons: Iterable[LiveLesson], rows: dict[int, Progress]) -> dict[str, Any]:
    """A course's progress: the share of its lessons that are completed, rounded down."""
    ids = [lesson.id for lesson in lessons]
    seen = [rows[lesson_id] for lesson_id in ids if lesson_id in rows]
    completed = sum(row.status == "completed" for row in seen)
    return {
        "total_lessons": len(ids),
        "completed_lessons": completed,
        "percent_complete": completed * 100 // len(ids) if ids else 0,
        "last_viewed_at": timestamp(max((row.last_viewed_at for row in seen), default=None)),
    }
