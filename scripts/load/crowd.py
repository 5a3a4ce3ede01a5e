"""A school with a crowd: twenty thousand learners, each signed in on the web and on the phone, in one long course."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dynamic_api.mobile_v1.tokens import ALL
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog import CatalogSource
from dynamic_api.core.clock import utc_now
from dynamic_api.core.database import Database
from dynamic_api.core.models import AccessToken, Entitlement, Lesson, Progress, User, WebSession
from dynamic_api.core.tokens import hash_token
from dynamic_api.migrations import upgrade
from sitegen.catalog.load import load_catalog
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from sitegen.catalog.model import Lesson as LessonFile

LEARNERS = 20_000
AT_HOME = 1_000  # of them, who have been in every lesson
LESSONS = 50
COURSE = "sourdough"
CHUNK = 500


@dataclass(frozen=True)
class Crowd:
    """What a client must know: a session and a token for each learner, and the lessons' addresses."""

    sessions: list[str]
    tokens: list[str]
    lessons: list[str]


async def gather(url: str, course_data: Path, manifest: Path) -> Crowd:
    """Make the school at an empty database, and the manifest beside it."""
    await upgrade(url)
    write_manifest(compile_manifest(_with_lessons(load_catalog(course_data))), manifest)
    database = Database(url)
    try:
        source = CatalogSource(manifest, database, utc_now)
        await source.refresh()
        course = source.current.course(COURSE)
        sessions = [secrets.token_urlsafe(32) for _ in range(LEARNERS)]
        tokens = [f"cwm_{secrets.token_urlsafe(32)}" for _ in range(LEARNERS)]
        for start in range(0, LEARNERS, CHUNK):
            people = range(start + 1, start + CHUNK + 1)
            async with database.transaction() as db:
                await _add(db, people, course.id, sessions, tokens)
        async with database.engine.connect() as connection:
            if database.is_sqlite:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return Crowd(sessions, tokens, [lesson.file.slug for lesson in course.lessons])
    finally:
        await database.close()


def _with_lessons(catalog: Catalog) -> Catalog:
    """The sample course, made fifty lessons long."""
    course = next(course for course in catalog.courses if course.slug == COURSE)
    sample = next(lesson for lesson in course.lessons if lesson.video)
    lessons = tuple(_numbered(sample, number) for number in range(LESSONS))
    module = course.modules[0].model_copy(update={"lessons": lessons})
    long = course.model_copy(update={"modules": (module,)})
    return catalog.model_copy(update={"courses": (long,)})


def _numbered(sample: LessonFile, number: int) -> LessonFile:
    name, notes = f"lesson-{number}", (sample.notes_markdown or "")[:200]
    return sample.model_copy(
        update={"id": name, "slug": name, "video": f"{number:032x}", "resources": (), "notes_markdown": notes}
    )


async def _add(db: AsyncSession, people: range, course_id: int, sessions: list[str], tokens: list[str]) -> None:
    now = utc_now()
    later = now + timedelta(days=30)
    lessons = list(await db.scalars(select(Lesson.id).where(Lesson.archived_at.is_(None))))
    rows: dict[Any, list[dict[str, Any]]] = {User: [], WebSession: [], AccessToken: [], Entitlement: [], Progress: []}
    for person in people:
        email = f"learner{person}@example.com"
        rows[User].append(
            {"id": person, "email": email, "email_key": email, "name": "L", "created_at": now, "updated_at": now}
        )
        rows[WebSession].append(
            {"token_hash": hash_token(sessions[person - 1]), "user_id": person, "user_agent": "", "created_at": now,
             "last_seen_at": now, "expires_at": later}
        )  # fmt: skip
        rows[AccessToken].append(
            {"token_hash": hash_token(tokens[person - 1]), "user_id": person, "device_name": "phone",
             "abilities": ALL, "created_at": now, "last_used_at": now, "expires_at": later}
        )  # fmt: skip
        rows[Entitlement].append({"user_id": person, "course_id": course_id, "source": "load", "granted_at": now})
        rows[Progress] += [
            {"user_id": person, "lesson_id": lesson, "status": "in_progress", "position_seconds": 30,
             "duration_seconds": 400, "percent": 7, "auto_complete": True, "opened_at": now, "beaten_at": now,
             "last_viewed_at": now, "updated_at": now}
            for lesson in (lessons if person <= AT_HOME else [])
        ]  # fmt: skip
    for table, values in rows.items():
        if values:
            await db.execute(insert(table), values)
