"""Which courses a learner has, and where they left off."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog import LiveCatalog, LiveCourse, LiveLesson
from dynamic_api.entitlements import courses_of
from dynamic_api.fast_lane.progress_store import ProgressRow
from dynamic_api.learning.progress import progress_of
from dynamic_api.models import CourseCompletion


@dataclass(frozen=True)
class OwnedCourse:
    """A course on the shelf, with what was done in it."""

    course: LiveCourse
    progress: dict[int, ProgressRow]
    completed_at: datetime | None = None

    @property
    def started(self) -> bool:
        """Whether any lesson was ever opened."""
        return any(lesson.id in self.progress for lesson in self.course.lessons)

    @property
    def new_lessons(self) -> list[LiveLesson]:
        """What was added since the learner last watched here, and not yet opened."""
        seen = [self.progress[lesson.id].last_viewed_at for lesson in self.course.lessons if lesson.id in self.progress]
        if not seen:
            return []
        return [
            lesson for lesson in self.course.lessons if lesson.id not in self.progress and lesson.added_at > max(seen)
        ]

    @property
    def position(self) -> int:
        """Where to go on in the next lesson, in seconds."""
        row = self.progress.get(self.next_lesson.id) if self.next_lesson else None
        return row.position_seconds if row and row.status != "completed" else 0

    @property
    def next_lesson(self) -> LiveLesson | None:
        """The lesson to go on with: the newest that was begun, else the first that is not complete."""
        lessons = self.course.lessons
        begun = [lesson for lesson in lessons if self._status(lesson) == "in_progress"]
        if begun:
            return max(begun, key=lambda lesson: self.progress[lesson.id].last_viewed_at)
        fresh = next((lesson for lesson in lessons if self._status(lesson) is None), None)
        return fresh or next(iter(lessons), None)

    def _status(self, lesson: LiveLesson) -> str | None:
        row = self.progress.get(lesson.id)
        return row.status if row else None


async def library_of(db: AsyncSession, catalog: LiveCatalog, user_id: int) -> list[OwnedCourse]:
    """Every published course this learner may watch, by title. Three queries, however many courses."""
    owned = await courses_of(db, user_id)
    courses = sorted(
        (course for course in catalog.courses if course.id in owned), key=lambda course: course.file.title.casefold()
    )
    rows = await progress_of(db, user_id, [lesson for course in courses for lesson in course.lessons])
    done = select(CourseCompletion.course_id, CourseCompletion.completed_at).where(CourseCompletion.user_id == user_id)
    completed = {row.course_id: row.completed_at for row in await db.execute(done)}
    return [OwnedCourse(course, rows, completed.get(course.id)) for course in courses]
