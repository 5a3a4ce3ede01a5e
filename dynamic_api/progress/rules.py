"""The rules of progress: pure functions of one row, the same for web and phone.

How a position moves when a player reports one, in a lesson whose stored position is 20:00:

| the player reports                      | the position becomes | because                                        |
|-----------------------------------------|----------------------|------------------------------------------------|
| 20:15, 19:40, 3:00                      | what it reports      | somebody watches there                         |
| 0:00, 0:04, 0:59                        | stays 20:00          | the app starts at 0, which is not watching yet |
| then 1:04, 1:19                         | what it reports      | after a minute, somebody does watch there      |
| an old report, sent after a newer one   | stays                | another device was there later                 |
| a report, where the stored one is from  | what it reports      | the clock ran ahead, and was put right         |
| the future                              |                      |                                                |
| 0:30 where the stored position is 0:20  | 0:30                 | it moves forward                               |
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from typing_extensions import TypedDict

from dynamic_api.core.clock import SLACK, timestamp
from dynamic_api.core.states import ProgressStatus

OVERSHOOT = 60  # seconds that a player's clock may run past the end of the video
OPENING = 60  # seconds: before this, a position behind the stored one is a player that just started


@dataclass(slots=True)
class ProgressRow:
    """A row of `progress` as the rules see it; its fields are the table's columns, and its defaults a lesson just
    opened."""

    last_viewed_at: datetime
    updated_at: datetime
    status: ProgressStatus = ProgressStatus.IN_PROGRESS
    position_seconds: int = 0
    duration_seconds: int | None = None
    percent: int = 0
    auto_complete: bool = True
    positioned_at: datetime | None = None
    completed_at: datetime | None = None

    @classmethod
    def begun(cls, now: datetime) -> "ProgressRow":
        """A lesson that is opened for the first time."""
        return cls(last_viewed_at=now, updated_at=now)

    @property
    def is_completed(self) -> bool:
        """Whether the lesson is complete."""
        return self.status is ProgressStatus.COMPLETED


COLUMNS = tuple(field.name for field in fields(ProgressRow))


@dataclass(frozen=True)
class Heartbeat:
    """What a player reports. Its duration is a hint: the course file's wins."""

    position_seconds: int
    duration_seconds: int | None = None
    is_completed: bool = False
    age_seconds: int = 0  # how long ago it was, for a report that could not be sent at once


class ProgressAnswer(TypedDict):
    """How far a learner is in a lesson, as the API says it."""

    status: str
    playback_position_seconds: int
    video_duration_seconds: int | None
    percent_complete: int
    last_viewed_at: str | None
    completed_at: str | None
    updated_at: str | None


def advance(row: ProgressRow, heartbeat: Heartbeat, *, duration: int | None, threshold: int, now: datetime) -> None:
    """Apply a heartbeat: the position follows it, percent never falls, and a completed lesson stays completed."""
    at = now - timedelta(seconds=heartbeat.age_seconds)
    length = duration or heartbeat.duration_seconds or row.duration_seconds
    position = min(heartbeat.position_seconds, length + OVERSHOOT) if length else heartbeat.position_seconds
    # What lies in the future was written by a clock that ran ahead and was put right since.
    is_newest = row.positioned_at is None or row.positioned_at <= at or row.positioned_at > now + SLACK
    if is_newest and position >= min(row.position_seconds, OPENING):
        row.position_seconds, row.positioned_at = position, at
    row.duration_seconds = length
    row.last_viewed_at = _later(row.last_viewed_at, at, now)
    row.updated_at = now
    percent = position * 100 // length if length else 0
    if percent < threshold:
        row.percent = max(row.percent, percent)
        # A player that has not begun reports 0, which does not count as going back before the threshold.
        row.auto_complete = row.auto_complete or (is_newest and position > 0)
    # A learner may mark the lesson as not complete at the end of the video: staying there does not undo that.
    if heartbeat.is_completed or (percent >= threshold and row.auto_complete):
        complete(row, now=now)


def view(row: ProgressRow, *, now: datetime) -> None:
    """The lesson was opened."""
    row.last_viewed_at = _later(row.last_viewed_at, now, now)


def _later(known: datetime, at: datetime, now: datetime) -> datetime:
    return at if known > now + SLACK else max(known, at)


def complete(row: ProgressRow, *, now: datetime) -> None:
    """Complete, by hand or by having watched enough."""
    if not row.is_completed:
        row.status, row.completed_at = ProgressStatus.COMPLETED, now
    row.percent, row.auto_complete, row.updated_at = 100, True, now


def mark_incomplete(row: ProgressRow, *, threshold: int, now: datetime) -> None:
    """The only way out of completed: to just below the threshold."""
    if row.is_completed:
        row.status, row.completed_at = ProgressStatus.IN_PROGRESS, None
        row.percent, row.auto_complete, row.updated_at = threshold - 1, False, now


def describe(row: ProgressRow) -> ProgressAnswer:
    """A row as the API says it; `statements.PROGRESS_JSON` is the same, made by the database."""
    return {
        "status": row.status.value,
        "playback_position_seconds": row.position_seconds,
        "video_duration_seconds": row.duration_seconds,
        "percent_complete": row.percent,
        "last_viewed_at": timestamp(row.last_viewed_at),
        "completed_at": timestamp(row.completed_at),
        "updated_at": timestamp(row.updated_at),
    }
