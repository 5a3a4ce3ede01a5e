"""What a creator may type: the shape of `site.yaml` and `course.yaml`.

These models are the one source of the validator, of the JSON Schema that editors complete from, and of
docs/fields.md. Facts that need more than one field or file to check live in `rules.py`.
"""

import re
from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from sitegen.catalog.slugs import Slug
from sitegen.catalog.words import is_language
from sitegen.urls import tag_slug

IDENTIFIER = r"^[a-z0-9]+(-[a-z0-9]+)*$"
VIDEO_ID = r"^[0-9a-f]{32}$"
COLOUR = r"^#[0-9a-fA-F]{6}$"


def check_timezone(value: str) -> str:
    """A name of the IANA time zone database. Raises ValueError."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("write a time zone like Europe/Helsinki or America/New_York") from None
    return value


def check_language(value: str) -> str:
    """A language whose numbers and dates are known. Raises ValueError."""
    if not is_language(value):
        raise ValueError("write a language like en, de or pt-BR")
    return value


Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$"), AfterValidator(check_language)]
TimeZone = Annotated[str, AfterValidator(check_timezone)]
Identifier = Annotated[str, Field(pattern=IDENTIFIER, max_length=64)]
Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^\S[^\r\n]*$")]
VideoId = Annotated[str, Field(pattern=VIDEO_ID)]
HLS_KEY = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$"
HlsKey = Annotated[str, Field(pattern=HLS_KEY, max_length=200)]

_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})")


def parse_duration(value: object) -> object:
    """`6:40`, `1:02:30` or whole seconds → seconds. Other values are returned as they are, and refused later."""
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value)):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        if seconds < 60 and (minutes < 60 or not match[1]):
            return hours * 3600 + minutes * 60 + seconds
    if isinstance(value, str):
        raise ValueError("write a duration like 6:40, 1:02:30 or a number of seconds")
    return value


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    Field(gt=0, lt=24 * 3600),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^(\d{1,2}:)?\d{1,2}:\d{2}$"}]}
    ),
]


Start = Annotated[
    int,
    BeforeValidator(parse_duration),
    Field(ge=0, lt=24 * 3600),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^(\d{1,2}:)?\d{1,2}:\d{2}$"}]}
    ),
]


def parse_moment(value: object) -> object:
    """`2026-12-24`, or `2026-12-24 18:00`, without a time zone: the school's is meant. Raises ValueError."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("write a moment like 2026-12-24 or 2026-12-24 18:00") from None
        if moment.tzinfo is not None:
            raise ValueError("leave the time zone out: the one of site.yaml is meant")
        return moment
    return value


Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2})?$"}),
]


_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")  # and not the other forms of ISO 8601


def parse_day(value: object) -> object:
    """`2026-10-02` → a date. Raises ValueError."""
    if isinstance(value, str):
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValueError("write a date like 2026-10-02")
    return value


Day = Annotated[date, BeforeValidator(parse_day), WithJsonSchema({"type": "string", "format": "date"})]


class Typed(BaseModel):
    """Base of every shape: unknown fields are refused, and types are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PriceFile(Typed):
    """A price, in the smallest unit of its currency."""

    amount: int = Field(description="Price in minor units: 4900 is €49.00.", examples=[4900])
    currency: str = Field(description="Three letters, as in ISO 4217.", examples=["EUR"], pattern=r"^[A-Z]{3}$")


class ResourceFile(Typed):
    """A file that learners can download. It is kept in private storage, not in the site."""

    id: Identifier = Field(description="Stable name. Never change it.", examples=["sourdough-schedule"])
    name: Line = Field(description="What learners read.", examples=["Weekend baking schedule"])
    key: str = Field(
        description="The file's name in storage: a relative path.", examples=["sourdough/weekend-schedule.pdf"]
    )
    type: str = Field(description="Media type.", examples=["application/pdf"], pattern=r"^[a-z]+/[a-z0-9][a-z0-9.+-]*$")
    size: int | None = Field(
        default=None,
        gt=0,
        description="Size in bytes. Filled in for files under `course_data/files/`.",
        examples=[48213],
    )


class VideoFile(Typed):
    """A video that belongs to the course as a whole."""

    video: VideoId = Field(description="Cloudflare Stream id.", examples=["0b5c1e0b7a9d4f6c8e2a1b3c4d5e6f70"])
    duration: Duration = Field(description="Length.", examples=["1:10"])


class QuestionFile(Typed):
    """A question that buyers ask, and its answer."""

    question: Line = Field(description="The question.", examples=["How long do I have access?"])
    answer: str = Field(
        description="The answer, as Markdown.", examples=["As long as this school exists."], min_length=1
    )


HttpsAddress = Annotated[str, Field(pattern=r"^https://[^/\s]+(/\S*)?$")]


class TestimonialFile(Typed):
    """What somebody said about the course, chosen by you."""

    name: Line = Field(description="Who said it.", examples=["Noor Haddad"])
    role: Line | None = Field(default=None, description="Who they are, in a few words.", examples=["Home baker"])
    quote: str = Field(
        description="What they said, in plain text.",
        examples=["My third loaf was the first that I gave away."],
        min_length=1,
        max_length=600,
    )
    source: HttpsAddress | None = Field(
        default=None, description="Where they said it.", examples=["https://forum.example/t/sourdough/12"]
    )
    picture: str | None = Field(
        default=None, description="Square picture of them, in the course's folder.", examples=["images/noor.jpg"]
    )


class ChapterFile(Typed):
    """A part of a lesson's video that learners can jump to."""

    start: Start = Field(description="Where it begins.", examples=["1:30"])
    title: Line = Field(description="What it is about.", examples=["The smell test"])


class LessonFile(Typed):
    """One lesson. It needs a video, or notes, or both."""

    id: Identifier = Field(
        description="Stable name, unique in the whole catalogue. Progress is stored under it, so never change it.",
        examples=["sourdough-what-lives-in-the-jar"],
    )
    slug: Slug = Field(
        description="Last part of the URL; unique in its course. Can change.", examples=["what-lives-in-the-jar"]
    )
    title: Line = Field(description="Title.", examples=["What lives in the jar"])
    summary: Line | None = Field(default=None, description="One line, public.", examples=["Flour, water and time."])
    notes: str | None = Field(
        default=None,
        description="Paid text: the name of a Markdown file beside the course, or Markdown.",
        examples=["notes/what-lives-in-the-jar.md"],
    )
    video: VideoId | None = Field(
        default=None, description="Cloudflare Stream id. Private.", examples=["3f0c5b7e9a1d4c6e8b2f0a1c3e5d7f90"]
    )
    hls: HlsKey | None = Field(
        default=None,
        description="A video without Cloudflare: its folder in storage, as `coursewright media transcode` writes it.",
        examples=["videos/sourdough/3f0c5b7e9a1d"],
    )
    duration: Duration | None = Field(
        default=None, description="Length of the video; required with a video.", examples=["6:40"]
    )
    preview: bool = Field(default=False, description="Free for everybody, without an account.", examples=[True])
    published: bool = Field(default=True, description="`false` hides the lesson.", examples=[False])
    publish_at: Moment | None = Field(
        default=None,
        description=(
            "Hidden until then, in the school's time zone. The service keeps the minute; the site shows it from the "
            "next build on."
        ),
        examples=["2026-12-24 18:00"],
    )
    public_excerpt: str = Field(
        default="",
        description="Words of the notes or captions that may be quoted in public, such as a teaser in a post.",
        examples=["Weigh the water too: a cup is not a measure."],
    )
    moved_from: list[Slug] = Field(
        default=[], description="Slugs the lesson had before. Old links lead to the new address.", examples=[["jar"]]
    )
    no_captions: str = Field(
        default="",
        description="Why the video has no captions; “check --media” asks for them otherwise.",
        examples=["Nobody speaks."],
    )
    captions: dict[str, str] = Field(
        default={},
        description="Language → WebVTT file beside the course.",
        examples=[{"en": "captions/what-lives-in-the-jar.en.vtt"}],
    )
    chapters: list[ChapterFile] = Field(default=[], description="Parts of the video, in their order.")
    resources: list[ResourceFile] = Field(default=[], description="Files of this lesson.")


class ModuleFile(Typed):
    """A group of lessons."""

    id: Identifier = Field(description="Stable name, unique in the whole catalogue.", examples=["sourdough-starter"])
    title: Line = Field(description="Title.", examples=["A starter you can trust"])
    summary: Line | None = Field(default=None, description="One line.", examples=["From flour to bubbles in a week."])
    lessons: list[LessonFile] = Field(default=[], description="Lessons, in the order they are taught.")
    resources: list[ResourceFile] = Field(default=[], description="Files of this module.")


def check_tag(value: str) -> str:
    """A subject: its page's address is made of its letters. Raises ValueError."""
    if not tag_slug(value):
        raise ValueError("write a word: a tag without a letter or digit has no page")
    return value


Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S[^\r\n]*$"), AfterValidator(check_tag)]


class CourseFile(Typed):
    """One course: `course_data/courses/<slug>/course.yaml`."""

    id: Identifier = Field(
        description="Stable name. Orders and access are stored under it, so never change it.", examples=["sourdough"]
    )
    slug: Slug | None = Field(
        default=None, description="Last part of the URL; defaults to the folder's name.", examples=["sourdough"]
    )
    title: Line = Field(description="Title.", examples=["Sourdough, from Starter to Loaf"])
    summary: Line = Field(
        description="One line for cards and search engines.", examples=["Bake one honest loaf a week."]
    )
    description: str = Field(
        description="The sales page: the name of a Markdown file beside the course, or Markdown.",
        examples=["description.md"],
        min_length=1,
    )
    status: Literal["draft", "published", "retired"] = Field(
        description=(
            "`draft` keeps the course off the site. `retired` ends its sale: its page says so and is no longer listed, "
            "and everybody who owns it keeps it."
        ),
        examples=["published"],
    )
    publish_at: Moment | None = Field(
        default=None,
        description="A draft until then, in the school's time zone. The site shows it from the next build on.",
        examples=["2026-12-24 18:00"],
    )
    language: Language | None = Field(
        default=None,
        description="Language of the course, where it is another than the school’s; its pages speak it too.",
        examples=["de"],
    )
    level: Literal["beginner", "intermediate", "advanced", "all"] = Field(
        default="all", description="Who it is for.", examples=["beginner"]
    )
    instructor: Identifier = Field(description="The instructor: an id from `site.yaml`.", examples=["mira-holm"])
    tags: list[Tag] = Field(
        default=[],
        description="Subjects. Each has a page with its courses.",
        examples=[["baking", "kitchen"]],
        max_length=12,
    )
    related: list[Identifier] = Field(
        default=[],
        description="Ids of courses to show below this one; found by tags, teacher and level otherwise.",
        examples=[["bookbinding"]],
        max_length=6,
    )
    translation_of: Identifier | None = Field(
        default=None,
        description="Id of the course that this one is a translation of. Both pages then tell search engines.",
        examples=["sourdough"],
    )
    thumbnail: str = Field(description="Picture, 16:9, in the course's folder.", examples=["thumbnail.svg"])
    thumbnail_alt: str = Field(
        default="", description="What the picture shows, for people who can't see it.", examples=["A scored loaf"]
    )
    share_picture: str | None = Field(
        default=None,
        description="Picture for links on social networks, 1200 × 630, in the course's folder. Drawn otherwise.",
        examples=["share.png"],
    )
    search_title: Line | None = Field(
        default=None, description="Title for search engines, where it is another.", examples=["Sourdough for beginners"]
    )
    search_description: Line | None = Field(
        default=None,
        description="Description for search engines and shared links; the summary otherwise.",
        examples=["Bake your first sourdough loaf in a week, step by step."],
    )
    certificate: Line | None = Field(
        default=None,
        description="What you give to those who complete the course; said below the button.",
        examples=["A signed certificate by post"],
    )
    price: PriceFile | Literal["free"] | None = Field(
        default=None,
        description="`free`, or an amount and a currency. Required for a published course.",
        examples=["free", {"amount": 4900, "currency": "EUR"}],
    )
    price_note: str | None = Field(
        default=None,
        description="Shown beside the price, where the school’s does not fit: in another language or currency.",
        examples=["inkl. MwSt."],
        max_length=60,
    )
    promises: list[Line] | None = Field(
        default=None,
        description="Lines below the button, in place of the school’s `promises`.",
        examples=[["any-device", "Antwort innerhalb von zwei Tagen"]],
        max_length=6,
    )
    partial_refund: Literal["keeps", "ends"] = Field(
        default="keeps", description="Whether a buyer keeps access after a partial refund.", examples=["keeps"]
    )
    intro_video: VideoFile | None = Field(default=None, description="An introduction video, free to watch.")
    outcomes: list[Line] = Field(default=[], description="What learners will learn.", examples=[["Keep a starter"]])
    requirements: list[Line] = Field(default=[], description="What learners need.", examples=[["An oven"]])
    questions: list[QuestionFile] = Field(default=[], description="Frequently asked questions.")
    testimonials: list[TestimonialFile] = Field(
        default=[], description="What people said about the course; the page says that you chose them.", max_length=12
    )
    resources: list[ResourceFile] = Field(default=[], description="Files of the whole course.")
    modules: list[ModuleFile] = Field(default=[], description="Modules, in order.")
    moved_from: list[Slug] = Field(
        default=[], description="Slugs the course had before. Old links lead to the new address.", examples=[["bread"]]
    )
    retired: list[Identifier] = Field(
        default=[],
        description="Ids of modules, lessons and files that were published and are gone or hidden on purpose.",
        examples=[["sourdough-old-oven"]],
    )
    replaced_by: dict[Identifier, Identifier] = Field(
        default={},
        description="Id of a lesson that is gone → id of the lesson that took its place. Old links lead there.",
        examples=[{"sourdough-old-oven": "sourdough-new-oven"}],
    )
