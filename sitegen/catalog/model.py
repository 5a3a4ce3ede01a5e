"""The compiled catalogue: everything resolved, checked and rendered. Private; `public.py` says what visitors see."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sitegen.catalog.taxes import Taxes
from sitegen.catalog.words import Forms, Words, words_of

Level = Literal["beginner", "intermediate", "advanced", "all"]


class Compiled(BaseModel):
    """Base of compiled shapes: immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Picture(Compiled):
    """A public picture: `file` below the school's folder, and its URL path, which changes with its content."""

    file: str
    address: str


class PrivateFile(Compiled):
    """A picture or file of a paid text: `file` below the school's folder, and `name` where the service reads it."""

    file: str
    name: str


class Price(Compiled):
    """Minor units of `currency` (ISO 4217, upper case)."""

    amount: int
    currency: str


def price_of_form(price: Price | None) -> str:
    """As a page states it in its form, so that the service knows what the buyer saw: “4900 EUR”, or “free”."""
    return f"{price.amount} {price.currency}" if price else "free"


class Resource(Compiled):
    """A download. `key` is its name in private storage."""

    id: str
    name: str
    key: str
    type: str
    size: int | None


class Captions(Compiled):
    """Subtitles in one language, as WebVTT."""

    language: str
    vtt: str


class Chapter(Compiled):
    """A part of a video. `start` in seconds."""

    start: int
    title: str


class Lesson(Compiled):
    """One lesson, with its paid parts. `duration` in seconds."""

    id: str
    slug: str
    title: str
    summary: str | None
    notes_markdown: str | None
    notes_html: str | None
    video: str | None
    hls: str | None = None  # a folder in storage, for a video of one's own
    duration: int | None
    preview: bool
    published: bool
    publish_at: datetime | None = None
    public_excerpt: str = ""  # lessons that were compiled by an earlier version have none
    moved_from: tuple[str, ...]
    captions: tuple[Captions, ...]
    chapters: tuple[Chapter, ...]
    resources: tuple[Resource, ...]
    files: tuple[PrivateFile, ...] = ()

    @property
    def has_video(self) -> bool:
        """At Stream, or of one's own."""
        return self.video is not None or self.hls is not None


class Module(Compiled):
    """A group of lessons."""

    id: str
    title: str
    summary: str | None
    lessons: tuple[Lesson, ...]
    resources: tuple[Resource, ...]


class IntroVideo(Compiled):
    """The course's introduction video. `duration` in seconds."""

    video: str
    duration: int


class Question(Compiled):
    """A buyer's question, answered."""

    question: str
    answer_html: str


class Testimonial(Compiled):
    """What somebody said about a course, or about the school."""

    name: str
    role: str | None
    quote: str
    source: str | None
    picture: Picture | None = None


class Review(Compiled):
    """What one person said about a course; `source` where that was elsewhere."""

    name: str
    stars: int
    day: date
    text: str
    verified: bool
    source: str | None
    answer: str


class Instructor(Compiled):
    """An instructor."""

    id: str
    name: str
    role: str | None
    bio_html: str
    photo: Picture | None


class Course(Compiled):
    """One course, with its paid parts. `price` None means free."""

    id: str
    slug: str
    title: str
    summary: str
    description_markdown: str
    description_html: str
    status: Literal["draft", "published", "retired"]
    language: str | None = None  # where it is another than the school's
    level: Level
    instructor: Instructor
    tags: tuple[str, ...]
    thumbnail: Picture
    thumbnail_alt: str
    folder: str = ""  # below the school's; courses that were compiled by an earlier version have none of these
    related: tuple[str, ...] = ()
    translation_of: str | None = None
    share_picture: Picture | None = None
    search_title: str | None = None
    search_description: str | None = None
    certificate: str | None = None
    price_note: str | None = None  # None means the school's, as with the next
    promises: tuple[str, ...] | None = None
    reviews: tuple[Review, ...] = ()
    price: Price | None
    partial_refund_keeps_access: bool
    intro_video: IntroVideo | None
    outcomes: tuple[str, ...]
    requirements: tuple[str, ...]
    questions: tuple[Question, ...]
    testimonials: tuple[Testimonial, ...] = ()  # courses that were compiled by an earlier version have none
    resources: tuple[Resource, ...]
    modules: tuple[Module, ...]
    moved_from: tuple[str, ...]
    retired: tuple[str, ...]
    replaced_by: dict[str, str]
    pictures: tuple[Picture, ...] = ()
    publish_at: datetime | None = None

    @property
    def published(self) -> bool:
        """Whether it is for sale."""
        return self.status == "published"

    @property
    def is_open(self) -> bool:
        """Whether its owners may watch it; a retired course is no longer for sale, and theirs."""
        return self.status != "draft"

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        """Published lessons, in the order they are taught."""
        return tuple(lesson for lesson in self.all_lessons if lesson.published)

    @property
    def all_lessons(self) -> tuple[Lesson, ...]:
        """Hidden ones too, in the order of the file."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    def with_lessons(self, change: Callable[[Lesson], Lesson]) -> "Course":
        """The course with each lesson, hidden ones too, as `change` gives it back."""
        modules = tuple(
            module.model_copy(update={"lessons": tuple(change(lesson) for lesson in module.lessons)})
            for module in self.modules
        )
        return self.model_copy(update={"modules": modules})


def _at(course: Course, moment: datetime) -> Course:
    def then(lesson: Lesson) -> Lesson:
        is_later = lesson.publish_at is not None and lesson.publish_at > moment
        return lesson.model_copy(update={"published": False}) if is_later else lesson

    changed = course.with_lessons(then)
    is_later = course.publish_at is not None and course.publish_at > moment
    return changed.model_copy(update={"status": "draft"}) if is_later else changed


class MenuLink(Compiled):
    """A link in the header or the footer."""

    label: str
    link: str


class Seller(Compiled):
    """Who sells."""

    name: str
    address: str
    country: str
    registration: str | None
    vat_id: str | None
    taxes: Taxes | None = None  # sites that were compiled by an earlier version have none


class HomeSection(Compiled):
    """A part of the home page."""

    section: Literal["hero", "courses", "teachers", "testimonials", "news", "text", "sign-up"]
    title: str | None = None
    text_html: str = ""
    picture: Picture | None = None
    picture_alt: str = ""
    button: MenuLink | None = None
    intro: str | None = None


class Brand(Compiled):
    """How the school looks, beside its two colours. `fonts` are files below the school's folder, by use."""

    logo_dark: Picture | None = None
    logo_height: int = 28
    faces: Literal["serif", "sans"] = "serif"
    fonts: dict[str, str] = {}
    corners: Literal["square", "soft", "round"] = "soft"
    density: Literal["compact", "comfortable", "airy"] = "comfortable"
    css: str | None = None


class Site(Compiled):
    """The school."""

    name: str
    tagline: str
    description: str
    url: str
    language: str
    contact_email: str
    timezone: str
    promotion_codes: Literal["stripe", "own", "off"]
    price_note: str = ""  # sites that were compiled by an earlier version have none
    featured: tuple[str, ...] = ()
    menu: tuple[MenuLink, ...] = ()
    footer: tuple[MenuLink, ...] = ()
    refund_days: int | None = None
    promises: tuple[str, ...] = ()
    app: str | None = None
    home: tuple[HomeSection, ...] = (HomeSection(section="hero"), HomeSection(section="courses"))
    testimonials: tuple[Testimonial, ...] = ()
    newsletter: bool = False
    social: tuple[MenuLink, ...] = ()
    seller: Seller | None = None
    payment_marks: tuple[str, ...] = ()
    robots: Literal["all", "no-ai", "none"] = "all"
    security_contact: str | None = None
    head_hosts: tuple[str, ...] = ()
    search: bool = True
    pictures: tuple[Picture, ...] = ()
    logo: Picture | None
    brand_color: str
    brand_accent: str
    brand: Brand = Brand()
    head_html: str = ""
    look: Literal["paper", "studio"] = "paper"
    retired: tuple[str, ...]
    replaced_by: dict[str, str]
    words: dict[str, dict[str, Forms]] = {}  # of the school's own theme: language → sentence → translation

    @property
    def say(self) -> Words:
        """The sentences of pages and messages, in the school's language."""
        return self.in_language(self.language)

    def speaking(self, language: str | None) -> "Site":
        """The school in the language of a course of its."""
        return self.model_copy(update={"language": language}) if language else self

    def in_language(self, language: str) -> Words:
        """The sentences in another language, such as a course's own."""
        words = words_of(language, self.words)
        is_known = words.known or words.is_english or language == self.language
        return words if is_known else words_of(self.language, self.words).on_page_in(language)


class Redirect(Compiled):
    """An old address of a page, and its new one."""

    old: str
    new: str


class Catalog(Compiled):
    """The school and all its courses, drafts included."""

    site: Site
    courses: tuple[Course, ...]
    redirects: tuple[Redirect, ...]

    def at(self, moment: datetime) -> "Catalog":
        """As it is then: what is published later is a draft, or hidden."""
        if not any(due > moment for due, _ in self.dates()):
            return self
        return self.model_copy(update={"courses": tuple(_at(course, moment) for course in self.courses)})

    def dates(self) -> tuple[tuple[datetime, str], ...]:
        """When something is published, and what, in the order of time."""
        found = [(course.publish_at, f"course {course.id}") for course in self.courses]
        found += [
            (lesson.publish_at, f"lesson {lesson.id} of {course.id}")
            for course in self.courses
            for lesson in course.all_lessons
        ]
        return tuple(sorted((moment, what) for moment, what in found if moment is not None))

    @property
    def published(self) -> tuple[Course, ...]:
        """The courses that are for sale, in the order of their titles."""
        return tuple(course for course in self.courses if course.published)
