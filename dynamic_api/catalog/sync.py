"""Gives an integer id to everything the course files name, and keeps it for ever.

A course that was open once stays open to its owners: what a manifest lacks, or has as a draft, is kept in the form it
had last. Such a course is archived: nobody can buy it, and everything else stays as it is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson, CatalogModule, CatalogResource, CourseCatalog
from dynamic_api.core import models
from dynamic_api.core.audit import SYSTEM, Action, record
from sitegen.catalog import model
from sitegen.catalog.manifest import Manifest, ManifestForeign, ManifestOlder

Row = TypeVar("Row", bound=models.CatalogRow)


class _Part(NamedTuple):
    """A module, lesson or file of a course, and the columns its row gets."""

    table: type[models.CatalogRow]
    definition: model.Module | model.Lesson | model.Resource
    values: dict[str, object]


async def sync_catalog(
    db: AsyncSession, manifest: Manifest, *, at: datetime, allow_older: bool = False
) -> CourseCatalog:
    """Bring the tables in line with a manifest. Raises ManifestOlder, ManifestForeign; nothing is changed then."""
    await check_manifest(db, manifest, allow_older=allow_older)
    state = await db.get(models.CatalogState, 1)
    rows = await _Rows.load(db)
    named = [course for course in manifest.catalog.courses if course.is_open]
    kept = rows.definitions(without={course.id for course in named})
    before = rows.open_lessons()
    courses = {definition.id: rows.course(definition, at) for definition in named}
    for definition in kept:
        rows.keep(definition, at)
    await db.flush()
    for definition in named:
        rows.parts(definition, courses[definition.id].id, at)
    rows.archive_the_rest([*named, *kept], at)
    await db.flush()
    rows.count_changes(before)
    if state is None:
        state = models.CatalogState(id=1, version="", synced_at=at)
        db.add(state)
    if state.version != manifest.version:
        state.version, state.synced_at = manifest.version, at
        record(db, Action.CATALOG_SYNCED, at=at, actor=SYSTEM, version=manifest.version)
    state.built_at, state.committed_at, state.commit = manifest.built_at, manifest.committed_at, manifest.commit
    state.site = manifest.catalog.site.model_dump_json()
    state.redirects = manifest.catalog.model_dump_json(include={"redirects"})
    return rows.catalog(manifest.version, manifest.catalog.site, manifest.catalog.redirects, [*named, *kept])


async def check_manifest(db: AsyncSession, manifest: Manifest, *, allow_older: bool = False) -> None:
    """Raise ManifestOlder or ManifestForeign where a manifest must not be used here. Writes nothing."""
    state = await db.get(models.CatalogState, 1)
    used = state.built_at if state is not None else None
    if state is not None and used and not allow_older and manifest.is_older_than(used, state.committed_at):
        raise ManifestOlder(manifest, used)
    known = set(await db.scalars(select(models.Course.key)))
    is_ours = any(course.id in known for course in manifest.catalog.courses if course.is_open)
    if not is_ours and await _anything_is_owned(db):
        raise ManifestForeign(manifest)


async def stored_catalog(db: AsyncSession) -> CourseCatalog | None:
    """The catalogue as the tables have it, read without the manifest; None before the first one was used."""
    state = await db.get(models.CatalogState, 1)
    if state is None or state.site is None:
        return None
    rows = await _Rows.load(db)
    site = model.Site.model_validate_json(state.site)
    redirects = _Redirects.model_validate_json(state.redirects or '{"redirects": []}').redirects
    return rows.catalog(state.version, site, redirects, rows.definitions(without=set()))


class _Redirects(model.Compiled):
    redirects: tuple[model.Redirect, ...]


async def _anything_is_owned(db: AsyncSession) -> bool:
    owned = exists().where(models.Entitlement.revoked_at.is_(None))
    paid = exists().where(models.Order.paid_at.is_not(None))
    return bool(await db.scalar(select(or_(owned, paid))))


class _Rows:
    """The rows of the catalogue's four tables, by table and key."""

    def __init__(self, db: AsyncSession) -> None:
        self._db = db
        self._seen: set[tuple[type[models.CatalogRow], str]] = set()
        self._kept: set[int] = set()
        self.by_key: dict[tuple[type[models.CatalogRow], str], models.CatalogRow] = {}

    @classmethod
    async def load(cls, db: AsyncSession) -> "_Rows":
        rows = cls(db)
        for table in (models.Course, models.Module, models.Lesson, models.Resource):
            rows.by_key |= {(table, row.key): row for row in await db.scalars(select(table))}
        return rows

    def definitions(self, *, without: set[str]) -> list[model.Course]:
        """The last open form of every course but these."""
        return [
            model.Course.model_validate_json(row.definition)
            for row in self._of(models.Course)
            if row.definition is not None and row.key not in without
        ]

    def open_lessons(self) -> dict[int, set[int]]:
        """The lessons that owners can watch, by course."""
        found: dict[int, set[int]] = {}
        for row in self._of(models.Lesson):
            if row.published and row.archived_at is None:
                found.setdefault(row.course_id, set()).add(row.id)
        return found

    def course(self, definition: model.Course, at: datetime) -> models.Course:
        """The row of a course that the manifest has."""
        row = self._row(
            models.Course,
            definition,
            at,
            key=definition.id,
            slug=definition.slug,
            title=definition.title,
            published=definition.published,
            partial_refund_keeps_access=definition.partial_refund_keeps_access,
        )
        row.definition = definition.model_dump_json()
        return row

    def keep(self, definition: model.Course, at: datetime) -> None:
        """A course that the manifest lacks: archived, with everything it had."""
        row = self.by_key[models.Course, definition.id]
        parts = [(part.table, self._part(part.table, part.definition.id, row.id).key) for part in _parts(definition)]
        self._seen |= {(models.Course, definition.id), *parts}
        self._kept.add(row.id)
        row.archived_at = row.archived_at or at

    def parts(self, definition: model.Course, course_id: int, at: datetime) -> None:
        """The rows of everything in a course."""
        for part in _parts(definition):
            key = self._key(part.table, part.definition.id, course_id)
            row = self._row(part.table, part.definition, at, key=key, course_id=course_id, **part.values)
            if isinstance(row, models.Lesson):
                row.required = (row.required or row.published) and row.key not in definition.retired

    def archive_the_rest(self, definitions: Iterable[model.Course], at: datetime) -> None:
        """Whatever is named no longer."""
        told = {name for course in definitions for name in (*course.retired, *course.replaced_by)}
        for name, row in self.by_key.items():
            if name not in self._seen:
                row.archived_at = row.archived_at or at
                if isinstance(row, models.Lesson) and row.key in told:
                    row.required = False

    def count_changes(self, before: dict[int, set[int]]) -> None:
        """Another version for each course whose set of open lessons changed: what was counted of it is counted anew."""
        now = self.open_lessons()
        for row in self._of(models.Course):
            if now.get(row.id, set()) != before.get(row.id, set()):
                row.lessons_version = (row.lessons_version or 1) + 1

    def catalog(
        self,
        version: str,
        site: model.Site,
        redirects: tuple[model.Redirect, ...],
        definitions: Iterable[model.Course],
    ) -> CourseCatalog:
        """Definitions together with their rows."""
        courses = []
        slugs: set[str] = set()
        for definition in sorted(
            definitions, key=lambda each: self.by_key[models.Course, each.id].archived_at is not None
        ):
            row = self.by_key[models.Course, definition.id]
            if definition.slug in slugs:  # another course took the address of one that is kept
                definition = definition.model_copy(update={"slug": f"{definition.slug}-{row.id}"})
            slugs.add(definition.slug)
            courses.append(self._catalog_course(definition))
        return CourseCatalog(version, site, tuple(courses), redirects)

    def _catalog_course(self, definition: model.Course) -> CatalogCourse:
        row = self.by_key[models.Course, definition.id]
        assert isinstance(row, models.Course)  # noqa: S101 - by its key
        modules = tuple(self._catalog_module(module, row.id) for module in definition.modules)
        return CatalogCourse(
            row.id,
            row.updated_at,
            row.lessons_version,
            definition,
            tuple(module for module in modules if module.lessons),
            tuple(self._catalog_resource(resource, row.id) for resource in definition.resources),
            is_kept=row.archived_at is not None,
        )

    def _catalog_module(self, definition: model.Module, course_id: int) -> CatalogModule:
        row = self._part(models.Module, definition.id, course_id)
        files = tuple(self._catalog_resource(resource, course_id) for resource in definition.resources)
        lessons = []
        for each in definition.lessons:
            if each.published:
                lesson = self._part(models.Lesson, each.id, course_id)
                own = tuple(self._catalog_resource(resource, course_id) for resource in each.resources)
                lessons.append(CatalogLesson(lesson.id, lesson.updated_at, lesson.added_at, each, own, files))
        return CatalogModule(row.id, row.updated_at, definition, tuple(lessons))

    def _catalog_resource(self, definition: model.Resource, course_id: int) -> CatalogResource:
        row = self._part(models.Resource, definition.id, course_id)
        return CatalogResource(row.id, course_id, row.updated_at, definition)

    def _part(self, table: type[Row], name: str, course_id: int) -> Row:
        """The row of a part of a course."""
        row = self.by_key[table, self._key(table, name, course_id)]
        assert isinstance(row, table)  # noqa: S101 - by its key
        return row

    def _key(self, table: type[models.CatalogRow], name: str, course_id: int) -> str:
        """The key of a part's row: its id, unless the same id belongs to a course that is kept."""
        own = f"{name[:50]}~{course_id}"
        if (table, own) in self.by_key:
            return own
        known = self.by_key.get((table, name))
        taken_by = getattr(known, "course_id", course_id)
        return own if taken_by != course_id and taken_by in self._kept else name

    def _of(self, table: type[Row]) -> Iterator[Row]:
        return (row for row in self.by_key.values() if isinstance(row, table))

    def _row(self, table: type[Row], definition: model.Compiled, at: datetime, *, key: str, **values: object) -> Row:
        """The row of a definition, brought up to date; `updated_at` moves only when the content changed."""
        digest = hashlib.sha256(definition.model_dump_json().encode()).hexdigest()
        known = self.by_key.get((table, key))
        self._seen.add((table, key))
        if known is None:
            if table is models.Lesson:
                values["added_at"] = at
            row = table(key=key, digest=digest, updated_at=at, **values)
            self._db.add(row)
            self.by_key[table, key] = row
            return row
        if not isinstance(known, table):
            raise TypeError(key)
        row = known
        if known.digest != digest:
            known.digest, known.updated_at = digest, at
        if isinstance(known, models.Lesson) and values["published"] and not known.published:
            values["added_at"] = at  # publishing a draft lets learners see the lesson as new
        for name, value in {**values, "archived_at": None}.items():
            if getattr(known, name) != value:
                setattr(known, name, value)
        return row


def _parts(course: model.Course) -> Iterator[_Part]:
    """Everything in a course that has an id."""
    yield from (_Part(models.Resource, each, {}) for each in course.resources)
    for module in course.modules:
        yield _Part(models.Module, module, {})
        yield from (_Part(models.Resource, each, {}) for each in module.resources)
        for lesson in module.lessons:
            yield _Part(
                models.Lesson, lesson, {"slug": lesson.slug, "title": lesson.title, "published": lesson.published}
            )
            yield from (_Part(models.Resource, each, {}) for each in lesson.resources)
