"""Two states of a school → what changes, in sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from sitegen import urls
from sitegen.catalog.model import Price
from sitegen.catalog.money import format_clock, format_money
from sitegen.differences.facts import CourseFacts, LessonFacts, SchoolFacts


@dataclass(frozen=True)
class CourseChange:
    """What changes about one course. `title` is the one it has afterwards."""

    id: str
    title: str
    sentences: tuple[str, ...]


def compare(before: SchoolFacts, after: SchoolFacts) -> list[CourseChange]:
    """Course by course, in the order of titles; those that stay as they are have no entry."""
    old = {course.id: course for course in before.courses}
    new = {course.id: course for course in after.courses}
    leads_to = {each.old: each.new for each in after.redirects}
    changes = []
    for name in sorted(old.keys() | new.keys(), key=lambda name: (new.get(name) or old[name]).title.casefold()):
        if sentences := tuple(_course(old.get(name), new.get(name), leads_to)):
            changes.append(CourseChange(name, (new.get(name) or old[name]).title, sentences))
    return changes


def _course(old: CourseFacts | None, new: CourseFacts | None, leads_to: Mapping[str, str]) -> Iterator[str]:
    was = old.status if old else None
    now = new.status if new else None
    if new is None:
        if was != "draft":
            yield "is removed: nobody can buy it any more, and its owners keep it"
        return
    count = f"{len(new.lessons)} lesson" + "s" * (len(new.lessons) != 1)
    if old is None or was == "draft":
        if now == "published":
            yield f"is new: {_price(new.price)}, {count}, at {_shown(urls.course(new.slug))}"
        elif now == "retired":
            yield "is new, and retired: nobody can buy it"
        return
    if now == "draft":
        yield "becomes a draft: nobody can buy it any more, and its owners keep it"
        return
    if was != now:
        yield (
            "is retired: nobody can buy it any more, and its owners keep it"
            if now == "retired"
            else f"is sold again: {_price(new.price)}"
        )
    yield from _sale(old, new, leads_to)
    yield from _lessons(old, new, leads_to)


def _sale(old: CourseFacts, new: CourseFacts, leads_to: Mapping[str, str]) -> Iterator[str]:
    if old.price != new.price:
        yield f"price: {_price(old.price)} → {_price(new.price)}"
    if old.title != new.title:
        yield f"title: “{old.title}” → “{new.title}”"
    if old.slug != new.slug:
        yield _moved(urls.course(old.slug), urls.course(new.slug), leads_to)
    if old.description != new.description:
        yield "the text of its page changes"


def _lessons(old: CourseFacts, new: CourseFacts, leads_to: Mapping[str, str]) -> Iterator[str]:
    before = {lesson.id: lesson for lesson in old.lessons}
    after = {lesson.id: lesson for lesson in new.lessons}
    for lesson in new.lessons:
        if lesson.id not in before:
            kind = " (free)" if lesson.is_free else ""
            yield f"lesson added: “{lesson.title}”{kind}, in “{lesson.module}”"
    for lesson in old.lessons:
        if lesson.id not in after:
            yield f"lesson removed: “{lesson.title}”"
    both = [(before[name], after[name]) for name in after if name in before]
    for was, now in both:
        yield from _lesson(was, now, old.slug, new.slug, leads_to)
    order = [lesson.id for lesson in old.lessons if lesson.id in after]
    if order != [lesson.id for lesson in new.lessons if lesson.id in before]:
        yield "lessons are in another order"
    rewritten = [now.title for was, now in both if was.content and now.content and was.content != now.content]
    if rewritten:
        yield (
            "content changes: "
            + ", ".join(f"“{title}”" for title in rewritten[:5])
            + (f" and {len(rewritten) - 5} more" if len(rewritten) > 5 else "")
        )


def _lesson(was: LessonFacts, now: LessonFacts, old: str, new: str, leads_to: Mapping[str, str]) -> Iterator[str]:
    if was.title != now.title:
        yield f"lesson renamed: “{was.title}” → “{now.title}”"
    if was.module != now.module:
        yield f"“{now.title}” moves to “{now.module}”"
    if was.is_free != now.is_free:
        yield f"“{now.title}” is {'free for everybody' if now.is_free else 'no longer free'}"
    if was.duration != now.duration and was.duration and now.duration:
        yield f"“{now.title}”: {format_clock(was.duration)} → {format_clock(now.duration)}"
    if was.slug != now.slug:
        yield _moved(urls.learn(old, was.slug), urls.learn(new, now.slug), leads_to)


def _moved(old: str, new: str, leads_to: Mapping[str, str]) -> str:
    leads = (
        "the old address leads there" if leads_to.get(old) == new else "and nothing leads there from the old address"
    )
    return f"address: {_shown(old)} → {_shown(new)}, {leads}"


def _shown(address: str) -> str:
    return unquote(address)


def _price(price: Price | None) -> str:
    return format_money(price.amount, price.currency) if price else "free"
