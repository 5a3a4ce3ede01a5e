"""The catalogue in memory. Each part is its compiled definition, together with its row's id and moments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from dynamic_api.core.clock import timestamp
from dynamic_api.core.errors import CourseNotFound, ResourceNotFound
from sitegen import urls
from sitegen.catalog import model


@dataclass(frozen=True)
class CatalogResource:
    """A published file."""

    id: int
    course_id: int
    updated_at: datetime
    definition: model.Resource


@dataclass(frozen=True)
class CatalogLesson:
    """A published lesson, with its own files and its module's."""

    id: int
    updated_at: datetime
    added_at: datetime
    definition: model.Lesson
    resources: tuple[CatalogResource, ...]
    module_resources: tuple[CatalogResource, ...]
    # Parts of answers that are the same for everybody, made at the first request; see `learning/` and `mobile_v1/`.
    cache: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class CatalogModule:
    """A module that has published lessons."""

    id: int
    updated_at: datetime
    definition: model.Module
    lessons: tuple[CatalogLesson, ...]


@dataclass(frozen=True)
class CatalogCourse:
    """A course that its owners can watch. `lessons_version` changes with its set of lessons.

    `is_kept` marks a course that the files no longer have: it is served to its owners as it was last.
    """

    id: int
    updated_at: datetime
    lessons_version: int
    definition: model.Course
    modules: tuple[CatalogModule, ...]
    resources: tuple[CatalogResource, ...]
    is_kept: bool = False
    cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)  # as a lesson's

    @property
    def is_for_sale(self) -> bool:
        """Whether it can be bought, given away and taken for free."""
        return self.definition.published and not self.is_kept

    @cached_property
    def lessons(self) -> tuple[CatalogLesson, ...]:
        """Published lessons in the order they are taught."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    @cached_property
    def lesson_ids(self) -> tuple[int, int]:
        """The lowest and the highest id of its lessons; between them lie all of its progress rows."""
        ids = [lesson.id for lesson in self.lessons]
        return min(ids, default=0), max(ids, default=0)

    @cached_property
    def newest_lesson_added_at(self) -> str | None:
        """When its newest lesson was added, as the API writes moments."""
        return timestamp(max((lesson.added_at for lesson in self.lessons), default=None))

    def find_lesson(self, slug: str) -> CatalogLesson | None:
        """A published lesson."""
        return self._by_slug.get(slug)

    def lesson_by_id(self, lesson_id: int) -> CatalogLesson | None:
        """A published lesson."""
        return self._by_id.get(lesson_id)

    @cached_property
    def pictures(self) -> frozenset[str]:
        """The names of the pictures and files that its paid texts show."""
        return frozenset(file.name for lesson in self.lessons for file in lesson.definition.files)

    def resources_of(self, lesson: CatalogLesson) -> tuple[CatalogResource, ...]:
        """What a lesson's page offers: the course's files, then the module's, then its own."""
        return (*self.resources, *lesson.module_resources, *lesson.resources)

    @cached_property
    def _by_slug(self) -> Mapping[str, CatalogLesson]:
        return {lesson.definition.slug: lesson for lesson in self.lessons}

    @cached_property
    def _by_id(self) -> Mapping[int, CatalogLesson]:
        return {lesson.id: lesson for lesson in self.lessons}


@dataclass(frozen=True)
class CourseCatalog:
    """One version of the catalogue, as the service answers from it."""

    version: str
    site: model.Site
    courses: tuple[CatalogCourse, ...]
    redirects: tuple[model.Redirect, ...] = ()

    @cached_property
    def by_title(self) -> tuple[CatalogCourse, ...]:
        """As a library lists them."""
        return tuple(sorted(self.courses, key=lambda course: course.definition.title.casefold()))

    @property
    def missing(self) -> tuple[CatalogCourse, ...]:
        """Courses that are kept though the files do not say that they are gone on purpose."""
        told = {*self.site.retired, *self.site.replaced_by}
        return tuple(course for course in self.courses if course.is_kept and course.definition.id not in told)

    @cached_property
    def currency(self) -> str:
        """What the school sells in; a free course is booked in it too."""
        return next((course.definition.price.currency for course in self.courses if course.definition.price), "EUR")

    def find_course(self, slug: str) -> CatalogCourse | None:
        """A course that its owners can watch."""
        return self._by_slug.get(slug)

    def course(self, slug: str) -> CatalogCourse:
        """A course that its owners can watch. Raises CourseNotFound."""
        course = self.find_course(slug)
        if course is None:
            raise CourseNotFound
        return course

    def course_by_id(self, course_id: int) -> CatalogCourse | None:
        """A course that its owners can watch."""
        return self._by_id.get(course_id)

    def title_of(self, *course_ids: int) -> str:
        """A course's title, for people who bought it, whether or not it is still for sale; several as “A + B”."""
        courses = [self.course_by_id(each) for each in course_ids]
        titles = [course.definition.title if course else "Your course" for course in courses]
        return " + ".join(titles)  # titles contain commas, and any word for “and” is in one language

    def resource(self, resource_id: int) -> CatalogResource:
        """A published file. Raises ResourceNotFound."""
        resource = self._resources.get(resource_id)
        if resource is None:
            raise ResourceNotFound
        return resource

    def lesson_by_id(self, lesson_id: int) -> CatalogLesson | None:
        """A published lesson."""
        return self._lessons.get(lesson_id)

    @cached_property
    def _lessons(self) -> Mapping[int, CatalogLesson]:
        return {lesson.id: lesson for course in self.courses for lesson in course.lessons}

    def moved(self, course: str, lesson: str | None) -> tuple[str, str | None] | None:
        """The present slugs of a course and its lesson, where those in an address are old ones."""
        old = urls.learn(course, lesson) if lesson is not None else urls.course(course)
        new = self._moved.get(old)
        if new is None and lesson is not None and (page := self._moved.get(urls.course(course))):
            return urls.names(page)[1], lesson
        if new is None:
            return None
        parts = urls.names(new)
        return parts[1], parts[2] if lesson is not None else None

    def new_address(self, page: str) -> str | None:
        """Where a page of the site is now, if it moved; `page` is a path as the server decoded it."""
        return self._moved.get(quote(page))

    @cached_property
    def _moved(self) -> Mapping[str, str]:
        return {each.old: each.new for each in self.redirects}

    @cached_property
    def _by_slug(self) -> Mapping[str, CatalogCourse]:
        return {course.definition.slug: course for course in self.courses}

    @cached_property
    def _by_id(self) -> Mapping[int, CatalogCourse]:
        return {course.id: course for course in self.courses}

    @cached_property
    def _resources(self) -> Mapping[int, CatalogResource]:
        return {resource.id: resource for course in self.courses for resource in _resources_of(course)}


def _resources_of(course: CatalogCourse) -> Iterator[CatalogResource]:
    yield from course.resources
    for lesson in course.lessons:
        yield from (*lesson.resources, *lesson.module_resources)
