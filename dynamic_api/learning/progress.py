"""How far a learner is. The rules are pure functions of a row; the rest reads it, and has the writer change it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog import LiveLesson
from dynamic_api.clock import timestamp
from dynamic_api.fast_lane.progress_store import ProgressRow
from dynamic_api.fast_lane.progress_writer import ProgressWriter
from dynamic_api.fast_lane.statements import OPENED, PROGRESS_COLUMNS
from dynamic_api.models import Progress
from dynamic_api.service import Service

OVERSHOOT = 60  # seconds that a player's clock may run past the end
OPENING = timedelta(seconds=60)  # after a lesson was opened, a 0 is a player that has not begun


@dataclass(frozen=True)
class Beat:
    """What a player says. Its duration is a hint: the course file's wins."""

    position_seconds: int
    duration_seconds: int | None = None
    is_completed: bool = False
    age_seconds: int = 0  # a beat that could not be sent at once says how long ago it was


def advance(progress: ProgressRow, beat: Beat, *, duration: int | None, threshold: int, now: datetime) -> None:
    """Apply a beat. The position follows it; percent never falls; completed is never left.

    The app's first beats after opening say 0 until it plays, and mean nothing: they keep the position, also where
    another device told of a place meanwhile. A beat that comes late, after a newer one of another device, keeps the
    position too; what was watched still counts.
    """
    at = now - timedelta(seconds=beat.age_seconds)
    length = duration or beat.duration_seconds or progress.duration_seconds
    position = min(beat.position_seconds, length + OVERSHOOT) if length else beat.position_seconds
    fresh = progress.beaten_at is None or progress.beaten_at < progress.opened_at or at - progress.opened_at < OPENING
    overtaken = progress.beaten_at is not None and progress.beaten_at > at
    moves = (position > 0 or not fresh) and not overtaken
    if moves:
        progress.position_seconds, progress.beaten_at = position, at
    progress.duration_seconds = length
    progress.last_viewed_at = max(progress.last_viewed_at, at)
    progress.updated_at = now
    percent = min(100, position * 100 // length) if length else 0
    if percent < threshold:
        progress.auto_complete = progress.auto_complete or moves
    elif not progress.auto_complete:
        # "Not complete" was said at the end of the video; standing there still does not undo it.
        percent = threshold - 1
    progress.percent = max(progress.percent, percent)
    if beat.is_completed or (percent >= threshold and progress.auto_complete):
        complete(progress, now=now)


def complete(progress: ProgressRow, *, now: datetime) -> None:
    """Done, by hand or by having watched enough."""
    if progress.status != "completed":
        progress.status, progress.completed_at = "completed", now
    progress.percent, progress.auto_complete, progress.updated_at = 100, True, now


def undo_completion(progress: ProgressRow, *, threshold: int, now: datetime) -> None:
    """The only way out of completed: to just under the threshold."""
    progress.status, progress.completed_at = "in_progress", None
    progress.percent, progress.auto_complete, progress.updated_at = threshold - 1, False, now


async def open_progress(writer: ProgressWriter, user_id: int, lesson: LiveLesson, *, now: datetime) -> ProgressRow:
    """The row of a lesson that is being opened: made, or touched."""

    def reopen(row: ProgressRow) -> None:
        for name in OPENED:
            setattr(row, name, now)

    return await writer.apply(user_id, lesson.id, reopen, now=now)


async def record_beat(service: Service, user_id: int, lesson: LiveLesson, beat: Beat, *, now: datetime) -> ProgressRow:
    """Apply a beat, durably, from whichever device it came; it may come without an opening. With the last of a course's
    lessons the course is completed too."""
    threshold = service.settings.completion_percent

    def follow(row: ProgressRow) -> None:
        advance(row, beat, duration=lesson.file.duration, threshold=threshold, now=now)

    return await service.progress.apply(user_id, lesson.id, follow, now=now)


async def mark(service: Service, user_id: int, lesson: LiveLesson, *, done: bool, now: datetime) -> ProgressRow:
    """Complete by hand, or "not complete"."""
    threshold = service.settings.completion_percent

    def decide(row: ProgressRow) -> None:
        if done:
            complete(row, now=now)
        elif row.status == "completed":
            undo_completion(row, threshold=threshold, now=now)

    return await service.progress.apply(user_id, lesson.id, decide, now=now)


async def progress_of(db: AsyncSession, user_id: int, lessons: Iterable[LiveLesson]) -> dict[int, ProgressRow]:
    """Lesson id → row, for the lessons that were ever opened."""
    ids = [lesson.id for lesson in lessons]
    wanted = select(Progress.lesson_id, *PROGRESS_COLUMNS).where(
        Progress.user_id == user_id, Progress.lesson_id.in_(ids)
    )
    return {row[0]: ProgressRow(*row[1:]) for row in await db.execute(wanted)}


def describe(progress: ProgressRow) -> dict[str, Any]:
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


def summarise(lessons: Iterable[LiveLesson], rows: Mapping[int, ProgressRow]) -> dict[str, Any]:
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
