"""Where old addresses lead: what moved is found at its new address, what was replaced at its successor's.

A lesson that was retired leads to its course.
"""

from collections.abc import Iterable, Iterator, Mapping

from sitegen import urls
from sitegen.catalog.lock_file import Lock, Name, addresses_of
from sitegen.catalog.model import Course, Redirect, Site


def find_redirects(lock: Lock, site: Site, courses: Iterable[Course]) -> tuple[Redirect, ...]:
    """Every old address of a page, with its new one; sorted, and none that is in use."""
    open_courses = [course for course in courses if course.is_open]
    current = {name: address for course in open_courses for address, name in addresses_of(course).items()}
    replaced = {Name("course", old): Name("course", new) for old, new in site.replaced_by.items()}
    for course in open_courses:
        replaced |= {Name("lesson", old): Name("lesson", new) for old, new in course.replaced_by.items()}
    targets: dict[str, str] = {}
    for old, name in (*lock.addresses.items(), *_said(open_courses)):
        owner = Name("course", lock.courses.get(name, ""))
        new = current.get(_successor(name, replaced)) or current.get(owner)  # a lesson that is gone: its course
        if new and new != old:
            targets[old] = new
    previews = {
        urls.learn(course.slug, lesson.slug) for course in open_courses for lesson in course.lessons if lesson.preview
    }
    pages = {old: new for pair in targets.items() for old, new in _pages(*pair, is_preview=pair[1] in previews)}
    in_use = set(current.values())
    return tuple(Redirect(old=old, new=new) for old, new in sorted(pages.items()) if old not in in_use)


def _said(courses: Iterable[Course]) -> Iterator[tuple[str, Name]]:
    """What the files say themselves, for addresses that are older than the lock file."""
    for course in courses:
        for slug in (course.slug, *course.moved_from):
            yield urls.course(slug), Name("course", course.id)
            for lesson in course.lessons:
                for part in (lesson.slug, *lesson.moved_from):
                    yield urls.learn(slug, part), Name("lesson", lesson.id)


def _successor(name: Name, replaced: Mapping[Name, Name]) -> Name:
    seen = set()
    while name in replaced and name not in seen:
        seen.add(name)
        name = replaced[name]
    return name


def _pages(old: str, new: str, *, is_preview: bool) -> Iterator[tuple[str, str]]:
    """The pages that share an address's names: a course's gift form and introduction, a lesson's preview."""
    yield old, new
    before, after = urls.names(old), urls.names(new)
    if before[0] == "courses" == after[0]:
        yield urls.gift(before[1]), urls.gift(after[1])
        yield urls.intro(before[1]), urls.intro(after[1])
    elif after[0] == "courses":
        yield urls.preview(before[1], before[2]), new
    elif is_preview:
        yield urls.preview(before[1], before[2]), urls.preview(after[1], after[2])
