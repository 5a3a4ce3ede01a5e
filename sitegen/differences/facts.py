"""What two states of a catalogue are compared by. Nothing here is private: a site carries its own facts along."""

import hashlib
from typing import Literal

from sitegen.catalog.model import Catalog, Compiled, Course, Lesson, Price, Redirect


class LessonFacts(Compiled):
    """One published lesson. `content` is a digest of its text, video and captions; empty where it is not to be told."""

    id: str
    slug: str
    title: str
    module: str
    is_free: bool
    duration: int | None
    content: str = ""


class CourseFacts(Compiled):
    """One course; `price` None means free. `description` is a digest of its sales page's text."""

    id: str
    slug: str
    title: str
    status: Literal["draft", "published", "retired"]
    price: Price | None
    description: str
    lessons: tuple[LessonFacts, ...]


class SchoolFacts(Compiled):
    """All courses, and where old addresses lead."""

    courses: tuple[CourseFacts, ...]
    redirects: tuple[Redirect, ...] = ()


def facts_of(catalog: Catalog) -> SchoolFacts:
    """Of everything, drafts included."""
    return SchoolFacts(courses=tuple(_course(each) for each in catalog.courses), redirects=catalog.redirects)


def public_facts(catalog: Catalog) -> SchoolFacts:
    """What visitors can see as well, and no digests of paid texts."""
    facts = facts_of(catalog)
    shown = tuple(
        course.model_copy(update={"lessons": tuple(each.model_copy(update={"content": ""}) for each in course.lessons)})
        for course in facts.courses
        if course.status != "draft"
    )
    return facts.model_copy(update={"courses": shown})


def _course(course: Course) -> CourseFacts:
    return CourseFacts(
        id=course.id,
        slug=course.slug,
        title=course.title,
        status=course.status,
        price=course.price,
        description=_digest(course.description_html, course.summary),
        lessons=tuple(
            _lesson(lesson, module.title) for module in course.modules for lesson in module.lessons if lesson.published
        ),
    )


def _lesson(lesson: Lesson, module: str) -> LessonFacts:
    return LessonFacts(
        id=lesson.id,
        slug=lesson.slug,
        title=lesson.title,
        module=module,
        is_free=lesson.preview,
        duration=lesson.duration,
        content=_digest(
            lesson.notes_html or "",
            lesson.video or lesson.hls or "",
            *(each.vtt for each in lesson.captions),
            repr(lesson.resources),
        ),
    )


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
