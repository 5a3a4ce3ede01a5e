"""Which pages there are, and what each template receives. Pure: a PublicCatalog in, pages out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote

from sitegen import urls
from sitegen.catalog.public import PublicCatalog, PublicCourse
from sitegen.catalog.words import Words
from sitegen.content.load import Content
from sitegen.site import structured_data


@dataclass(frozen=True)
class SitePage:
    """One URL, its template, and the template's values. `indexed` says whether search engines may list it."""

    url: str
    template: str
    title: str
    description: str
    language: str
    indexed: bool = True
    save_as: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Where the page is written, below the output folder."""
        return self.save_as or urls.save_as(self.url)


def all_pages(public: PublicCatalog, content: Content, site_url: str) -> Iterator[SitePage]:
    """Every page."""
    site, _ = public.site, public.site.say
    page = partial(SitePage, language=site.language)
    cards = tuple(course.card for course in public.courses)
    listing = structured_data.to_json(structured_data.course_list(public, site_url))
    yield page(urls.HOME, "home", site.name, site.description, values={"courses": cards, "json_ld": listing})
    yield page(urls.COURSES, "catalogue", _("Courses"), site.description, values={"courses": cards, "json_ld": listing})
    for course in (*public.courses, *public.retired):
        yield from _course_pages(public, course, site_url)
    for redirect in public.redirects:
        yield page(redirect.old, "moved", _("This page has moved"), "", indexed=False, values={"target": redirect.new})
    for own in content.pages:
        yield page(own.address, "page", own.title, own.summary, values={"page": own})
    yield page(urls.NEWS, "news", _("News"), "", values={"posts": content.posts})
    for post in content.posts:
        yield page(post.address, "article", post.title, post.summary, values={"post": post})
    yield from _shells(page, _)
    values = {"courses": cards}
    yield page("/404.html", "404", _("Page not found"), "", indexed=False, save_as="404.html", values=values)


def _course_pages(public: PublicCatalog, course: PublicCourse, site_url: str) -> Iterator[SitePage]:
    language = course.language or public.site.language
    page, _ = partial(SitePage, language=language), public.site.in_language(language)
    described = structured_data.to_json(structured_data.course(public, course, site_url))
    preview = next((lesson for lesson in course.lessons if lesson.preview), None)
    related = [other.card for other in public.courses if other.slug != course.slug][:2]
    yield page(
        urls.course(course.slug),
        "course",
        course.title,
        course.summary,
        indexed=course.is_for_sale,
        values={"course": course, "json_ld": described, "first_preview": preview, "related": related},
    )
    if course.price and course.is_for_sale:
        yield page(
            urls.gift(course.slug),
            "gift",
            _("Give “{course}” as a gift", course=course.title),
            "",
            indexed=False,
            values={"course": course},
        )
    if course.intro_duration:
        yield page(
            urls.intro(course.slug),
            "preview",
            _("{course}: the introduction", course=course.title),
            course.summary,
            indexed=course.is_for_sale,
            values={"course": course, "lesson": None, "source": f"/api/previews/{quote(course.slug)}"},
        )
    outline = course.outline
    for number, lesson in enumerate(course.lessons):
        title = f"{lesson.title} · {course.title}"
        if lesson.preview:
            yield page(
                urls.preview(course.slug, lesson.slug),
                "preview",
                title,
                lesson.summary or course.summary,
                indexed=course.is_for_sale,
                values={
                    "course": course,
                    "lesson": lesson,
                    "source": f"/api/previews/{quote(course.slug)}/{quote(lesson.slug)}",
                },
            )
        yield page(
            urls.learn(course.slug, lesson.slug),
            "lesson",
            title,
            lesson.summary or "",
            indexed=False,
            values={
                "course": outline,
                "lesson": outline.lessons[number],
                "previous": outline.lessons[number - 1] if number else None,
                "next": outline.lessons[number + 1] if number + 1 < len(outline.lessons) else None,
                "number": number + 1,
            },
        )


def _shells(page: Callable[..., SitePage], _: Words) -> Iterator[SitePage]:
    nothing: dict[str, object] = {"course": None, "lesson": None, "previous": None, "next": None}
    yield page(urls.ANY_LESSON, "any_lesson", _("Lesson"), "", indexed=False, values=nothing)
    for url, template, title in (
        (urls.LIBRARY, "library", _("Your library")),
        (urls.SIGN_IN, "sign_in", _("Sign in")),
        (urls.SIGN_IN_LINK, "sign_in_link", _("Sign in")),
        (urls.SIGN_UP, "sign_up", _("Create an account")),
        (urls.WELCOME, "welcome", _("Create your account")),
        (urls.RESET, "reset", _("Choose a new password")),
        (urls.CLAIM, "claim", _("Your course is waiting")),
        (urls.ACCOUNT, "account", _("Your account")),
        (urls.NEW_EMAIL, "new_email", _("Your new email address")),
        (urls.GIFTS, "gifts", _("Gifts you’ve sent")),
        (urls.RECEIPTS, "receipts", _("Your receipts")),
        (urls.CHECKOUT_SUCCESS, "success", _("Thank you")),
        (urls.CHECK_EMAIL, "check_email", _("Check your email")),
    ):
        yield page(url, template, title, "", indexed=False)
