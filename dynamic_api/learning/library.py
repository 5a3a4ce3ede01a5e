"""Which courses a learner has, how far they are, and where they left off.

One statement reads a row for each course. A course's single lessons are read only where that row cannot say what to
show: the course's lessons changed, the lesson viewed last is complete, or lessons were added since.
"""

from typing import NamedTuple

from sqlalchemy import String, bindparam, select, type_coerce
from typing_extensions import TypedDict

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson
from dynamic_api.core.clock import timestamp
from dynamic_api.core.models import CourseProgress, Entitlement, Lesson, Progress
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import timestamp_text
from dynamic_api.core.states import ProgressStatus
from dynamic_api.service import Service


class CourseProgressAnswer(TypedDict):
    """A course's progress: the share of its lessons that are completed, rounded down."""

    total_lessons: int
    completed_lessons: int
    percent_complete: int
    last_viewed_at: str | None


class _Course(NamedTuple):
    course_id: int
    last_lesson_id: int | None
    completed_lessons: int | None
    lessons_version: int | None
    completed_at: str | None
    status: str | None
    position_seconds: int | None
    last_viewed_at: str | None


class _Lesson(NamedTuple):
    course_id: int
    lesson_id: int
    status: str
    position_seconds: int
    last_viewed_at: str


_OWNED = (
    select(Entitlement.course_id)
    .where(Entitlement.user_id == bindparam("user_id"), Entitlement.revoked_at.is_(None))
    .distinct()
    .subquery()
)
_LIBRARY = Query(
    select(
        _OWNED.c.course_id,
        CourseProgress.last_lesson_id,
        CourseProgress.completed_lessons,
        CourseProgress.lessons_version,
        timestamp_text(CourseProgress.completed_at).label("completed_at"),
        type_coerce(Progress.status, String).label("status"),
        Progress.position_seconds,
        timestamp_text(Progress.last_viewed_at).label("last_viewed_at"),
    )
    .select_from(_OWNED)
    .outerjoin(
        CourseProgress,
        (CourseProgress.user_id == bindparam("user_id")) & (CourseProgress.course_id == _OWNED.c.course_id),
    )
    .outerjoin(
        Progress, (Progress.user_id == bindparam("user_id")) & (Progress.lesson_id == CourseProgress.last_lesson_id)
    ),
    _Course,
)
_LESSONS = Query(
    select(
        Lesson.course_id,
        Progress.lesson_id,
        type_coerce(Progress.status, String).label("status"),
        Progress.position_seconds,
        timestamp_text(Progress.last_viewed_at).label("last_viewed_at"),
    )
    .join(Lesson, Lesson.id == Progress.lesson_id)
    .where(Progress.user_id == bindparam("user_id")),
    _Lesson,
)


class OwnedCourse(NamedTuple):
    """A course in somebody's library. `next_lesson` is where to carry on, `position` in it in seconds."""

    course: CatalogCourse
    is_started: bool
    completed_lessons: int
    last_viewed_at: str | None
    completed_at: str | None
    next_lesson: CatalogLesson | None
    position: int
    new_lessons: tuple[CatalogLesson, ...] = ()

    @property
    def progress(self) -> CourseProgressAnswer:
        """As the API says it."""
        total = len(self.course.lessons)
        return {
            "total_lessons": total,
            "completed_lessons": self.completed_lessons,
            "percent_complete": self.completed_lessons * 100 // total if total else 0,
            "last_viewed_at": self.last_viewed_at,
        }


async def library_of(service: Service, user_id: int) -> list[OwnedCourse]:
    """Every published course this learner may watch, by title. Two statements at most, however many courses."""
    catalog = service.catalog.current
    rows = {row.course_id: row for row in await service.reader.all(_LIBRARY, user_id=user_id)}
    courses = [course for course in catalog.by_title if course.id in rows]
    owned = [_from_course(course, rows[course.id]) for course in courses]
    if None not in owned:
        return [each for each in owned if each is not None]
    lessons: dict[int, list[_Lesson]] = {}
    for lesson in await service.reader.all(_LESSONS, user_id=user_id):
        lessons.setdefault(lesson.course_id, []).append(lesson)
    return [
        known or _from_lessons(course, rows[course.id], lessons) for known, course in zip(owned, courses, strict=True)
    ]


def _from_course(course: CatalogCourse, row: _Course) -> OwnedCourse | None:
    """From a course's row alone; None where it does not say everything that the library shows."""
    if row.last_lesson_id is None:
        if row.completed_lessons is not None:
            return None
        return OwnedCourse(course, False, 0, None, None, next(iter(course.lessons), None), 0)
    last, newest = course.lesson_by_id(row.last_lesson_id), course.newest_lesson_added_at
    if (
        last is None
        or row.lessons_version != course.lessons_version
        or row.status != ProgressStatus.IN_PROGRESS
        or (newest is not None and row.last_viewed_at is not None and newest > row.last_viewed_at)
    ):
        return None
    completed, position = row.completed_lessons or 0, row.position_seconds or 0
    return OwnedCourse(course, True, completed, row.last_viewed_at, row.completed_at, last, position)


def _from_lessons(course: CatalogCourse, row: _Course, lessons: dict[int, list[_Lesson]]) -> OwnedCourse:
    """From its single lessons."""
    seen = {each.lesson_id: each for each in lessons.get(course.id, ()) if course.lesson_by_id(each.lesson_id)}
    last_viewed_at = max((each.last_viewed_at for each in seen.values()), default=None)
    next_lesson = _next_lesson(course, seen)
    at = seen.get(next_lesson.id) if next_lesson else None
    return OwnedCourse(
        course,
        is_started=bool(seen),
        completed_lessons=sum(each.status == ProgressStatus.COMPLETED for each in seen.values()),
        last_viewed_at=last_viewed_at,
        completed_at=row.completed_at,
        next_lesson=next_lesson,
        position=at.position_seconds if at and at.status == ProgressStatus.IN_PROGRESS else 0,
        new_lessons=tuple(
            lesson
            for lesson in course.lessons
            if last_viewed_at is not None and lesson.id not in seen and timestamp(lesson.added_at) > last_viewed_at
        ),
    )


def _next_lesson(course: CatalogCourse, seen: dict[int, _Lesson]) -> CatalogLesson | None:
    """The lesson in progress that was viewed last, else the first that was never opened, else the first."""
    begun = [each for each in seen.values() if each.status == ProgressStatus.IN_PROGRESS]
    if begun:
        return course.lesson_by_id(max(begun, key=lambda each: each.last_viewed_at).lesson_id)
    fresh = next((lesson for lesson in course.lessons if lesson.id not in seen), None)
    return fresh or next(iter(course.lessons), None)
