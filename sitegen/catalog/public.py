"""What visitors may see. These shapes have no field for a video id, a storage key or the text of a paid lesson."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TypeVar

from sitegen.catalog import model
from sitegen.catalog.captions import Cue, parse_vtt
from sitegen.catalog.taxes import tax_note
from sitegen.catalog.words import Words

Public = TypeVar("Public", "PublicCourse", "PublicModule", "PublicLesson")


@dataclass(frozen=True)
class PublicPreview:
    """What a free preview lesson shows: its whole text, and its transcript by language."""

    notes_markdown: str
    notes_html: str
    transcripts: dict[str, tuple[Cue, ...]]
    chapters: tuple[model.Chapter, ...] = ()


@dataclass(frozen=True)
class PublicLesson:
    """A line of the curriculum. `preview` is set only on lessons that are free to watch."""

    slug: str
    title: str
    summary: str | None
    duration: int | None
    has_video: bool
    is_own_video: bool
    captions: tuple[str, ...]
    chapter_count: int
    preview: PublicPreview | None


@dataclass(frozen=True)
class PublicModule:
    """A group of lessons in the curriculum; `duration` in seconds."""

    title: str
    summary: str | None
    lessons: tuple[PublicLesson, ...]

    @property
    def duration(self) -> int:
        """Seconds of video."""
        return sum(lesson.duration or 0 for lesson in self.lessons)


@dataclass(frozen=True)
class Outline:
    """What the pages of owners say about a course: its title and its lessons, without any text."""

    slug: str
    title: str
    modules: tuple[PublicModule, ...]

    @cached_property
    def lessons(self) -> tuple[PublicLesson, ...]:
        """All lessons, in order."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)


@dataclass(frozen=True)
class PublicCourse:
    """A course as templates get it. `price` None means free."""

    id: str
    slug: str
    title: str
    summary: str
    description_markdown: str
    description_html: str
    language: str | None
    level: model.Level
    instructor: model.Instructor
    tags: tuple[str, ...]
    thumbnail: model.Picture
    thumbnail_alt: str
    folder: str
    related: tuple[str, ...]
    translation_of: str | None
    share_picture: model.Picture | None
    search_title: str | None
    search_description: str | None
    certificate: str | None
    price_note: str | None  # None where the page says what the seller's country calls its tax
    promises: tuple[str, ...]
    reviews: tuple[model.Review, ...]
    price: model.Price | None
    intro_duration: int | None
    outcomes: tuple[str, ...]
    requirements: tuple[str, ...]
    questions: tuple[model.Question, ...]
    testimonials: tuple[model.Testimonial, ...]
    resource_count: int
    modules: tuple[PublicModule, ...]
    is_for_sale: bool
    pictures: tuple[model.Picture, ...] = ()

    @cached_property
    def lessons(self) -> tuple[PublicLesson, ...]:
        """All lessons, in order."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    @cached_property
    def outline(self) -> Outline:
        """The course without its texts; it stays the same while they are written."""
        modules = tuple(
            replace(module, lessons=tuple(replace(lesson, preview=None) for lesson in module.lessons))
            for module in self.modules
        )
        return Outline(self.slug, self.title, modules)

    @cached_property
    def card(self) -> "PublicCourse":
        """What lists of courses show: the course without its texts."""
        return replace(
            self,
            description_markdown="",
            description_html="",
            questions=(),
            testimonials=(),
            reviews=self._rated,
            pictures=(),
            modules=self.outline.modules,
        )

    @cached_property
    def _rated(self) -> tuple[model.Review, ...]:
        """The reviews without a word of them, for lists of courses."""
        nothing = {"name": "", "text": "", "answer": "", "source": None}
        return tuple(each.model_copy(update=nothing) for each in self.reviews)

    @property
    def stars(self) -> float:
        """The average of all reviews."""
        return sum(each.stars for each in self.reviews) / len(self.reviews)

    @property
    def distribution(self) -> list[tuple[int, int]]:
        """Stars, and how many reviews gave so many; five first."""
        return [(stars, sum(each.stars == stars for each in self.reviews)) for stars in (5, 4, 3, 2, 1)]

    @cached_property
    def duration(self) -> int:
        """Seconds of video."""
        return sum(module.duration for module in self.modules)

    @property
    def description(self) -> str:
        """For search engines and shared links."""
        return self.search_description or self.summary


@dataclass(frozen=True)
class PublicCatalog:
    """The school as visitors see it. Pages list `courses`; a retired one has a page that nothing links to."""

    site: model.Site
    courses: tuple[PublicCourse, ...]
    retired: tuple[PublicCourse, ...]
    redirects: tuple[model.Redirect, ...]

    @property
    def languages(self) -> list[Words]:
        """The words of each language that a page is in, the school's own first."""
        courses = (course.language for course in (*self.courses, *self.retired) if course.language)
        return [self.site.in_language(each) for each in dict.fromkeys([self.site.language, *sorted(courses)])]


def public_view(catalog: model.Catalog) -> PublicCatalog:
    """The catalogue without drafts, unpublished lessons and paid content."""
    shown = [_course(course, catalog.site) for course in catalog.courses if course.is_open]
    return PublicCatalog(
        catalog.site,
        tuple(course for course in shown if course.is_for_sale),
        tuple(course for course in shown if not course.is_for_sale),
        catalog.redirects,
    )


def _course(course: model.Course, site: model.Site) -> PublicCourse:
    return _shown(
        PublicCourse,
        course,
        intro_duration=course.intro_video.duration if course.intro_video else None,
        resource_count=_count_resources(course),
        is_for_sale=course.published,
        price_note=_price_note(course, site),
        promises=site.promises if course.promises is None else course.promises,
        modules=tuple(
            _shown(PublicModule, module, lessons=lessons)
            for module in course.modules
            if (lessons := tuple(_lesson(lesson) for lesson in module.lessons if lesson.published))
        ),
    )


def _price_note(course: model.Course, site: model.Site) -> str | None:
    return course.price_note if course.price_note is not None else site.price_note or None


def price_note(course: PublicCourse, site: model.Site, words: Words) -> str:
    """The course's own note or the school's, else what the seller's country calls its tax, in the page's language."""
    if course.price_note is not None or site.seller is None or site.seller.taxes is None:
        return course.price_note or ""
    return tax_note(site.seller.country, site.seller.taxes, words)


def _count_resources(course: model.Course) -> int:
    lessons = sum(len(lesson.resources) for lesson in course.lessons)
    return len(course.resources) + sum(len(module.resources) for module in course.modules) + lessons


def _lesson(lesson: model.Lesson) -> PublicLesson:
    preview = None
    if lesson.preview:
        transcripts = {captions.language: parse_vtt(captions.vtt) for captions in lesson.captions}
        preview = PublicPreview(lesson.notes_markdown or "", lesson.notes_html or "", transcripts, lesson.chapters)
    return _shown(
        PublicLesson,
        lesson,
        is_own_video=lesson.hls is not None,
        captions=tuple(each.language for each in lesson.captions),
        chapter_count=len(lesson.chapters),
        preview=preview,
    )


def _shown(shape: type[Public], compiled: model.Compiled, **computed: object) -> Public:
    """A public shape: what had to be computed is given, and its other fields are copied by name."""
    names = {field.name for field in fields(shape)} - computed.keys()
    return shape(**{name: getattr(compiled, name) for name in names} | computed)
