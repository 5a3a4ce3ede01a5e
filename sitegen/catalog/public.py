"""What visitors may see. These shapes have no field for a video id, a storage key or a paid lesson's text."""

from dataclasses import dataclass

from sitegen.catalog import model
from sitegen.catalog.captions import Cue, parse_vtt


@dataclass(frozen=True)
class PublicPreview:
    """What a free preview lesson shows: its whole text, and its transcript by language."""

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
    preview: PublicPreview | None


@dataclass(frozen=True)
class PublicModule:
    """A chapter of the curriculum; `duration` in seconds."""

    title: str
    summary: str | None
    lessons: tuple[PublicLesson, ...]

    @property
    def duration(self) -> int:
        """Seconds of video."""
        return sum(lesson.duration or 0 for lesson in self.lessons)


@dataclass(frozen=True)
class PublicCourse:
    """A course as templates get it. `price` None means free."""

    slug: str
    title: str
    summary: str
    description_html: str
    level: model.Level
    instructor: model.Instructor
    tags: tuple[str, ...]
    thumbnail: model.Picture
    thumbnail_alt: str
    price: model.Price | None
    intro_duration: int | None
    outcomes: tuple[str, ...]
    requirements: tuple[str, ...]
    questions: tuple[model.Question, ...]
    resource_count: int
    modules: tuple[PublicModule, ...]

    @property
    def lessons(self) -> tuple[PublicLesson, ...]:
        """All lessons, in order."""
        return tuple(lesson for module in self.modules for lesson in module.lessons)

    @property
    def duration(self) -> int:
        """Seconds of video."""
        return sum(module.duration for module in self.modules)


@dataclass(frozen=True)
class PublicCatalog:
    """The school as visitors see it."""

    site: model.Site
    courses: tuple[PublicCourse, ...]


def publish(catalog: model.Catalog) -> PublicCatalog:
    """Leave behind drafts, hidden lessons and whatever costs money."""
    return PublicCatalog(catalog.site, tuple(_course(course) for course in catalog.published))


def _course(course: model.Course) -> PublicCourse:
    modules = tuple(
        PublicModule(module.title, module.summary, lessons)
        for module in course.modules
        if (lessons := tuple(_lesson(lesson) for lesson in module.lessons if lesson.published))
    )
    resources = sum(
        len(module.resources) + sum(len(lesson.resources) for lesson in module.lessons if lesson.published)
        for module in course.modules
    )
    return PublicCourse(
        slug=course.slug,
        title=course.title,
        summary=course.summary,
        description_html=course.description_html,
        level=course.level,
        instructor=course.instructor,
        tags=course.tags,
        thumbnail=course.thumbnail,
        thumbnail_alt=course.thumbnail_alt,
        price=course.price,
        intro_duration=course.intro_video.duration if course.intro_video else None,
        outcomes=course.outcomes,
        requirements=course.requirements,
        questions=course.questions,
        resource_count=resources + len(course.resources),
        modules=modules,
    )


def _lesson(lesson: model.Lesson) -> PublicLesson:
    preview = None
    if lesson.preview:
        transcripts = {captions.language: parse_vtt(captions.vtt) for captions in lesson.captions}
        preview = PublicPreview(lesson.notes_html or "", transcripts, lesson.chapters)
    return PublicLesson(
        slug=lesson.slug,
        title=lesson.title,
        summary=lesson.summary,
        duration=lesson.duration,
        has_video=lesson.video is not None,
        preview=preview,
    )
