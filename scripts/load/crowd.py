"""A school with a crowd: twenty thousand learners, each signed in in a browser and on a phone, in one long course.

Each is watching a lesson. Some of them have opened every lesson, and own all of the school's fifty courses.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.catalog.source import CatalogSource
from dynamic_api.core.clock import utc_now
from dynamic_api.core.database import Database
from dynamic_api.core.models import AccessToken, Base, CourseProgress, Entitlement, Progress, User, WebSession
from dynamic_api.core.tokens import hash_token
from dynamic_api.migrations import upgrade
from dynamic_api.web.phone_tokens import ALL
from sitegen.catalog.load import load_catalog
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog, Course, Lesson

LEARNERS = 20_000
REGULARS = 1_000  # of them, who have opened every lesson and own every course
COURSES = 50
LESSONS = 50  # of the first course
OTHER_LESSONS = 5  # of every other
COURSE = "sourdough"
CHUNK = 250

Rows = dict[type[Base], list[dict[str, Any]]]  # Any: a table's values


@dataclass(frozen=True)
class Crowd:
    """What a client must know: a session and a token for each learner, and the first course's lessons."""

    sessions: list[str]
    tokens: list[str]
    lessons: list[str]


async def gather(url: str, course_data: Path, manifest: Path) -> Crowd:
    """Make the school in an empty database, and write its manifest."""
    await upgrade(url)
    write_manifest(compile_manifest(_enlarged(load_catalog(course_data))), manifest)
    database = Database(url)
    try:
        source = CatalogSource(manifest, database, utc_now)
        await source.refresh()
        courses = source.current.courses
        sessions = [secrets.token_urlsafe(32) for _ in range(LEARNERS)]
        tokens = [f"cwm_{secrets.token_urlsafe(32)}" for _ in range(LEARNERS)]
        for start in range(0, LEARNERS, CHUNK):
            async with database.transaction() as db:
                await _add(db, range(start + 1, start + CHUNK + 1), courses, sessions, tokens)
        async with database.engine.connect() as connection:
            if database.is_sqlite:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        lessons = [lesson.definition.slug for lesson in source.current.course(COURSE).lessons]
        return Crowd(sessions, tokens, lessons)
    finally:
        await database.close()


def lesson_watched_by(number: int) -> int:
    """The place in the first course of the lesson that a learner is watching."""
    return number * 7 % LESSONS


def _enlarged(catalog: Catalog) -> Catalog:
    """The sample course with fifty lessons, and forty-nine short copies of it."""
    course = next(course for course in catalog.courses if course.slug == COURSE)
    copies = (_with_lessons(course, f"copy-{number}", OTHER_LESSONS) for number in range(1, COURSES))
    return catalog.model_copy(update={"courses": (_with_lessons(course, COURSE, LESSONS), *copies)})


def _with_lessons(course: Course, slug: str, count: int) -> Course:
    sample = next(lesson for lesson in course.lessons if lesson.video)
    lessons = tuple(_numbered(sample, slug, number) for number in range(count))
    module = course.modules[0].model_copy(update={"id": f"{slug}-module", "lessons": lessons, "resources": ()})
    return course.model_copy(update={"id": slug, "slug": slug, "modules": (module,), "resources": ()})


def _numbered(sample: Lesson, course: str, number: int) -> Lesson:
    name, notes = f"lesson-{number}", (sample.notes_markdown or "")[:200]
    changes = {"id": f"{course}-{name}", "slug": name, "video": secrets.token_hex(16), "resources": ()}
    return sample.model_copy(update={**changes, "notes_markdown": notes})


async def _add(
    db: AsyncSession, people: range, courses: tuple[CatalogCourse, ...], sessions: list[str], tokens: list[str]
) -> None:
    now, long_course = utc_now(), next(course for course in courses if course.definition.slug == COURSE)
    rows: Rows = {table: [] for table in (User, WebSession, AccessToken, Entitlement, Progress, CourseProgress)}
    for person in people:
        _add_person(rows, person, sessions[person - 1], tokens[person - 1], now)
        for course in courses if person <= REGULARS else (long_course,):
            rows[Entitlement].append(
                {"user_id": person, "course_id": course.id, "source": "load", "granted_at": now}
            )  # fmt: skip
            watched = course.lessons[lesson_watched_by(person - 1) if course is long_course else 0]
            opened = course.lessons if course is long_course and person <= REGULARS else (watched,)
            rows[Progress] += [_progress(person, lesson.id, now) for lesson in opened]
            rows[CourseProgress].append(
                {"user_id": person, "course_id": course.id, "last_lesson_id": watched.id, "completed_lessons": 0,
                 "lessons_version": course.lessons_version}
            )  # fmt: skip
    for table, values in rows.items():
        if values:
            await db.execute(insert(table), values)


def _add_person(rows: Rows, person: int, session: str, token: str, now: datetime) -> None:
    email, later = f"learner{person}@example.com", now + timedelta(days=30)
    rows[User].append(
        {"id": person, "email_spelling": email, "email_key": email, "name": "L", "created_at": now, "updated_at": now}
    )
    rows[WebSession].append(
        {"token_hash": hash_token(session), "user_id": person, "user_agent": "", "created_at": now,
         "last_seen_at": now, "expires_at": later}
    )  # fmt: skip
    rows[AccessToken].append(
        {"token_hash": hash_token(token), "user_id": person, "device_name": "phone", "abilities": ALL,
         "created_at": now, "last_used_at": now, "expires_at": later}
    )  # fmt: skip


def _progress(person: int, lesson_id: int, now: datetime) -> dict[str, object]:
    return {
        "user_id": person, "lesson_id": lesson_id, "status": "in_progress", "position_seconds": 70,
        "duration_seconds": 400, "percent": 17, "auto_complete": True, "positioned_at": now, "last_viewed_at": now,
        "updated_at": now,
    }  # fmt: skip
