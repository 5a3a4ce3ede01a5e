"""A course's public page, saved from Udemy, Teachable, Thinkific or Podia → its outline, as a draft.

A page tells titles, order, lengths and the description; texts, videos and files are not in it. What schema.org says
on the page is believed first, then the classes that these platforms' pages use.
https://schema.org/Course
"""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from sitegen.moving_in.course import FoundCourse, FoundLesson, FoundModule, Lost
from sitegen.moving_in.names import slug_for

# What the classes (or data-purpose) of an element look like that holds the title of a module or of a lesson.
_MODULE = re.compile(
    r"section-title|section__title|chapter-title|chapter__title|chapter-name|module-title|module__title|section-heading"
    r"|curriculum-section-title|section--section-title|course-section__title|accordion-title|syllabus__section-title"
)
_LESSON = re.compile(
    r"lecture-name|lecture-title|lesson-title|lesson__title|lesson-name|chapter-lesson|chapter__lesson|item-title"
    r"|curriculum-item-title|section--row--|course-lecture-title|content-title|lecture__title|syllabus__lesson-title"
)
_DURATION = re.compile(r"\(?\b(?:(\d{1,2}):)?(\d{1,2}):(\d{2})\b\)?")
_ISO = re.compile(r"P(?:T)?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_FREE = re.compile(r"\b(preview|free|vorschau|kostenlos|gratis)\b", re.I)
_LONGEST_TITLE = 300


class PageUnknown(Exception):
    """The page has no course; the message says what to do."""


@dataclass
class _Open:
    """An element that is read. `kind` is what its text is the title of."""

    tag: str
    kind: str = ""
    words: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """Titles of modules and lessons in their order, and what the page says of itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, str]] = []
        self.data: list[object] = []
        self.meta: dict[str, str] = {}
        self.title = ""
        self._stack: list[_Open] = []
        self._script: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[values.get("property") or values.get("name", "")] = values.get("content", "")
        if tag == "script":
            self._script = [] if "ld+json" in values.get("type", "") else None
        if tag in _VOID:
            return
        label = f"{values.get('class', '')} {values.get('data-purpose', '')} {values.get('data-testid', '')}".lower()
        kind = "h1" if tag in ("h1", "title") else "module" if _MODULE.search(label) else ""
        kind = kind or ("lesson" if _LESSON.search(label) else "")
        self._stack.append(_Open(tag, kind))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._script is not None:
            with contextlib.suppress(ValueError):
                self.data.append(json.loads("".join(self._script)))
            self._script = None
        while any(each.tag == tag for each in self._stack):
            element = self._stack.pop()
            words = re.sub(r"\s+", " ", " ".join(element.words)).strip()
            if element.kind == "h1":
                self.title = self.title or words
            elif element.kind and words:
                self._keep(element.kind, words)
            if self._stack and not element.kind:
                self._stack[-1].words += element.words
            if element.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            self._script.append(data)
        elif self._stack and self._stack[-1].tag not in ("script", "style"):
            self._stack[-1].words.append(data)

    def _keep(self, kind: str, words: str) -> None:
        if self.found and self.found[-1] == (kind, words):
            return  # an element inside another that is called alike
        self.found.append((kind, words))


def course_of_page(content: bytes, slug: str, lost: list[Lost], name: str) -> FoundCourse:
    """The outline of a saved page. Raises PageUnknown."""
    page = _Page()
    page.feed(content.decode("utf-8", "replace"))
    page.close()
    described = next(_courses(page.data), {})
    title = str(described.get("name") or page.meta.get("og:title") or page.title).partition(" | ")[0].strip()
    if not title:
        raise PageUnknown(f"{name} names no course. Save the course’s public page in a browser: File, Save page as.")
    course = FoundCourse(slug, title[:_LONGEST_TITLE])
    description = str(described.get("description") or page.meta.get("og:description") or "").strip()
    course.summary = re.sub(r"\s+", " ", description).partition(". ")[0][:_LONGEST_TITLE]
    course.description = f"{description}\n" if description else ""
    course.modules = list(_from_data(described)) or list(_from_classes(page.found))
    if not course.lessons:
        lost.append(Lost(name, 0, "names no lessons: open every section of its curriculum before you save the page"))
    else:
        lost.append(Lost(name, 0, "has no texts, videos or files of the lessons: these are not on a public page"))
    _number(course)
    return course


def _courses(data: list[object]) -> Iterator[Mapping[str, object]]:
    for each in data:
        items = each if isinstance(each, list) else [each]
        for item in items:
            if not isinstance(item, dict):
                continue
            graph = item.get("@graph")
            if isinstance(graph, list):
                yield from _courses([graph])
            kinds = item.get("@type")
            if "Course" in (kinds if isinstance(kinds, list) else [kinds]):
                yield item


def _from_data(course: Mapping[str, object]) -> Iterator[FoundModule]:
    sections = course.get("syllabusSections")
    for number, section in enumerate(sections if isinstance(sections, list) else []):
        if not isinstance(section, dict):
            continue
        parts = section.get("hasPart") or section.get("itemListElement") or []
        lessons = []
        for each in parts if isinstance(parts, list) else [parts]:
            item = each.get("item", each) if isinstance(each, dict) else {}
            if isinstance(item, dict) and item.get("name"):
                seconds = _iso(str(item.get("timeRequired") or ""))
                lessons.append(FoundLesson(key="", title=str(item["name"])[:_LONGEST_TITLE], duration=seconds))
        if lessons:
            yield FoundModule(f"section {number}", str(section.get("name") or f"Part {number + 1}"), lessons)


def _from_classes(found: list[tuple[str, str]]) -> Iterator[FoundModule]:
    module: FoundModule | None = None
    for kind, words in found:
        if kind == "module":
            if module is not None and module.lessons:
                yield module
            module = FoundModule(f"section {words}", _DURATION.sub("", words).strip(" ·-–|()")[:_LONGEST_TITLE])
        else:
            module = module or FoundModule("section", "Lessons")
            seconds = _clock(words)
            title = _DURATION.sub("", words)
            is_free = bool(_FREE.search(title))
            title = re.sub(r"\b(start|preview|vorschau)\b\s*$", "", title.strip(" ·-–|()"), flags=re.I).strip(" ·-–|()")
            if title and (not module.lessons or module.lessons[-1].title != title):
                module.lessons.append(
                    FoundLesson(key="", title=title[:_LONGEST_TITLE], duration=seconds, is_free=is_free)
                )
    if module is not None and module.lessons:
        yield module


def _number(course: FoundCourse) -> None:
    seen: set[str] = set()
    for number, lesson in enumerate(course.lessons, start=1):
        lesson.slug = slug_for(lesson.title)
        if lesson.slug in seen:
            lesson.slug = f"{lesson.slug[:58]}-{number}"
        seen.add(lesson.slug)
        lesson.key = lesson.slug
        lesson.file = f"{lesson.slug}.md"
        length = f" ({lesson.duration // 60}:{lesson.duration % 60:02} long)" if lesson.duration else ""
        lesson.text = f"The text or video of this lesson{length} comes here.\n"
        lesson.published = False


def _iso(text: str) -> int | None:
    found = _ISO.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _clock(text: str) -> int | None:
    found = _DURATION.search(text)
    if not found:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
