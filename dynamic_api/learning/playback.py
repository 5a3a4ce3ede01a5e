"""Where a lesson's video plays, as the web's player is told."""

from datetime import datetime
from functools import cache
from typing import Any

from dynamic_api.catalog import LiveLesson
from dynamic_api.clock import timestamp
from dynamic_api.errors import LessonNotFound
from dynamic_api.service import Service
from sitegen.catalog import model
from sitegen.catalog.captions import parse_vtt


@cache
def _cues(vtt: str) -> list[dict[str, Any]]:
    return [{"start": cue.start, "end": cue.end, "text": cue.text} for cue in parse_vtt(vtt)]


def transcripts(lesson: model.Lesson) -> list[dict[str, Any]]:
    """What is said in a lesson, in each language there are captions in."""
    return [{"language": each.language, "cues": _cues(each.vtt)} for each in lesson.captions]


def describe_playback(service: Service, lesson: LiveLesson, position: int, *, now: datetime) -> dict[str, Any]:
    """A signed address, until when it works, and where to go on. Raises LessonNotFound where there is no video."""
    if lesson.file.video is None:
        raise LessonNotFound("This lesson has no video.")
    length = lesson.file.duration or 0
    playback = service.gateways.streaming.playback(lesson.file.video, seconds=length, now=now)
    return {
        "iframe_url": playback.iframe_url,
        "sdk_url": service.settings.stream_sdk_url,
        "expires_at": timestamp(playback.expires_at),
        # For players whose device has a wrong clock.
        "expires_in_seconds": int((playback.expires_at - now).total_seconds()),
        "heartbeat_seconds": service.settings.heartbeat_seconds,
        # Which of the captions that were uploaded to Stream are shown first.
        "captions": lesson.file.captions[0].language if lesson.file.captions else None,
        # At the very end there is nothing to resume.
        "start_seconds": position if position < length - 5 else 0,
    }
