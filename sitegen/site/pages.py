"""Which pages there are, and what each template receives. Pure: a PublicCatalog in, pages out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from sitegen import urls
from sitegen.catalog.public import PublicCatalog, PublicCourse
from sitegen.content.load import Content
from sitegen.site import structured_data


@dataclass(frozen=True)
class SitePage:
    """One URL, its template, and the template's values. `indexed` says whether search engines may list it."""

    url: str
    template: str
    title: str
    description: str
    indexed: bool = True
    save_as: str = ""
    values: dict[str, object] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Where the page is written, below the output folder."""
        return self.save_as or urls.save_as(self.url)


def all_pages(public: PublicCatalog, content: Content, site_url: str) -> Iterator[SitePage]:
    """Every page."""
    site = public.site
    cards = tuple(course.card for course in public.courses)
    listing = structured_data.to_json(structured_data.course_list(public, site_url))
    yield SitePage(urls.HOME, "home", site.name, site.description, values={"courses": cards, "json_ld": listing})
    yield SitePage(
        urls.COURSES, "catalogue", "Courses", site.description, values={"courses": cards, "json_ld": listing}
    )
    for course in (*public.courses, *public.retired):
        yield from _course_pages(public, course, site_url)
    for redirect in public.redirects:
        yield SitePage(redirect.old, "moved", "This page has moved", "", indexed=False, values={"target": redirect.new})
    for page in content.pages:
        yield SitePage(page.address, "page", page.title, page.summary, values={"page": page})
    yield SitePage(urls.NEWS, "news", "News", "", values={"posts": content.posts})
    for post in content.posts:
        yield SitePage(post.address, "article", post.title, post.summary, values={"post": post})
    yield from _shells()
    yield SitePage(
        "/404.html", "404", "Page not found", "", indexed=False, save_as="404.html", values={"courses": cards}
    )


def _course_pages(public: PublicCatalog, course: PublicCourse, site_url: str) -> Iterator[SitePage]:
    described = structured_data.to_json(structured_data.course(public, course, site_url))
    preview = next((lesson for lesson in course.lessons if lesson.preview), None)
    related = [other.card for other in public.courses if other.slug != course.slug][:2]
    yield SitePage(
        urls.course(course.slug),
        "course",
        course.title,
        course.summary,
        indexed=course.is_for_sale,
        values={"course": course, "json_ld": described, "first_preview": preview, "related": related},
    )
    if course.price and course.is_for_sale:
        yield SitePage(
            urls.gift(course.slug),
            "gift",
            f"Give “{course.title}” as a gift",
            "",
            indexed=False,
            values={"course": course},
        )
    if course.intro_duration:
        yield SitePage(
            urls.intro(course.slug),
            "preview",
            f"{course.title}: the introduction",
            course.summary,
            indexed=course.is_for_sale,
            values={"course": course, "lesson": None, "source": f"/api/previews/{quote(course.slug)}"},
        )
    outline = course.outline
    for number, lesson in enumerate(course.lessons):
        title = f"{lesson.title} · {course.title}"
        if lesson.preview:
            yield SitePage(
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
        yield SitePage(
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


def _shells() -> Iterator[SitePage]:
    nothing: dict[str, object] = {"course": None, "lesson": None, "previous": None, "next": None}
    yield SitePage(urls.ANY_LESSON, "any_lesson", "Lesson", "", indexed=False, values=nothing)
    for url, template, title in (
        (urls.LIBRARY, "library", "Your library"),
        (urls.SIGN_IN, "sign_in", "Sign in"),
        (urls.SIGN_IN_LINK, "sign_in_link", "Sign in"),
        (urls.SIGN_UP, "sign_up", "Create an account"),
        (urls.WELCOME, "welcome", "Create your account"),
        (urls.RESET, "reset", "Choose a new password"),
        (urls.CLAIM, "claim", "Your course is waiting"),
        (urls.ACCOUNT, "account", "Your account"),
        (urls.NEW_EMAIL, "new_email", "Your new email address"),
        (urls.GIFTS, "gifts", "Gifts you’ve sent"),
        (urls.RECEIPTS, "receipts", "Your receipts"),
        (urls.CHECKOUT_SUCCESS, "success", "Thank you"),
        (urls.CHECK_EMAIL, "check_email", "Check your email"),
    ):
        yield SitePage(url, template, title, "", indexed=False)
