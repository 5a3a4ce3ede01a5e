"""Course files → Catalog. Finds every fault of every file in one run, and raises if there are any."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.compile import is_file_name
from sitegen.catalog.compile_cache import CachedCompiler, read_course_files
from sitegen.catalog.compile_site import SiteCompiler
from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.library import Library, TextPage
from sitegen.catalog.lock_file import Lock, read_lock
from sitegen.catalog.lock_rules import check_against_lock
from sitegen.catalog.pictures import real_path
from sitegen.catalog.redirects import find_redirects
from sitegen.catalog.rules import Loaded, check_catalog, check_course, check_site, check_translations
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.slugs import HOW, is_slug, slug_of
from sitegen.catalog.validate import read_shape
from sitegen.catalog.yaml_source import YamlSource
from sitegen.kept import NOTHING_KEPT, Kept
from sitegen.school import LOCK


def load_catalog(root: Path, *, earlier: Lock | None = None, now: datetime | None = None) -> model.Catalog:
    """Read `root/site.yaml` and `root/courses/*/course.yaml`, and hold them against `root/published.lock`.

    `earlier` stands for a lock file that is missing. Raises CatalogInvalid with all faults at once.
    """
    library = Library(root.parent, (root,), root / "files")
    catalog, faults = read_catalog(root, library, now=now or datetime.now(UTC), earlier=earlier)
    faults += library.finish()
    if faults or catalog is None:
        raise CatalogInvalid(faults)
    return catalog


def read_catalog(
    root: Path, library: Library, *, now: datetime, earlier: Lock | None = None, kept: Kept = NOTHING_KEPT
) -> tuple[model.Catalog | None, list[Fault]]:
    """The catalogue, where there is one, and every fault; the caller finishes the library.

    `now` decides what counts as published when the files are held against the lock file. `kept` has courses of the
    last reading.
    """
    site_source, site_file = read_shape(SiteFile, root / "site.yaml")
    library.language = site_file.language if site_file else library.language
    sources = [site_source]
    loaded: list[Loaded] = []
    inside: list[Path] = []
    for folder in _course_folders(root / "courses"):
        if not folder.resolve().is_relative_to(root.resolve()):
            problem = "This folder is a link to a place outside the school."
            outside = YamlSource(folder / "course.yaml")
            outside.faults.append(Fault(folder, 1, 1, problem, "Move the course here, or delete the link."))
            sources.append(outside)
            continue
        inside.append(folder)
    for folder, (source, course_file) in zip(inside, read_course_files(inside, kept), strict=True):
        sources.append(source)
        _check_folder(folder, source)
        if course_file is not None:
            loaded.append((course_file, source))
            _register(library, course_file, folder)
    is_whole = len(loaded) == len(sources) - 1
    check_catalog(loaded)
    if site_file is not None:
        check_site(site_file, site_source, [course.id for course, _ in loaded] if is_whole else None)
        check_translations(loaded, site_file)
    if site_file is None:
        for course_file, source in loaded:
            check_course(course_file, source, None)
    compiled: list[model.Course] = []
    site = None
    if site_file:
        people = {instructor.id: instructor for instructor in site_file.instructors}
        zone = ZoneInfo(site_file.timezone)
        site = SiteCompiler(root, site_source, people, library, zone).site(site_file)
        compiled = CachedCompiler(root, site_file, library, kept).courses(loaded)
    lock = read_lock(root / LOCK) if earlier is None else earlier
    if site_file and not lock.faults and is_whole:
        shown = model.Catalog(site=site, courses=tuple(compiled), redirects=()).at(now) if site else None
        check_against_lock(lock, site_file, loaded, shown.courses if shown else ())
    faults = [*lock.faults, *(fault for source in sources for fault in source.faults)]
    if site is None:
        return None, faults
    courses = tuple(sorted(compiled, key=lambda course: (_rank(site, course), _place_of(course.title))))
    return model.Catalog(site=site, courses=courses, redirects=find_redirects(lock, site, courses)), faults


def _rank(site: model.Site, course: model.Course) -> int:
    """The place of a course among those that come first."""
    return site.featured.index(course.id) if course.id in site.featured else len(site.featured)


def _place_of(title: str) -> tuple[str, str]:
    """Where a title stands in an alphabet: Ä beside A, as readers of most languages look for it."""
    folded = title.casefold()
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
    return plain, folded


def _course_folders(folder: Path) -> list[Path]:
    """The folders of courses; what an editor or a file manager leaves behind is none."""
    return sorted(path for path in folder.glob("*") if path.is_dir() and not path.name.startswith((".", "_", "~")))


def _check_folder(folder: Path, source: YamlSource) -> None:
    if not is_slug(slug_of(None, folder.name)):
        problem = f"The folder “{folder.name}” cannot be part of a URL."
        source.faults.append(Fault(folder, 1, 1, problem, f"Rename it. {HOW}"))
    other = folder / "course.yml"
    if other.is_file() and not (folder / "course.yaml").exists():
        source.faults[:] = [Fault(other, 1, 1, "This file has another name.", "Rename it to course.yaml.")]


def _register(library: Library, course: CourseFile, folder: Path) -> None:
    """Tell where the texts of a course are read: a lesson by its owners, and by all others if it is free."""
    known = _registered.get(folder)
    if known is None or known[0] is not course:
        pages = {real_path(folder / name): page for name, page in _texts(course, folder)}
        known = _registered[folder] = (course, pages)
    library.pages |= known[1]


def _texts(course: CourseFile, folder: Path) -> Iterator[tuple[str, TextPage]]:
    slug = slug_of(course.slug, folder.name)
    page = urls.course(slug)
    if is_file_name(course.description):
        yield course.description, TextPage(page, page)
    for module in course.modules:
        for lesson in module.lessons:
            if lesson.notes and is_file_name(lesson.notes):
                shown = urls.preview(slug, lesson.slug) if lesson.preview else page
                yield lesson.notes, TextPage(urls.learn(slug, lesson.slug), shown)


# The pages of each course file that was read; the same object is the same file.
_registered: dict[Path, tuple[CourseFile, dict[Path, TextPage]]] = {}
