"""Checks and compiles a course once for each state of its files: a preview reads the whole school after every save."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from sitegen.catalog import model
from sitegen.catalog.compile import Compiler
from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.faults import Fault
from sitegen.catalog.library import Anchors, External, Library, Link
from sitegen.catalog.rules import check_course
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.yaml_source import YamlSource
from sitegen.state import stats

_MOST = 1000  # courses


@dataclass(frozen=True)
class _Kept:
    """What compiling a course gave, beside the course."""

    course: model.Course
    faults: tuple[Fault, ...]
    records: tuple[Anchors | Link | External, ...]


_kept: OrderedDict[object, _Kept] = OrderedDict()


class CachedCompiler:
    """Compiles the courses of one reading; the same files with the same surroundings give the same course."""

    def __init__(self, root: Path, site: SiteFile, library: Library) -> None:
        self._root = root
        self._site = site
        self._library = library
        self._people = {person.id: person for person in site.instructors}
        # What a course depends on beside its folder: the school, its pictures, files to download, other pages.
        around = (root, site, library.pages, *(list(stats(root / name)) for name in ("files", "images")))
        self._around = hashlib.sha256(repr(around).encode()).digest()

    def course(self, file: CourseFile, source: YamlSource) -> model.Course:
        """The course; its faults are added to `source`, its links to the library."""
        key = (source.path, tuple(stats(source.path.parent)), len(source.faults), self._around)
        library = self._library
        if (kept := _kept.get(key)) is None:
            before, records, library.strayed = len(source.faults), len(library.records), False
            check_course(file, source, self._site)
            zone = ZoneInfo(self._site.timezone)
            course = Compiler(self._root, source, self._people, library, zone).course(file)
            kept = _Kept(course, tuple(source.faults[before:]), tuple(library.records[records:]))
            if not library.strayed:  # else it depends on files that are not looked at here
                _kept[key] = kept
                while len(_kept) > _MOST:
                    _kept.popitem(last=False)
            return course
        source.faults += kept.faults
        library.records += kept.records
        return kept.course
