"""The catalogue as the lane looks things up in it: by address, and with what is the same for everybody made once."""

from dataclasses import dataclass
from typing import Any

import orjson

from dynamic_api.catalog import LiveCatalog, LiveCourse, LiveLesson
from dynamic_api.mobile_v1 import shapes


@dataclass(frozen=True)
class Frame:
    """A course as phones get it, as JSON with a gap for each lesson's progress; and between which ids it lies."""

    pieces: tuple[tuple[bytes, int], ...]
    tail: bytes
    first: int
    last: int

    @classmethod
    def of(cls, course: LiveCourse, site_url: str) -> "Frame":
        """Cut where the progress of each lesson stands."""
        gap = "\0"
        marked = {lesson.id: gap for lesson in course.lessons}
        whole = orjson.dumps({"course": shapes.with_progress(shapes.course_detail(course, {}, site_url), marked)})
        *heads, tail = whole.split(b'"\\u0000"')
        ids = [lesson.id for lesson in course.lessons]
        return cls(tuple(zip(heads, ids, strict=True)), tail, min(ids, default=0), max(ids, default=0))

    def filled(self, rows: dict[int, bytes]) -> bytes:
        """With somebody's progress."""
        parts = [part for head, lesson_id in self.pieces for part in (head, rows.get(lesson_id, b"null"))]
        return b"".join([*parts, self.tail])


class Directory:
    """One version of the catalogue, by address."""

    def __init__(self, catalog: LiveCatalog, site_url: str) -> None:
        self.catalog = catalog
        self._site_url = site_url
        self._courses = {course.file.slug: course for course in catalog.courses}
        self._lessons = {
            (course.file.slug, lesson.file.slug): (course, lesson)
            for course in catalog.courses
            for lesson in course.lessons
        }
        self._frames: dict[str, Frame] = {}
        self._opened: dict[int, dict[str, Any]] = {}

    def course(self, slug: str) -> LiveCourse | None:
        """A published course."""
        return self._courses.get(slug)

    def lesson(self, slug: str, lesson: str) -> tuple[LiveCourse, LiveLesson] | None:
        """A published lesson."""
        return self._lessons.get((slug, lesson))

    def opened(self, course: LiveCourse, lesson: LiveLesson) -> dict[str, Any]:
        """A lesson as phones get it when they open it; made once for each."""
        known = self._opened.get(lesson.id)
        if known is None:
            known = self._opened[lesson.id] = shapes.opened_lesson(course, lesson)
        return known

    def frame(self, course: LiveCourse) -> Frame:
        """Made once for each course."""
        known = self._frames.get(course.file.slug)
        if known is None:
            known = Frame.of(course, self._site_url)
            self._frames[course.file.slug] = known
        return known
