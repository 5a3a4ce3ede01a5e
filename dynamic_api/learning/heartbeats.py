"""What a player sends, on the web and on the phone, and what becomes of it."""

import orjson
from pydantic import BaseModel, ConfigDict, Field

from dynamic_api.catalog.courses import CatalogLesson
from dynamic_api.core.clock import timestamp
from dynamic_api.learning.access import AccessAndProgress, AccessAndStatuses, OpenedLesson
from dynamic_api.progress import rules
from dynamic_api.progress.group import LessonKey
from dynamic_api.progress.rules import Heartbeat, ProgressAnswer, ProgressRow, describe
from dynamic_api.service import Service


class HeartbeatBody(BaseModel):
    """A position, and as a hint the video's length. The phone may send `is_completed: null`."""

    model_config = ConfigDict(strict=True)

    position_seconds: int = Field(ge=0, le=10**6)
    duration_seconds: int | None = Field(default=None, ge=1, le=10**6)
    is_completed: bool | None = None
    age_seconds: int = Field(default=0, ge=0, le=30 * 24 * 3600)

    def heartbeat(self) -> Heartbeat:
        """As the rules take it."""
        return Heartbeat(self.position_seconds, self.duration_seconds, bool(self.is_completed), self.age_seconds)


async def record_heartbeat(
    service: Service, key: LessonKey, lesson: CatalogLesson, heartbeat: Heartbeat
) -> ProgressRow:
    """Apply a heartbeat, durably. The lesson need not have been opened first."""
    now, threshold = service.clock(), service.settings.completion_percent

    def advance(row: ProgressRow) -> None:
        rules.advance(row, heartbeat, duration=lesson.definition.duration, threshold=threshold, now=now)

    return await service.progress.apply(key, advance, now=now)


async def open_progress(
    service: Service, opened: OpenedLesson[AccessAndProgress] | OpenedLesson[AccessAndStatuses]
) -> ProgressAnswer:
    """The progress of a lesson that is being opened: begun, or viewed once more, which nobody waits for."""
    now = service.clock()
    if opened.found.progress is None:
        return describe(await service.progress.apply(opened.key, lambda row: rules.view(row, now=now), now=now))
    if opened.found.is_view_due:
        service.progress.note_view(opened.key, now)
    progress: ProgressAnswer = orjson.loads(opened.found.progress)
    progress["last_viewed_at"] = timestamp(now)
    return progress


async def mark_complete(service: Service, key: LessonKey, *, complete: bool) -> ProgressRow:
    """Complete by hand, or "not complete"."""
    now, threshold = service.clock(), service.settings.completion_percent

    def mark(row: ProgressRow) -> None:
        if complete:
            rules.complete(row, now=now)
        else:
            rules.mark_incomplete(row, threshold=threshold, now=now)

    return await service.progress.apply(key, mark, now=now)
