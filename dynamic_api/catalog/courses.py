"""The catalogue in memory. Each part is its compiled definition, together with its row's id and moments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from dynamic_api.core.clock import timestamp
from dynamic_api.core.errors import CourseNotFound, ResourceNotFound
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
    cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class CatalogModule:
    """A module that has published lessons."""

    id: int
    updated_at: datetime
    definition: model.Module
    lessons: tuple[CatalogLesson, ...]


@dataclass(frozen=True)
class CatalogCourse:
    """A published course. `lessons_version` changes with its set of lessons."""

    id: int
    updated_at: datetime
    lessons_version: int
    definition: model.Course
    modules: tuple[CatalogModule, ...]
    resources: tuple[CatalogResource, ...]
    cache: dict[str, object] = field(default_factory=dict, compare=False, repr=False)  # as a lesson's

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

    @cached_property
    def by_title(self) -> tuple[CatalogCourse, ...]:
        """As a library lists them."""
        return tuple(sorted(self.courses, key=lambda course: course.definition.title.casefold()))

    def find_course(self, slug: str) -> CatalogCourse | None:
        """A published course."""
        return self._by_slug.get(slug)

    def course(self, slug: str) -> CatalogCourse:
        """A published course. Raises CourseNotFound."""
        course = self.find_course(slug)
        if course is None:
            raise CourseNotFound
        return course

    def course_by_id(self, course_id: int) -> CatalogCourse | None:
        """A published course."""
        return self._by_id.get(course_id)

    def title_of(self, course_id: int) -> str:
        """A course's title, for people who bought it, whether or not it is still published."""
        course = self.course_by_id(course_id)
        return course.definition.title if course else "Your course"

    def resource(self, resource_id: int) -> CatalogResource:
        """A published file. Raises ResourceNotFound."""
        resource = self._resources.get(resource_id)
        if resource is None:
            raise ResourceNotFound
        return resource

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
