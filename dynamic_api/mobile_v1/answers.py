"""The shapes of the contract's answers, for its OpenAPI document. The service is held to them by tests."""

from typing import Literal

from pydantic import BaseModel, Field

Timestamp = str
Seconds = int


class User(BaseModel):
    """Who is signed in."""

    id: int
    name: str
    email: str
    updated_at: Timestamp | None


class Progress(BaseModel):
    """Where a learner is in a lesson."""

    status: Literal["in_progress", "completed"]
    playback_position_seconds: Seconds
    video_duration_seconds: Seconds | None
    percent_complete: int = Field(ge=0, le=100)
    last_viewed_at: Timestamp | None
    completed_at: Timestamp | None
    updated_at: Timestamp | None


class Resource(BaseModel):
    """A file."""

    id: int
    name: str
    mime_type: str | None
    size_bytes: int | None
    updated_at: Timestamp | None


class Login(BaseModel):
    """1."""

    token: str
    token_type: Literal["Bearer"]
    user: User


class Message(BaseModel):
    """2 and 3."""

    message: str


class Me(BaseModel):
    """4."""

    user: User


class CourseProgress(BaseModel):
    """The share of a course's lessons that are completed, rounded down."""

    total_lessons: int
    completed_lessons: int
    percent_complete: int = Field(ge=0, le=100)
    last_viewed_at: Timestamp | None


class CourseHead(BaseModel):
    """What library and detail have in common."""

    id: int
    slug: str
    title: str
    description: str | None
    thumbnail_url: str | None
    updated_at: Timestamp | None


class LibraryEntry(CourseHead):
    """A course of the learner."""

    progress: CourseProgress


class Library(BaseModel):
    """5."""

    courses: list[LibraryEntry]


class LessonHead(BaseModel):
    """What detail and playback have in common. `summary` is Markdown."""

    id: int
    slug: str
    title: str
    summary: str | None
    duration_seconds: Seconds | None
    updated_at: Timestamp | None


class Lesson(LessonHead):
    """A lesson of a course; `resources` are its own."""

    stream_video_id: str | None
    has_video: bool
    sort_order: int
    progress: Progress | None
    resources: list[Resource]


class Module(BaseModel):
    """A chapter of a course."""

    id: int
    title: str
    sort_order: int
    updated_at: Timestamp | None
    lessons: list[Lesson]


class CourseDetail(CourseHead):
    """A course with its lessons. `long_description` is Markdown."""

    long_description: str | None
    modules: list[Module]


class Course(BaseModel):
    """6."""

    course: CourseDetail


class Stream(BaseModel):
    """Where a video plays."""

    iframe_url: str
    hls_url: str
    preferred_url: str
    player: Literal["native", "webview"]


class OpenedLesson(LessonHead):
    """A lesson that is being watched; `resources` are the course's, the module's, and its own."""

    resources: list[Resource]


class Playback(BaseModel):
    """7."""

    stream_url: str | None
    stream: Stream | None
    heartbeat_seconds: int = Field(ge=5)
    auto_complete_percent: int = Field(ge=1, le=100)
    lesson: OpenedLesson
    progress: Progress


class Beaten(BaseModel):
    """8."""

    status: Literal["in_progress", "completed"]
    percent_complete: int = Field(ge=0, le=100)
    playback_position_seconds: Seconds
    updated_at: Timestamp | None


class ResourceLink(BaseModel):
    """A file and an address that opens it for minutes."""

    id: int
    name: str
    mime_type: str | None
    size_bytes: int | None
    expires_at: Timestamp
    url: str


class OneResource(BaseModel):
    """9."""

    resource: ResourceLink


class Receipt(BaseModel):
    """A payment. Amounts in minor units."""

    order_public_id: str
    status: str
    total_amount: int
    currency: str
    paid_at: Timestamp | None
    refunded_at: Timestamp | None
    receipt_url: str


class Receipts(BaseModel):
    """11."""

    receipts: list[Receipt]


class Problem(BaseModel):
    """What was refused, and why."""

    code: str
    message: str
    details: dict[str, list[str]] | None = None


class Refusal(BaseModel):
    """The one body of every answer that is not 2xx."""

    error: Problem
