"""Pages that list: the catalogue, the courses of a tag, a level or a teacher, and the news; 24 entries on each."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from sitegen import urls
from sitegen.catalog import model
from sitegen.catalog.public import PublicCourse
from sitegen.catalog.words import Words
from sitegen.site import structured_data
from sitegen.site.page import Crumb, SitePage, Whole

PER_PAGE = 24

Entry = TypeVar("Entry")


class MakesPages(Protocol):
    """SitePage in the school's language."""

    def __call__(self, url: str, template: str, title: str, description: str, **values: object) -> SitePage:
        """The page."""


def catalogue(page: MakesPages, whole: Whole) -> Iterator[SitePage]:
    """All courses, and those of each tag, level and teacher."""
    public, site_url = whole.public, whole.site_url
    site, _ = public.site, public.site.say
    cards = [course.card for course in public.courses]
    yield from listing(page, urls.COURSES, _("Courses"), site.description, cards, site_url, head=())
    crumb = ((_("Courses"), urls.COURSES),)
    for slug, (name, courses) in tagged(cards).items():
        title = _("Courses about {subject}", subject=name)
        yield from listing(page, urls.tag(slug), title, title, courses, site_url, head=crumb)
    for level in dict.fromkeys(card.level for card in cards):
        courses = [card for card in cards if card.level == level]
        title = level_title(level, _)
        yield from listing(page, urls.level(level), title, title, courses, site_url, head=crumb)
    for teacher in {card.instructor.id: card.instructor for card in cards}.values():
        courses = [card for card in cards if card.instructor.id == teacher.id]
        about = teacher.role or _("Courses with {name}", name=teacher.name)
        values: dict[str, object] = {"teacher": teacher, "described": (structured_data.person(teacher, site_url),)}
        yield from listing(
            page, urls.teacher(teacher.id), teacher.name, about, courses, site_url, head=crumb, values=values
        )


def listing(
    page: MakesPages,
    url: str,
    title: str,
    description: str,
    courses: Sequence[PublicCourse],
    site_url: str,
    *,
    head: tuple[Crumb, ...],
    values: dict[str, object] | None = None,
) -> Iterator[SitePage]:
    """The pages of one list of courses."""
    more = dict(values or {})
    described = more.pop("described", ())
    for address, entries, number, links in numbered(url, courses):
        yield page(
            address,
            "catalogue",
            title,
            description if number == 1 else "",
            crumbs=(*head, (title, url)) if head else (),
            described=(structured_data.course_list(entries, site_url), *(described if number == 1 else ())),  # type: ignore[misc]
            values={"courses": tuple(entries), "total": len(courses), "pages": links, "number": number, **more},
        )


def numbered(url: str, entries: Sequence[Entry]) -> Iterator[tuple[str, Sequence[Entry], int, list[str]]]:
    """Address, entries and number of each page of a list, with the addresses of all of them. There is always one."""
    count = max(1, -(-len(entries) // PER_PAGE))
    links = [url if number == 1 else f"{url}page/{number}/" for number in range(1, count + 1)]
    for number, address in enumerate(links, start=1):
        yield address, entries[(number - 1) * PER_PAGE : number * PER_PAGE], number, links


def tagged(courses: Sequence[PublicCourse]) -> dict[str, tuple[str, list[PublicCourse]]]:
    """Address → the tag as most courses spell it, and its courses. Two spellings of one word are one tag."""
    spellings: dict[str, Counter[str]] = {}
    found: dict[str, list[PublicCourse]] = {}
    for course in courses:
        for slug, tag in {urls.tag_slug(tag): tag for tag in course.tags}.items():
            if slug:
                spellings.setdefault(slug, Counter())[tag] += 1
                found.setdefault(slug, []).append(course)
    return {slug: (spellings[slug].most_common(1)[0][0], found[slug]) for slug in sorted(found)}


def related(course: PublicCourse, courses: Sequence[PublicCourse]) -> list[PublicCourse]:
    """Up to three others: those that the file names, or else those with most in common."""
    family = course.translation_of or course.id
    others = [each for each in courses if (each.translation_of or each.id) != family and each.slug != course.slug]
    if course.related:
        named = {other.id: other for other in others}
        return [named[each].card for each in course.related if each in named]
    mine = {urls.tag_slug(tag) for tag in course.tags}

    def common(other: PublicCourse) -> int:
        tags = len(mine & {urls.tag_slug(tag) for tag in other.tags})
        return 4 * tags + 2 * (other.instructor.id == course.instructor.id) + (other.level == course.level)

    return [other.card for other in sorted(others, key=common, reverse=True)[:3]]


def level_title(level: model.Level, _: Words) -> str:
    """What a list of courses of a level is called."""
    titles: dict[model.Level, Callable[[], str]] = {
        "beginner": lambda: _("Courses for beginners"),
        "intermediate": lambda: _("Courses for people with some experience"),
        "advanced": lambda: _("Advanced courses"),
        "all": lambda: _("Courses for all levels"),
    }
    return titles[level]()
