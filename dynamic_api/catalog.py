"""The course in memory, and the integer ids that outlive renames in the database."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import models
from dynamic_api.audit import Action, record
from dynamic_api.clock import Clock
from dynamic_api.database import Database
from dynamic_api.errors import CourseNotFound, LessonNotFound, ResourceNotFound
from dynamic_api.fast_lane.statements import completions_without_the_archived
from sitegen.catalog import model
from sitegen.catalog.manifest import Manifest, read_manifest

Row = TypeVar("Row", bound=models.CatalogRow)


@dataclass(frozen=True)
class LiveResource:
    """A published file, with its id."""

    id: int
    course_id: int
    updated_at: datetime
    file: model.Resource


@dataclass(frozen=True)
class LiveLesson:
    """A published lesson, with its id."""

    id: int
    updated_at: datetime
    added_at: datetime
    file: model.Lesson
    resources: tuple[LiveResource, ...]
    module_resources: tuple[LiveResource, ...]


@dataclass(frozen=True)
class LiveModule:
    """A module that has published lessons, with its id."""

    id: int
    updated_at: datetime
    file: model.Module
    lessons: tuple[LiveLesson, ...]


@dataclass(frozen=True)
class LiveCourse:
    """A published course, with its id."""

    id: int
    updated_at: datetime
    file: model.Course
    modules: tuple[LiveModule, ...]
    resources: tuple[LiveResource, ...]

    @property
    def lessons(self) -> tuple[LiveLesson, ...]:
        """Published lessons in the order they are taught."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    def resources_of(self, lesson: LiveLesson) -> tuple[LiveResource, ...]:
        """What a lesson's page offers: the course's files, then the module's, then its own."""
        return (*self.resources, *lesson.module_resources, *lesson.resources)

    def lesson(self, slug: str) -> LiveLesson:
        """Raises LessonNotFound."""
        for lesson in self.lessons:
            if lesson.file.slug == slug:
                return lesson
        raise LessonNotFound


@dataclass(frozen=True)
class LiveCatalog:
    """One version of the catalogue, as the service answers from it."""

    version: str
    site: model.Site
    courses: tuple[LiveCourse, ...]

    def course(self, slug: str) -> LiveCourse:
        """A published course. Raises CourseNotFound."""
        for course in self.courses:
            if course.file.slug == slug:
                return course
        raise CourseNotFound

    def course_by_id(self, course_id: int) -> LiveCourse | None:
        """A published course, or None."""
        return next((course for course in self.courses if course.id == course_id), None)

    def title_of(self, course_id: int) -> str:
        """A course's title, for people who bought it, whether or not it is still published."""
        course = self.course_by_id(course_id)
        return course.file.title if course else "Your course"

    def resource(self, resource_id: int) -> LiveResource:
        """A published file. Raises ResourceNotFound."""
        for course in self.courses:
            for resource in _resources(course):
                if resource.id == resource_id:
                    return resource
        raise ResourceNotFound


def _resources(course: LiveCourse) -> Iterable[LiveResource]:
    yield from course.resources
    for lesson in course.lessons:
        yield from lesson.resources
        yield from lesson.module_resources


class CatalogSource:
    """Keeps the catalogue in memory in step with the manifest file."""

    def __init__(self, manifest: Path, database: Database, clock: Clock) -> None:
        self._path = manifest
        self._database = database
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._current: LiveCatalog | None = None

    @property
    def current(self) -> LiveCatalog:
        """The newest version that was read."""
        if self._current is None:
            raise RuntimeError("the catalogue was not loaded; call refresh() first")
        return self._current

    async def refresh(self) -> bool:
        """Read the manifest if the file changed, and bring the database in step. True when there is a new version."""
        stat = self._path.stat() if self._path.exists() else None
        stamp = (stat.st_mtime_ns, stat.st_ino) if stat else None
        if self._current is not None and stamp == self._stamp:
            return False
        manifest = read_manifest(self._path)
        if self._current is not None and manifest.version == self._current.version:
            self._stamp = stamp
            return False
        async with self._database.transaction() as db:
            if not self._database.is_sqlite:
                await db.execute(text("SELECT pg_advisory_xact_lock(728)"))  # one process at a time gives out ids
            current = await sync_catalog(db, manifest, at=self._clock())
        self._current, self._stamp = current, stamp  # only now: what failed is tried again
        return True


async def sync_catalog(db: AsyncSession, manifest: Manifest, *, at: datetime) -> LiveCatalog:
    """Give an id to everything new, keep those of everything known, archive what the files no longer name."""
    sync = _Sync(db, at)
    await sync.load()
    state = await db.get(models.CatalogState, 1)
    courses = [await sync.course(course) for course in manifest.catalog.courses]
    if sync.archive_the_rest():
        await db.flush()
        await db.execute(completions_without_the_archived(db.get_bind().dialect.name), {"moment": at})
    if state is None:
        db.add(models.CatalogState(id=1, version=manifest.version, synced_at=at))
    elif state.version != manifest.version:
        state.version, state.synced_at = manifest.version, at
    if state is None or state.synced_at == at:
        record(db, Action.CATALOG_SYNCED, at=at, actor="system", version=manifest.version)
    published = tuple(course for course in courses if course.file.published)
    return LiveCatalog(manifest.version, manifest.catalog.site, published)


class _Sync:
    def __init__(self, db: AsyncSession, at: datetime) -> None:
        self.db = db
        self.at = at
        self.seen: set[tuple[type[models.CatalogRow], str]] = set()
        self.rows: dict[tuple[type[models.CatalogRow], str], models.CatalogRow] = {}

    async def load(self) -> None:
        for table in (models.Course, models.Module, models.Lesson, models.Resource):
            for row in await self.db.scalars(select(table)):
                self.rows[type(row), row.key] = row

    async def row(self, table: type[Row], file: model.Compiled, key: str, **values: object) -> Row:
        """The row of this key, brought in step; `updated_at` moves only when the content did."""
        digest = hashlib.sha256(file.model_dump_json().encode()).hexdigest()
        known = self.rows.get((table, key))
        self.seen.add((table, key))
        if known is None:
            row = table(key=key, digest=digest, updated_at=self.at, **values)
            if isinstance(row, models.Lesson):
                row.added_at = self.at
            self.db.add(row)
            await self.db.flush()
            return row
        if not isinstance(known, table):
            raise TypeError(key)
        if known.digest != digest:
            known.digest, known.updated_at = digest, self.at
        self._note_publication(known, values)
        for name, value in {**values, "archived_at": None}.items():
            if getattr(known, name) != value:
                setattr(known, name, value)
        return known

    def _note_publication(self, row: models.CatalogRow, values: Mapping[str, object]) -> None:
        """A draft is new on the day it is published."""
        if isinstance(row, models.Lesson) and values["published"] and not row.published:
            row.added_at = self.at

    def archive_the_rest(self) -> bool:
        """Whether there was a lesson among it."""
        gone = [row for name, row in self.rows.items() if name not in self.seen and row.archived_at is None]
        for row in gone:
            row.archived_at = self.at
        return any(isinstance(row, models.Lesson) for row in gone)

    async def course(self, file: model.Course) -> LiveCourse:
        row = await self.row(
            models.Course,
            file,
            file.id,
            slug=file.slug,
            title=file.title,
            published=file.published,
            partial_refund_keeps_access=file.partial_refund_keeps_access,
        )
        resources = [await self.resource(resource, row.id) for resource in file.resources]
        modules = [await self.module(module, row.id) for module in file.modules]
        return LiveCourse(
            row.id, row.updated_at, file, tuple(module for module in modules if module.lessons), tuple(resources)
        )

    async def module(self, file: model.Module, course_id: int) -> LiveModule:
        row = await self.row(models.Module, file, file.id, course_id=course_id)
        resources = tuple([await self.resource(resource, course_id) for resource in file.resources])
        lessons = []
        for each in file.lessons:
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
                lessons.append(LiveLesson(lesson.id, lesson.updated_at, lesson.added_at, each, own, resources))
        return LiveModule(row.id, row.updated_at, file, tuple(lessons))

    async def resource(self, file: model.Resource, course_id: int) -> LiveResource:
        row = await self.row(models.Resource, file, file.id, course_id=course_id)
        return LiveResource(row.id, course_id, row.updated_at, file)
