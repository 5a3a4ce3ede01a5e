"""A course as phones get it, made once as JSON with a gap for each lesson's progress, and filled for each learner."""

import orjson

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.mobile_v1.answers import course_detail

_GAP = b'"progress":null'


class CourseTemplate:
    """The pieces of one course's JSON: what stands before each lesson's progress, and what comes last."""

    def __init__(self, course: CatalogCourse, site_url: str) -> None:
        whole = orjson.dumps({"course": course_detail(course, site_url)})
        # A text cannot contain the gap: orjson escapes its quotation marks.
        *before, self._tail = whole.split(_GAP)
        ids = [str(lesson.id).encode() for lesson in course.lessons]
        self._pieces = [(piece + b'"progress":', lesson_id) for piece, lesson_id in zip(before, ids, strict=True)]

    def filled(self, progress: str | None) -> bytes:
        """With somebody's progress: lines of `lesson id:JSON`, see `progress.statements`."""
        rows: dict[bytes, bytes] = {}
        for line in (progress or "").encode().splitlines():
            lesson_id, _, row = line.partition(b":")
            rows[lesson_id] = row
        parts: list[bytes] = []
        for piece, lesson_id in self._pieces:
            parts += (piece, rows.get(lesson_id, b"null"))
        return b"".join((*parts, self._tail))


def course_template(course: CatalogCourse, site_url: str) -> CourseTemplate:
    """The template of a course, made at the first request for it."""
    template = course.cache.get("phone")
    if not isinstance(template, CourseTemplate):
        template = course.cache["phone"] = CourseTemplate(course, site_url)
    return template
