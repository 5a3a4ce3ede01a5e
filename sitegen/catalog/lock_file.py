"""`course_data/published.lock`: every id and every address that this school ever published.

The build that publishes writes it, and it is committed. One sorted line for each id and each address, so that git
merges two branches line by line:

    address /courses/sourdough/ course sourdough
    course sourdough
    lesson sourdough-first-loaf sourdough
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from sitegen import urls
from sitegen.catalog.faults import Fault
from sitegen.catalog.model import Course

Kind = Literal["course", "module", "lesson", "resource"]

_HEADER = (
    "# Every id and address that was ever published. “coursewright build” writes this file; commit it.\n"
    "# Orders, access and progress are stored under these ids, so a line is never edited or removed.\n"
)
_ID = re.compile(r"(course) ([a-z0-9-]+)|(module|lesson|resource) ([a-z0-9-]+) ([a-z0-9-]+)")
_ADDRESS = re.compile(r"address (/\S+/) (course|lesson) ([a-z0-9-]+)")
_MARKERS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


class Name(NamedTuple):
    """What an id names."""

    kind: Kind
    id: str


@dataclass
class Lock:
    """The content of the file. `courses` tells the course of each id; `lines` where each id and address is written."""

    path: Path
    courses: dict[Name, str] = field(default_factory=dict)
    addresses: dict[str, Name] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def of_course(self, course_id: str) -> Sequence[Name]:
        """The modules, lessons and files of a course."""
        return self._parts.get(course_id, ())

    @cached_property
    def _parts(self) -> Mapping[str, Sequence[Name]]:
        parts: dict[str, list[Name]] = {}
        for name, course in self.courses.items():
            if name.kind != "course":
                parts.setdefault(course, []).append(name)
        return parts

    def line_of(self, entry: str) -> int:
        """Where an entry is written."""
        return self.lines.get(entry, 1)


def read_lock(path: Path) -> Lock:
    """The file; empty where there is none. What cannot be read becomes faults of the result."""
    lock = Lock(path)
    if not path.exists():
        return lock
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if line.startswith(_MARKERS):
            problem = "This file was merged halfway."
            lock.faults.append(Fault(path, number, 1, problem, "Keep every line of both sides; delete this one."))
        elif line.strip() and not line.startswith("#"):
            _read_line(lock, line.strip(), number)
    return lock


def _read_line(lock: Lock, line: str, number: int) -> None:
    lock.lines.setdefault(line, number)
    if found := _ID.fullmatch(line):
        if found[1]:
            lock.courses[Name("course", found[2])] = found[2]
        else:
            lock.courses[Name(found[3], found[4])] = found[5]  # type: ignore[arg-type]  # the pattern names the kinds
    elif found := _ADDRESS.fullmatch(line):
        lock.addresses[found[1]] = Name(found[2], found[3])  # type: ignore[arg-type]
    else:
        remedy = f"Restore it with “git checkout {lock.path}”; “coursewright build” writes this file."
        lock.faults.append(Fault(lock.path, number, 1, f"This line cannot be read: “{line}”.", remedy))


def lock_of(path: Path, courses: Iterable[Course]) -> Lock:
    """What a file would hold that only knew these courses."""
    lock = Lock(path)
    for line in sorted({line for course in courses if course.is_open for line in _lines_of(course)}):
        _read_line(lock, line, 1)
    return lock


def write_lock(lock: Lock, courses: Iterable[Course]) -> bool:
    """Add what these courses publish; nothing is ever removed. True when the file changed."""
    lines = {*lock.lines, *(line for course in courses if course.is_open for line in _lines_of(course))}
    text = _HEADER + "".join(f"{line}\n" for line in sorted(lines))
    if lock.path.exists() and lock.path.read_text(encoding="utf-8") == text:
        return False
    draft = lock.path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(lock.path)
    return True


def _lines_of(course: Course) -> Iterator[str]:
    for name in published_names(course):
        yield f"{name.kind} {name.id}" if name.kind == "course" else f"{name.kind} {name.id} {course.id}"
    for address, name in addresses_of(course).items():
        yield f"address {address} {name.kind} {name.id}"


def published_names(course: Course) -> Iterator[Name]:
    """Every id that owners of this course depend on."""
    yield Name("course", course.id)
    yield from (Name("resource", each.id) for each in course.resources)
    for module in course.modules:
        lessons = [lesson for lesson in module.lessons if lesson.published]
        if lessons:
            yield Name("module", module.id)
            yield from (Name("resource", each.id) for each in module.resources)
        for lesson in lessons:
            yield Name("lesson", lesson.id)
            yield from (Name("resource", each.id) for each in lesson.resources)


def addresses_of(course: Course) -> dict[str, Name]:
    """Where its page and its lessons are."""
    lessons = {urls.learn(course.slug, lesson.slug): Name("lesson", lesson.id) for lesson in course.lessons}
    return {urls.course(course.slug): Name("course", course.id), **lessons}
