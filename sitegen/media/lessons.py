"""Lessons with their places in the course files, by `course/lesson`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sitegen.catalog.course_file import CourseFile, LessonFile
from sitegen.catalog.slugs import slug_of
from sitegen.catalog.validate import read_shape
from sitegen.catalog.yaml_source import Place, YamlSource
from sitegen.school import School


class NoSuchLesson(Exception):
    """The message says which there are."""


@dataclass(frozen=True)
class PlacedLesson:
    """A lesson, and where it is written."""

    course: CourseFile
    lesson: LessonFile
    source: YamlSource
    place: Place

    @property
    def path(self) -> Path:
        """The course file."""
        return self.source.path

    @property
    def name(self) -> str:
        """`course/lesson`, as commands name it."""
        return f"{slug_of(self.course.slug, self.path.parent.name)}/{self.lesson.slug}"


def course_files(school: School) -> Iterator[tuple[CourseFile, YamlSource]]:
    """Every course file that can be read."""
    for path in sorted(school.course_data.glob("courses/*/course.yaml")):
        source, file = read_shape(CourseFile, path)
        if file is not None:
            yield file, source


def lessons_of(school: School) -> Iterator[PlacedLesson]:
    """Every lesson."""
    for file, source in course_files(school):
        for m, module in enumerate(file.modules):
            for n, lesson in enumerate(module.lessons):
                yield PlacedLesson(file, lesson, source, ("modules", m, "lessons", n))


def find_lesson(school: School, name: str) -> PlacedLesson:
    """The lesson that is called `course/lesson`. Raises NoSuchLesson."""
    lessons = list(lessons_of(school))
    for each in lessons:
        if each.name == name:
            return each
    near = [each.name for each in lessons if each.name.partition("/")[0] == name.partition("/")[0]]
    known = near or sorted({each.name.partition("/")[0] + "/…" for each in lessons})
    raise NoSuchLesson(f"There is no lesson “{name}”. Known: {', '.join(known)}.")
