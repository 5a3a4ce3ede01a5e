"""Public pages as Markdown, for programs that read instead of looking: `…/index.md` beside `…/index.html`."""

from sitegen import urls
from sitegen.catalog.model import Site
from sitegen.catalog.money import format_clock, format_duration, format_money
from sitegen.catalog.public import PublicCatalog, PublicCourse, PublicLesson, price_note
from sitegen.catalog.words import Words
from sitegen.content.load import Content


def text(title: str, summary: str, markdown: str) -> str:
    """A page or a post."""
    return _joined(f"# {title}", f"> {summary}" if summary else "", markdown.strip())


def course(item: PublicCourse, site: Site, site_url: str, _: Words) -> str:
    """A course: what its page says."""
    price = format_money(item.price.amount, item.price.currency, _.language) if item.price else _("Free")
    price = f"{price} {price_note(item, site, _)}".strip() if item.price else price
    gone, refund = _("No longer for sale"), ""
    if site.refund_days and item.price:
        refund = _.plural("Your money back within a day", "Your money back within {count} days", site.refund_days)
    facts = [
        f"- {price if item.is_for_sale else gone}",
        *([f"- {refund}"] if refund and item.is_for_sale else []),
        *([f"- {item.certificate}"] if item.certificate else []),
        f"- {_.plural('{count} lesson', '{count} lessons', len(item.lessons))}",
        f"- {_('With {name}', name=item.instructor.name)}",
    ]
    if item.duration:
        facts.append(f"- {_('{duration} of video', duration=format_duration(item.duration, _))}")
    outcomes = [f"## {_('What you will learn')}", "\n".join(f"- {each}" for each in item.outcomes)]
    lessons = "\n\n".join(
        f"### {module.title}\n\n" + "\n".join(f"1. {_lesson(item, lesson, site_url)}" for lesson in module.lessons)
        for module in item.modules
    )
    curriculum, needed = _("Curriculum"), _("What you need")
    return _joined(
        f"# {item.title}",
        f"> {item.summary}",
        "\n".join(facts),
        *(outcomes if item.outcomes else ()),
        item.description_markdown.strip(),
        f"## {curriculum}",
        lessons,
        *([f"## {needed}", "\n".join(f"- {each}" for each in item.requirements)] if item.requirements else ()),
    )


def preview(item: PublicCourse, lesson: PublicLesson) -> str:
    """A free lesson: its notes."""
    notes = lesson.preview.notes_markdown if lesson.preview else ""
    return _joined(f"# {lesson.title}", f"> {lesson.summary or item.summary}", notes.strip())


def home(public: PublicCatalog, content: Content, site_url: str) -> str:
    """The whole site as a list of links, which is also `llms.txt` (https://llmstxt.org)."""
    site, _ = public.site, public.site.say

    def link(title: str, url: str, about: str) -> str:
        return f"- [{title}]({site_url}{urls.twin(url)}){f': {about}' if about else ''}"

    courses = [link(each.title, urls.course(each.slug), each.summary) for each in public.courses]
    pages = [link(each.title, each.address, each.summary) for each in content.pages]
    posts = [link(each.title, each.address, each.summary) for each in content.posts]
    news, more = _("News"), _("More")
    return _joined(
        f"# {site.name}",
        f"> {site.description}",
        f"## {_('Courses')}",
        "\n".join(courses),
        *([f"## {news}", "\n".join(posts)] if posts else ()),
        *([f"## {more}", "\n".join(pages)] if pages else ()),
    )


def _lesson(item: PublicCourse, lesson: PublicLesson, site_url: str) -> str:
    url = site_url + urls.twin(urls.preview(item.slug, lesson.slug))
    title = f"[{lesson.title}]({url})" if lesson.preview else lesson.title
    return f"{title} ({format_clock(lesson.duration)})" if lesson.duration else title


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
