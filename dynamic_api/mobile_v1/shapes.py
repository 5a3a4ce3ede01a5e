"""The contract's shapes, frozen for version 1."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dynamic_api.catalog import LiveCourse, LiveLesson, LiveResource
from dynamic_api.clock import timestamp
from dynamic_api.fast_lane.progress_store import ProgressRow
from dynamic_api.learning.library import OwnedCourse
from dynamic_api.learning.progress import describe, summarise
from dynamic_api.models import Order, User
from dynamic_api.service import Service


def user(row: User) -> dict[str, Any]:
    """`User`."""
    return {"id": row.id, "name": row.name, "email": row.email, "updated_at": timestamp(row.updated_at)}


def resource(live: LiveResource) -> dict[str, Any]:
    """`Resource`."""
    return {
        "id": live.id,
        "name": live.file.name,
        "mime_type": live.file.type,
        "size_bytes": live.file.size,
        "updated_at": timestamp(live.updated_at),
    }


def course_head(live: LiveCourse, site_url: str) -> dict[str, Any]:
    """What library and detail have in common."""
    return {
        "id": live.id,
        "slug": live.file.slug,
        "title": live.file.title,
        "description": live.file.summary,
        "thumbnail_url": site_url + live.file.thumbnail.address,
        "updated_at": timestamp(live.updated_at),
    }


def library_entry(owned: OwnedCourse, site_url: str) -> dict[str, Any]:
    """An entry of endpoint 5."""
    progress = summarise(owned.course.lessons, owned.progress)
    return {**course_head(owned.course, site_url), "progress": progress}


def course_detail(live: LiveCourse, rows: dict[int, ProgressRow], site_url: str) -> dict[str, Any]:
    """Endpoint 6. `resources` are the lesson's own."""
    return {
        **course_head(live, site_url),
        "long_description": live.file.description_markdown,
        "modules": [
            {
                "id": module.id,
                "title": module.file.title,
                "sort_order": number,
                "updated_at": timestamp(module.updated_at),
                "lessons": [_lesson(lesson, position, rows) for position, lesson in enumerate(module.lessons, start=1)],
            }
            for number, module in enumerate(live.modules, start=1)
        ],
    }


def with_progress(course: dict[str, Any], rows: Mapping[int, Any]) -> dict[str, Any]:
    """A course without anybody's progress, filled with somebody's."""
    modules = [
        {
            **module,
            "lessons": [
                {**lesson, "progress": rows[lesson["id"]]} if lesson["id"] in rows else lesson
                for lesson in module["lessons"]
            ],
        }
        for module in course["modules"]
    ]
    return {**course, "modules": modules}


def opened_lesson(course: LiveCourse, live: LiveLesson) -> dict[str, Any]:
    """A lesson in endpoint 7. `resources` are the course's, then the module's, then the lesson's."""
    return {**lesson_head(live), "resources": [resource(each) for each in course.resources_of(live)]}


def playback(
    service: Service, live: LiveLesson, opened: dict[str, Any], progress: Any, *, now: datetime
) -> dict[str, Any]:
    """Endpoint 7; `opened` is its lesson, `progress` as `describe` says it."""
    stream = None
    if live.file.video:
        signed = service.gateways.streaming.playback(live.file.video, seconds=live.file.duration or 0, now=now)
        stream = {
            "iframe_url": signed.iframe_url,
            "hls_url": signed.hls_url,
            "preferred_url": signed.hls_url,
            "player": "native",
        }
    return {
        "stream_url": stream["preferred_url"] if stream else None,
        "stream": stream,
        "heartbeat_seconds": service.settings.heartbeat_seconds,
        "auto_complete_percent": service.settings.completion_percent,
        "lesson": opened,
        "progress": progress,
    }


def beaten(progress: ProgressRow) -> dict[str, Any]:
    """Endpoint 8."""
    return {
        "status": progress.status,
        "percent_complete": progress.percent,
        "playback_position_seconds": progress.position_seconds,
        "updated_at": timestamp(progress.updated_at),
    }


def _lesson(lesson: LiveLesson, position: int, rows: dict[int, ProgressRow]) -> dict[str, Any]:
    return {
        **lesson_head(lesson),
        "stream_video_id": lesson.file.video,
        "has_video": lesson.file.video is not None,
        "sort_order": position,
        "progress": describe(rows[lesson.id]) if lesson.id in rows else None,
        "resources": [resource(each) for each in lesson.resources],
    }


def lesson_head(lesson: LiveLesson) -> dict[str, Any]:
    """What detail and playback have in common. `summary` is Markdown: the one line, then the notes."""
    parts = [part for part in (lesson.file.summary, lesson.file.notes_markdown) if part]
    return {
        "id": lesson.id,
        "slug": lesson.file.slug,
        "title": lesson.file.title,
        "summary": "\n\n".join(parts) or None,
        "duration_seconds": lesson.file.duration,
        "updated_at": timestamp(lesson.updated_at),
    }


def receipt(order: Order) -> dict[str, Any]:
    """An entry of endpoint 11."""
    return {
        "order_public_id": order.public_id,
        "status": order.state,
        "total_amount": order.total_amount,
        "currency": order.total_currency or order.currency,
        "paid_at": timestamp(order.paid_at),
        "refunded_at": timestamp(order.refunded_at),
        "receipt_url": order.receipt_url,
    }
