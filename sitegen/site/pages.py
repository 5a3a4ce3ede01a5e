"""Which pages there are, and what each template receives. Pure: what visitors may see goes in, pages come out."""

from collections.abc import Iterator
from functools import partial

from sitegen import urls
from sitegen.catalog.words import Words
from sitegen.content.load import Content, Post
from sitegen.content.load import Page as OwnPage
from sitegen.site import listings, structured_data, twins
from sitegen.site.course_pages import course_pages
from sitegen.site.listings import MakesPages
from sitegen.site.page import SitePage, Whole


def all_pages(whole: Whole, content: Content) -> Iterator[SitePage]:
    """Every page."""
    public, site_url = whole.public, whole.site_url
    site, _ = public.site, public.site.say
    page: MakesPages = partial(SitePage, language=site.language)
    cards = tuple(course.card for course in public.courses)
    yield page(
        urls.HOME,
        "home",
        site.name,
        site.description,
        described=(
            structured_data.organization(site, site_url),
            structured_data.website(site, site_url),
            structured_data.course_list(cards, site_url),
        ),
        shared=whole.shared(site.tagline, "", _),
        twin=twins.home(public, content, site_url),
        values={
            "courses": cards[: listings.PER_PAGE],
            "total": len(cards),
            "posts": content.posts[:3],
            "intros": {card.id: card for card in cards if card.intro_duration},
            "teachers": tuple({card.instructor.id: card.instructor for card in cards}.values()),
        },
    )
    yield from listings.catalogue(page, whole)
    for course in (*public.courses, *public.retired):
        yield from course_pages(whole, course)
    for redirect in public.redirects:
        yield page(redirect.old, "moved", _("This page has moved"), "", indexed=False, values={"target": redirect.new})
    for own in content.pages:
        yield _own_page(page, whole, own)
    for address, posts, number, links in listings.numbered(urls.NEWS, content.posts):
        values = {"posts": posts, "pages": links, "number": number}
        yield page(address, "news", _("News"), "", values=values)
    for post in content.posts:
        yield _post(page, whole, post)
    if whole.has_search:
        yield page(urls.SEARCH, "search", _("Search"), "", indexed=False)
    yield from _shells(page, _, has_newsletter=site.newsletter)
    yield page(
        "/404.html", "404", _("Page not found"), "", indexed=False, save_as="404.html", values={"courses": cards[:3]}
    )


def _own_page(page: MakesPages, whole: Whole, own: OwnPage) -> SitePage:
    dates = whole.history.of(own.file)
    return page(
        own.address,
        "page",
        own.search_title or own.title,
        own.summary,
        updated=dates.last if dates else None,
        shared=whole.shared(own.title, "", whole.public.site.say, own.share_picture),
        twin=twins.text(own.title, own.summary, own.markdown),
        values={"page": own},
    )


def _post(page: MakesPages, whole: Whole, post: Post) -> SitePage:
    site, dates = whole.public.site, whole.history.of(post.file)
    changed = dates.last if dates else None
    shared = whole.shared(post.title, ", ".join(post.authors), site.say, post.share_picture, post.picture)
    return page(
        post.address,
        "article",
        post.search_title or post.title,
        post.summary,
        kind="article",
        updated=changed,
        crumbs=((site.say("News"), urls.NEWS), (post.title, post.address)),
        shared=shared,
        twin=twins.text(post.title, post.summary, post.markdown),
        described=(structured_data.article(post, site, whole.site_url, shared.address, changed),),
        values={"post": post},
    )


def _shells(page: MakesPages, _: Words, *, has_newsletter: bool) -> Iterator[SitePage]:
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
        (urls.REVIEW, "review", _("Your review")),
        (urls.NEWSLETTER, "newsletter", _("News by email")),
        (urls.NEWSLETTER_CONFIRM, "newsletter_confirm", _("Confirm your address")),
        (urls.NEWSLETTER_END, "newsletter_end", _("Unsubscribe")),
    ):
        if has_newsletter or not template.startswith("newsletter"):
            yield page(url, template, title, "", indexed=False)
