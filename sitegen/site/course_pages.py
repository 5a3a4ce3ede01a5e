"""The pages of one course: its sales page, the gift form, the introduction, previews, and lessons for owners."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote

from sitegen import urls
from sitegen.catalog.public import PublicCatalog, PublicCourse, PublicLesson
from sitegen.catalog.words import Words
from sitegen.site import structured_data, twins
from sitegen.site.listings import MakesPages, related, tagged
from sitegen.site.page import Shared, SitePage, Whole


def course_pages(whole: Whole, course: PublicCourse) -> Iterator[SitePage]:
    """Every page of it."""
    site = whole.public.site
    language = course.language or site.language
    page: MakesPages = partial(SitePage, language=language)
    _ = site.in_language(language)
    by = _("With {name}", name=course.instructor.name)
    shared = whole.shared(course.title, by, _, course.share_picture, course.thumbnail)
    yield _sales_page(page, whole, course, _, shared)
    if course.price and course.is_for_sale:
        title = _("Give “{course}” as a gift", course=course.title)
        yield page(urls.gift(course.slug), "gift", title, "", indexed=False, values={"course": course})
    for lesson in (*([None] if course.intro_duration else []), *(each for each in course.lessons if each.preview)):
        yield _preview(page, whole, course, lesson, _, shared)
    outline = course.outline
    for number, lesson in enumerate(outline.lessons):
        yield page(
            urls.learn(course.slug, lesson.slug),
            "lesson",
            f"{lesson.title} · {course.title}",
            lesson.summary or "",
            indexed=False,
            values={
                "course": outline,
                "lesson": lesson,
                "previous": outline.lessons[number - 1] if number else None,
                "next": outline.lessons[number + 1] if number + 1 < len(outline.lessons) else None,
                "number": number + 1,
            },
        )


def _sales_page(page: MakesPages, whole: Whole, course: PublicCourse, _: Words, shared: Shared) -> SitePage:
    public, dates = whole.public, whole.history.of(course.folder)
    described = [structured_data.course(public, course, whole.site_url, shared.address)]
    if course.questions:
        described.append(structured_data.questions(course))
    address = urls.course(course.slug)
    return page(
        address,
        "course",
        course.search_title or course.title,
        course.description,
        indexed=course.is_for_sale,
        crumbs=((_("Courses"), urls.COURSES), (course.title, address)),
        updated=dates.last if dates else None,
        shared=shared,
        twin=twins.course(course, public.site, whole.site_url, _),
        described=tuple(described),
        alternates=_alternates(public, course),
        values={
            "course": course,
            "first_preview": next((lesson for lesson in course.lessons if lesson.preview), None),
            "related": tuple(related(course, public.courses)) if course.is_for_sale else (),
            "topics": tuple((slug, name) for slug, (name, _courses) in tagged([course]).items()),
            "captions": tuple(sorted({each for lesson in course.lessons for each in lesson.captions})),
        },
    )


def _preview(
    page: MakesPages, whole: Whole, course: PublicCourse, lesson: PublicLesson | None, _: Words, shared: Shared
) -> SitePage:
    """A free lesson; the introduction where it is None."""
    dates = whole.history.of(course.folder)
    source = f"/api/previews/{quote(course.slug)}" + (f"/{quote(lesson.slug)}" if lesson else "")
    url = urls.preview(course.slug, lesson.slug) if lesson else urls.intro(course.slug)
    title = f"{lesson.title} · {course.title}" if lesson else _("{course}: the introduction", course=course.title)
    has_video = lesson.has_video if lesson else True
    described = []
    if has_video and dates is not None and shared.address:  # search engines refuse a video without date or picture
        described.append(
            structured_data.video(course, lesson, url, whole.site_url, since=dates.first, picture=shared.address)
        )
    name = lesson.title if lesson else _("Introduction")
    return page(
        url,
        "preview",
        title,
        (lesson.summary if lesson else None) or course.description,
        indexed=course.is_for_sale,
        crumbs=((_("Courses"), urls.COURSES), (course.title, urls.course(course.slug)), (name, url)),
        updated=dates.last if dates else None,
        shared=shared,
        described=tuple(described),
        twin=twins.preview(course, lesson) if lesson and lesson.preview else "",
        values={"course": course, "lesson": lesson, "source": source},
    )


def _alternates(public: PublicCatalog, course: PublicCourse) -> tuple[tuple[str, str], ...]:
    """The same course in other languages, itself included."""
    origin = course.translation_of or course.id
    family = [each for each in public.courses if (each.translation_of or each.id) == origin]
    if len(family) < 2:
        return ()
    return tuple((each.language or public.site.language, urls.course(each.slug)) for each in family)
