"""The contract's answers, frozen for version 1: their types, which also make the OpenAPI document, and what fills them.

Typed dictionaries, because pydantic models as answers cost eight times as much.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson, CatalogResource
from dynamic_api.core.clock import timestamp
from dynamic_api.core.states import OrderState
from dynamic_api.learning.library import CourseProgressAnswer, OwnedCourse
from dynamic_api.learning.own_videos import open_video
from dynamic_api.orders.receipts import ReceiptRow
from dynamic_api.progress.rules import ProgressAnswer, ProgressRow
from dynamic_api.service import Service

Timestamp = str
Seconds = int
Percent = Annotated[int, Field(ge=0, le=100)]


class User(TypedDict):
    """Who is signed in."""

    id: int
    name: str
    email: str
    updated_at: Timestamp | None


class Resource(TypedDict):
    """A file."""

    id: int
    name: str
    mime_type: str | None
    size_bytes: int | None
    updated_at: Timestamp | None


class Login(TypedDict):
    """Endpoint 1."""

    token: str
    token_type: Literal["Bearer"]
    user: User


class Message(TypedDict):
    """Endpoints 2 and 3."""

    message: str


class Me(TypedDict):
    """Endpoint 4."""

    user: User


class CourseHead(TypedDict):
    """What library and detail have in common."""

    id: int
    slug: str
    title: str
    description: str | None
    thumbnail_url: str | None
    updated_at: Timestamp | None


class LibraryEntry(CourseHead):
    """A course of the learner."""

    progress: CourseProgressAnswer


class Library(TypedDict):
    """Endpoint 5."""

    courses: list[LibraryEntry]


class LessonHead(TypedDict):
    """What detail and playback have in common. `summary` is one line, `notes` is the lesson's text as Markdown."""

    id: int
    slug: str
    title: str
    summary: str | None
    notes: str | None
    duration_seconds: Seconds | None
    updated_at: Timestamp | None


class Lesson(LessonHead):
    """A lesson of a course; `resources` are its own."""

    stream_video_id: str | None
    has_video: bool
    sort_order: int
    progress: ProgressAnswer | None
    resources: list[Resource]


class Module(TypedDict):
    """A module of a course."""

    id: int
    title: str
    sort_order: int
    updated_at: Timestamp | None
    lessons: list[Lesson]


class CourseDetail(CourseHead):
    """A course with its lessons. `long_description` is Markdown."""

    long_description: str | None
    modules: list[Module]


class Course(TypedDict):
    """Endpoint 6."""

    course: CourseDetail


class Stream(TypedDict):
    """Where a video plays."""

    iframe_url: str
    hls_url: str
    preferred_url: str
    player: Literal["native", "webview"]


class OpenedLesson(LessonHead):
    """A lesson that is being watched; `resources` are the course's, the module's, and its own."""

    resources: list[Resource]


class Playback(TypedDict):
    """Endpoint 7."""

    stream_url: str | None
    stream: Stream | None
    heartbeat_seconds: Annotated[int, Field(ge=5)]
    auto_complete_percent: Annotated[int, Field(ge=1, le=100)]
    lesson: OpenedLesson
    progress: ProgressAnswer


class HeartbeatAnswer(TypedDict):
    """Endpoint 8."""

    status: Literal["in_progress", "completed"]
    percent_complete: Percent
    playback_position_seconds: Seconds
    updated_at: Timestamp | None


class ResourceLink(TypedDict):
    """A file, and an address that opens it for minutes."""

    id: int
    name: str
    mime_type: str | None
    size_bytes: int | None
    expires_at: Timestamp
    url: str


class OneResource(TypedDict):
    """Endpoint 9."""

    resource: ResourceLink


class Receipt(TypedDict):
    """A payment. Amounts in minor units."""

    order_public_id: str
    status: str
    total_amount: int
    currency: str
    paid_at: Timestamp | None
    refunded_at: Timestamp | None
    receipt_url: str


class Receipts(TypedDict):
    """Endpoint 11."""

    receipts: list[Receipt]


def course_head(course: CatalogCourse, site_url: str) -> CourseHead:
    """What library and detail have in common."""
    definition = course.definition
    return {
        "id": course.id,
        "slug": definition.slug,
        "title": definition.title,
        "description": definition.summary,
        "thumbnail_url": site_url + definition.thumbnail.address,
        "updated_at": timestamp(course.updated_at),
    }


def library_entry(owned: OwnedCourse, site_url: str) -> LibraryEntry:
    """An entry of endpoint 5."""
    return {**course_head(owned.course, site_url), "progress": owned.progress}


def course_detail(course: CatalogCourse, site_url: str) -> CourseDetail:
    """Endpoint 6, without anybody's progress."""
    return {
        **course_head(course, site_url),
        "long_description": course.definition.description_markdown,
        "modules": [
            {
                "id": module.id,
                "title": module.definition.title,
                "sort_order": number,
                "updated_at": timestamp(module.updated_at),
                "lessons": [
                    _lesson(lesson, position, site_url) for position, lesson in enumerate(module.lessons, start=1)
                ],
            }
            for number, module in enumerate(course.modules, start=1)
        ],
    }


def _lesson(lesson: CatalogLesson, position: int, site_url: str) -> Lesson:
    return {
        **lesson_head(lesson, site_url),
        "stream_video_id": lesson.definition.video,
        "has_video": lesson.definition.has_video,
        "sort_order": position,
        "progress": None,
        "resources": [resource(each) for each in lesson.resources],
    }


def lesson_head(lesson: CatalogLesson, site_url: str) -> LessonHead:
    """What detail and playback have in common."""
    definition = lesson.definition
    return {
        "id": lesson.id,
        "slug": definition.slug,
        "title": definition.title,
        "summary": definition.summary,
        "notes": _absolute(definition.notes_markdown, site_url),
        "duration_seconds": definition.duration,
        "updated_at": timestamp(lesson.updated_at),
    }


def _absolute(markdown: str | None, site_url: str) -> str | None:
    """A text whose links work away from its site."""
    return markdown.replace("](/", f"]({site_url}/") if markdown else markdown


def resource(item: CatalogResource) -> Resource:
    """A file."""
    return {
        "id": item.id,
        "name": item.definition.name,
        "mime_type": item.definition.type,
        "size_bytes": item.definition.size,
        "updated_at": timestamp(item.updated_at),
    }


def opened_lesson(course: CatalogCourse, lesson: CatalogLesson, site_url: str) -> OpenedLesson:
    """The lesson of endpoint 7."""
    return {**lesson_head(lesson, site_url), "resources": [resource(each) for each in course.resources_of(lesson)]}


def stream(service: Service, lesson: CatalogLesson) -> Stream | None:
    """Where the lesson's video plays; None when it has none."""
    playback = open_video(service, lesson, pauses=PAUSES)
    if playback is None:
        return None
    return {
        "iframe_url": playback.iframe_url,
        "hls_url": playback.hls_url,
        "preferred_url": playback.hls_url,
        "player": "native",
    }


def heartbeat_answer(row: ProgressRow) -> HeartbeatAnswer:
    """Endpoint 8."""
    return {
        "status": row.status.value,
        "percent_complete": row.percent,
        "playback_position_seconds": row.position_seconds,
        "updated_at": timestamp(row.updated_at),
    }


# The app asks once for each lesson and plays on after every pause; the web renews.
PAUSES = timedelta(hours=6)

_IN_WORDS = {
    OrderState.PAID: "Paid",
    OrderState.PARTIALLY_REFUNDED: "Partly refunded",
    OrderState.REFUNDED: "Refunded",
    OrderState.DISPUTED: "Disputed",
}


def receipt(row: ReceiptRow) -> Receipt:
    """An entry of endpoint 11."""
    return {
        "order_public_id": row.order,
        "status": _IN_WORDS.get(row.state, row.state.value),  # the app shows it as it is
        "total_amount": row.total_amount,
        "currency": row.currency,
        "paid_at": row.paid_at,
        "refunded_at": row.refunded_at,
        "receipt_url": row.receipt_url,
    }
