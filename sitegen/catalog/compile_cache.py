"""Reads, checks and compiles a course once for each state of its files.

A preview reads the whole school after every save, and finds the other courses in memory; a build finds them in what the
last one kept. Where many are left, every processor takes a part of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sitegen.catalog import model
from sitegen.catalog.compile import Compiler
from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.faults import Fault
from sitegen.catalog.library import Anchors, External, Library, Link
from sitegen.catalog.rules import Loaded, check_course
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.text_files import Stamp, stamp_of
from sitegen.catalog.validate import known_shape, read_shape, remember_shape
from sitegen.catalog.yaml_source import YamlSource
from sitegen.kept import Kept, key_of
from sitegen.parallel import spread
from sitegen.state import stats

_MANY = 4  # courses; to copy a process takes as long as to compile one


@dataclass(frozen=True)
class _Kept:
    """What compiling a course gave, beside the course."""

    course: model.Course
    faults: tuple[Fault, ...]
    records: tuple[Anchors | Link | External, ...]
    strayed: bool  # whether it depends on files that the key does not know


_kept: dict[Path, tuple[str, _Kept]] = {}  # the last state of each course file, with its key


def read_course_files(folders: Sequence[Path], kept: Kept) -> list[tuple[YamlSource, CourseFile | None]]:
    """`course.yaml` of each folder, as `read_shape` gives it."""
    unknown: list[tuple[Path, Stamp]] = []
    for path in (folder / "course.yaml" for folder in folders):
        try:
            stamp = stamp_of(path)
        except FileNotFoundError:
            continue
        if known_shape(CourseFile, path, stamp) is not None:
            continue
        if (found := kept.get(_name("file", path), key_of(path, stamp))) is not None:
            remember_shape(CourseFile, path, stamp, found)  # type: ignore[arg-type]  # what was put there below
        else:
            unknown.append((path, stamp))

    def read(part: Sequence[tuple[Path, Stamp]]) -> list[tuple[Path, Stamp, tuple[YamlSource, CourseFile | None]]]:
        return [(path, stamp, read_shape(CourseFile, path)) for path, stamp in part]

    for part in spread(read, unknown, is_large=len(unknown) >= _MANY):
        for path, stamp, value in part:
            remember_shape(CourseFile, path, stamp, value)  # a copy of this process may have read it
            if not value[0].faults:
                kept.put(_name("file", path), key_of(path, stamp), value)
    kept.drop_others("file-", (_name("file", folder / "course.yaml") for folder in folders))
    kept.drop_others("course-", (_name("course", folder / "course.yaml") for folder in folders))
    return [read_shape(CourseFile, folder / "course.yaml") for folder in folders]


def _name(kind: str, path: Path) -> str:
    return f"{kind}-{key_of(path.parent.name)[:16]}"


class CachedCompiler:
    """Compiles the courses of one reading; the same files with the same surroundings give the same course."""

    def __init__(self, root: Path, site: SiteFile, library: Library, kept: Kept) -> None:
        self._root = root
        self._site = site
        self._library = library
        self._on_disk = kept
        self._people = {person.id: person for person in site.instructors}
        # What a course depends on beside its folder: the school, its pictures, files to download, other pages.
        pages = sorted(library.pages.items())
        self._around = key_of(root, site, pages, *(list(stats(root / name)) for name in ("files", "images")))

    def courses(self, loaded: Iterable[Loaded]) -> list[model.Course]:
        """The courses; their faults are added to their sources, their links to the library."""
        keyed = [(file, source, self._key(source)) for file, source in loaded]
        found = {key: self._recall(source, key) for _, source, key in keyed}
        unknown = [each for each in keyed if found[each[2]] is None]
        for part in spread(self._compile, unknown, is_large=len(unknown) >= _MANY):
            for source_path, key, compiled in part:
                found[key] = compiled
                if not compiled.strayed:
                    _kept[source_path] = key, compiled
                    self._on_disk.put(_name("course", source_path), key, compiled)
        courses = []
        for _, source, key in keyed:
            known = found[key]
            assert known is not None  # noqa: S101 - compiled above
            source.faults += known.faults
            self._library.records += known.records
            courses.append(known.course)
        return courses

    def _key(self, source: YamlSource) -> str:
        return key_of(source.path, tuple(stats(source.path.parent)), len(source.faults), self._around)

    def _recall(self, source: YamlSource, key: str) -> _Kept | None:
        known = _kept.get(source.path)
        if known is not None and known[0] == key:
            return known[1]
        found = self._on_disk.get(_name("course", source.path), key)
        if isinstance(found, _Kept):
            _kept[source.path] = key, found
            return found
        return None

    def _compile(self, part: Sequence[tuple[CourseFile, YamlSource, str]]) -> list[tuple[Path, str, _Kept]]:
        library, made = self._library, []
        zone = ZoneInfo(self._site.timezone)
        for file, source, key in part:
            before, records, library.strayed = len(source.faults), len(library.records), False
            check_course(file, source, self._site)
            course = Compiler(self._root, source, self._people, library, zone).course(file)
            faults, linked = tuple(source.faults[before:]), tuple(library.records[records:])
            del source.faults[before:], library.records[records:]  # added for every course alike, by `courses`
            made.append((source.path, key, _Kept(course, faults, linked, library.strayed)))
        return made
