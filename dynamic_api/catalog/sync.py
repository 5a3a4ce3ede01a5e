"""Gives an integer id to everything the course files name, and keeps it for ever."""

import hashlib
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson, CatalogModule, CatalogResource, CourseCatalog
from dynamic_api.core import models
from dynamic_api.core.audit import SYSTEM, Action, record
from sitegen.catalog import model
from sitegen.catalog.manifest import Manifest

Row = TypeVar("Row", bound=models.CatalogRow)


async def sync_catalog(db: AsyncSession, manifest: Manifest, *, at: datetime) -> CourseCatalog:
    """Give an id to everything new, keep those of everything known, archive what the files no longer name."""
    sync = _Sync(db, at)
    await sync.load()
    state = await db.get(models.CatalogState, 1)
    courses = [await sync.course(course) for course in manifest.catalog.courses]
    sync.archive_the_rest()
    if state is None:
        state = models.CatalogState(id=1, version="", synced_at=at)
        db.add(state)
    if state.version != manifest.version:
        state.version, state.synced_at = manifest.version, at
        record(db, Action.CATALOG_SYNCED, at=at, actor=SYSTEM, version=manifest.version)
    published = tuple(course for course in courses if course.definition.published)
    return CourseCatalog(manifest.version, manifest.catalog.site, published)


class _Sync:
    def __init__(self, db: AsyncSession, at: datetime) -> None:
        self.db = db
        self.at = at
        self.seen: set[tuple[type[models.CatalogRow], str]] = set()
        self.rows: dict[tuple[type[models.CatalogRow], str], models.CatalogRow] = {}
        self.open_lessons: dict[int, set[int]] = {}  # before this synchronisation, by course

    async def load(self) -> None:
        for table in (models.Course, models.Module, models.Lesson, models.Resource):
            for row in await self.db.scalars(select(table)):
                self.rows[type(row), row.key] = row
                if isinstance(row, models.Lesson) and row.published and row.archived_at is None:
                    self.open_lessons.setdefault(row.course_id, set()).add(row.id)

    async def row(self, table: type[Row], definition: model.Compiled, key: str, **values: object) -> Row:
        """The row of this key, brought up to date; `updated_at` moves only when the content changed."""
        digest = hashlib.sha256(definition.model_dump_json().encode()).hexdigest()
        known = self.rows.get((table, key))
        self.seen.add((table, key))
        if known is None:
            if table is models.Lesson:
                values["added_at"] = self.at
            row = table(key=key, digest=digest, updated_at=self.at, **values)
            self.db.add(row)
            await self.db.flush()
            return row
        if not isinstance(known, table):
            raise TypeError(key)
        row = known
        if known.digest != digest:
            known.digest, known.updated_at = digest, self.at
        if isinstance(known, models.Lesson) and values["published"] and not known.published:
            values["added_at"] = self.at  # publishing a draft lets learners see the lesson as new
        for name, value in {**values, "archived_at": None}.items():
            if getattr(known, name) != value:
                setattr(known, name, value)
        return row

    def archive_the_rest(self) -> None:
        for name, row in self.rows.items():
            if name not in self.seen and row.archived_at is None:
                row.archived_at = self.at

    async def course(self, definition: model.Course) -> CatalogCourse:
        row = await self.row(
            models.Course,
            definition,
            definition.id,
            slug=definition.slug,
            title=definition.title,
            published=definition.published,
            partial_refund_keeps_access=definition.partial_refund_keeps_access,
        )
        resources = [await self.resource(resource, row.id) for resource in definition.resources]
        modules = [await self.module(module, row.id) for module in definition.modules]
        course = CatalogCourse(
            row.id,
            row.updated_at,
            self.lessons_version(row, modules),
            definition,
            tuple(module for module in modules if module.lessons),
            tuple(resources),
        )
        return course

    def lessons_version(self, row: models.Course, modules: list[CatalogModule]) -> int:
        """Another version when the set of open lessons changed: what was counted of it is counted anew."""
        now_open = {lesson.id for module in modules for lesson in module.lessons}
        if now_open != self.open_lessons.get(row.id, set()):
            row.lessons_version += 1
        return row.lessons_version

    async def module(self, definition: model.Module, course_id: int) -> CatalogModule:
        row = await self.row(models.Module, definition, definition.id, course_id=course_id)
        resources = tuple([await self.resource(resource, course_id) for resource in definition.resources])
        lessons = []
        for each in definition.lessons:
            lesson = await self.row(
                models.Lesson,
                each,
                each.id,
                course_id=course_id,
                slug=each.slug,
                title=each.title,
                published=each.published,
            )
            own = tuple([await self.resource(resource, course_id) for resource in each.resources])
            if each.published:
                lessons.append(CatalogLesson(lesson.id, lesson.updated_at, lesson.added_at, each, own, resources))
        return CatalogModule(row.id, row.updated_at, definition, tuple(lessons))

    async def resource(self, definition: model.Resource, course_id: int) -> CatalogResource:
        row = await self.row(models.Resource, definition, definition.id, course_id=course_id)
        return CatalogResource(row.id, course_id, row.updated_at, definition)
