"""Holds the course files against the lock file: nothing that was published may vanish without a word.

The words are `status: retired`, `retired:` (ids that are gone or hidden on purpose), `moved_from:` (earlier slugs) and
`replaced_by:` (earlier ids and their successors). Moving a lesson to another module, another order and other titles
need none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.course_file import CourseFile
from sitegen.catalog.faults import Fault
from sitegen.catalog.lock_file import Lock, Name, published_names
from sitegen.catalog.rules import Loaded, named_lessons, named_resources
from sitegen.catalog.site_file import SiteFile
from sitegen.catalog.yaml_source import Place, YamlSource


@dataclass(frozen=True)
class _School:
    lock: Lock
    site: SiteFile
    files: Mapping[str, Loaded]  # by the course's id
    compiled: Mapping[str, model.Course]


def check_against_lock(lock: Lock, site: SiteFile, loaded: Iterable[Loaded], compiled: Iterable[model.Course]) -> None:
    """Add a fault for everything that was published and would be lost; to the course file, or to the lock itself."""
    school = _School(
        lock, site, {file.id: (file, source) for file, source in loaded}, {each.id: each for each in compiled}
    )
    published = [name.id for name in lock.courses if name.kind == "course"]
    known = {*school.files, *site.retired, *site.replaced_by}
    if published and not known.intersection(published):
        problem = "None of these courses is in this school: the file belongs to another one."
        remedy = "Restore this school's own published.lock with git, or delete the file if nothing was ever published."
        lock.faults.append(Fault(lock.path, 1, 1, problem, remedy))
        return
    for course_id in published:
        _check_course(school, course_id)
    _check_addresses(school)


def _check_course(school: _School, course_id: str) -> None:
    lock, told = school.lock, {*school.site.retired, *school.site.replaced_by}
    if course_id not in school.files:
        if course_id not in told and not _renamed_course(school, course_id):
            problem = f"The course “{course_id}” was published, and its file is gone."
            remedy = (
                "Put the folder back and write “status: retired” in it; its owners keep it, and nobody can buy it. "
                f"If the files are to go as well, add to site.yaml: “retired: [{course_id}]”."
            )
            lock.faults.append(Fault(lock.path, lock.line_of(f"course {course_id}"), 1, problem, remedy))
        return
    file, source = school.files[course_id]
    if file.status == "draft":
        if course_id not in told:
            problem = "This course was published; as a draft it would be lost to its owners."
            _add(source, ("status",), problem, "Write “status: retired”: nobody can buy it, and its owners keep it.")
        return
    _check_parts(school, file, source)


def _renamed_course(school: _School, course_id: str) -> bool:
    """A course that kept its address and got another id: the commonest way to lose one."""
    for address, name in school.lock.addresses.items():
        if name == Name("course", course_id):
            for new_id, course in school.compiled.items():
                if urls.course(course.slug) == address and Name("course", new_id) not in school.lock.courses:
                    _, source = school.files[new_id]
                    problem = f"The id of this course was “{course_id}”, and is “{new_id}” now."
                    _add(source, ("id",), problem, f"Write “id: {course_id}”: purchases are stored under it.")
                    return True
    return False


def _check_parts(school: _School, file: CourseFile, source: YamlSource) -> None:
    present = set(published_names(school.compiled[file.id]))
    places = _places(file)
    fresh = [name for name in places if name not in school.lock.courses]
    told = {*file.retired, *file.replaced_by}
    for name in present:
        locked = school.lock.courses.get(name, file.id)
        if locked != file.id:
            problem = f"The {name.kind} “{name.id}” was published in the course “{locked}”."
            _add(source, (*places[name], "id"), problem, "Give it a new id here: access belongs to its course.")
    gone = [name for name in school.lock.of_course(file.id) if name not in present and name.id not in told]
    for name in gone:
        words = f"“retired: [{name.id}]”"
        if name.kind == "lesson":
            words += f", or “replaced_by: {{{name.id}: the-new-id}}” if another took its place"
        if name in places:
            place = places[name]
            problem = f"The {name.kind} “{name.id}” was published, and is hidden now."
            _add(source, (*place, "published") if name.kind == "lesson" else place, problem,
                 f"Publish it again, or say that it is meant, in this file: {words}.")  # fmt: skip
            continue
        candidates = [other for other in fresh if other.kind == name.kind]
        renamed = _same_address(school, file, name, candidates)
        if renamed is not None:
            problem = f"The id of this {name.kind} was “{name.id}”, and is “{renamed.id}” now."
            _add(source, (*places[renamed], "id"), problem, f"Write “id: {name.id}”: progress is stored under it.")
            continue
        problem = f"The {name.kind} “{name.id}” was published, and is gone."
        _add(source, ("modules",), problem, f"Put it back, or say that it is meant, in this file: {words}.")


def _same_address(school: _School, file: CourseFile, name: Name, candidates: list[Name]) -> Name | None:
    """The part that took a vanished one's place: by its address, or because it is the only new one."""
    if name.kind != "lesson":
        vanished = [each for each in school.lock.of_course(file.id) if each.kind == name.kind]
        present = {each for each in _places(file) if each.kind == name.kind}
        return candidates[0] if len(candidates) == 1 and len(set(vanished) - present) == 1 else None
    slugs = {urls.names(address)[-1] for address, owner in school.lock.addresses.items() if owner == name}
    by_slug = {lesson.slug: Name("lesson", lesson.id) for _, lesson in named_lessons(file)}
    return next((by_slug[slug] for slug in slugs if by_slug.get(slug) in candidates), None)


def _check_addresses(school: _School) -> None:
    in_use = {
        urls.course(course.slug): Name("course", course.id) for course in school.compiled.values() if course.is_open
    }
    lessons = {course.id: {each.id: each for each in course.lessons} for course in school.compiled.values()}
    for address, name in sorted(school.lock.addresses.items()):
        course_id = school.lock.courses.get(name)
        course = school.compiled.get(course_id or "")
        if course is None or not course.is_open:
            continue
        file, source = school.files[course.id]
        parts = urls.names(address)
        if name.kind == "course":
            if parts[1] not in (course.slug, *course.moved_from):
                _add(source, ("slug",) if file.slug else ("id",),
                     f"This course was at {unquote(address)}, and is at {unquote(urls.course(course.slug))} now.",
                     f"Add “moved_from: [{', '.join((*course.moved_from, parts[1]))}]”, so that old links lead here.",
                )  # fmt: skip
            elif in_use.get(address, name) != name:
                _add(source, ("moved_from",), f"{unquote(address)} led here, and is another course's address now.",
                     f"Give “{in_use[address].id}” another slug: old links would open the wrong course.")  # fmt: skip
            continue
        lesson = lessons[course.id].get(name.id)
        if lesson is not None and parts[2] not in (lesson.slug, *lesson.moved_from):
            _tell_moved_lesson(lesson, file, source, parts[2])


def _tell_moved_lesson(lesson: model.Lesson, file: CourseFile, source: YamlSource, slug: str) -> None:
    place = next(place for place, each in named_lessons(file) if each.id == lesson.id)
    problem = f"This lesson's slug was “{slug}”, and is “{lesson.slug}” now."
    words = ", ".join((*lesson.moved_from, slug))
    fault = source.fault((*place, "slug"), problem, f"Add “moved_from: [{words}]”, so that old links lead here.")
    if fault not in source.faults:  # one slug may have been part of several addresses
        source.faults.append(fault)


def _places(file: CourseFile) -> dict[Name, Place]:
    places: dict[Name, Place] = {
        Name("module", module.id): ("modules", number) for number, module in enumerate(file.modules)
    }
    places |= {Name("lesson", lesson.id): place for place, lesson in named_lessons(file)}
    places |= {Name("resource", resource.id): place for place, resource in named_resources(file)}
    return places | {Name("course", file.id): ()}


def _add(source: YamlSource, place: Place, problem: str, remedy: str) -> None:
    source.faults.append(source.fault(place, problem, remedy))
