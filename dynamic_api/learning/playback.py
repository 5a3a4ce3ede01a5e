"""Where a lesson's video plays, as the web's player is told, and what is said in it."""

from functools import cache

from typing_extensions import TypedDict

from dynamic_api.catalog.courses import CatalogLesson
from dynamic_api.core.clock import timestamp
from dynamic_api.core.errors import LessonNotFound
from dynamic_api.learning.own_videos import open_video, poster_of
from dynamic_api.service import Service
from sitegen.catalog import model
from sitegen.catalog.captions import parse_vtt
from sitegen.catalog.words import Sentence

AT_THE_END = 5  # seconds before the end of a video, from where there is nothing to resume


class CueAnswer(TypedDict):
    """One line of speech. Times in seconds."""

    start: float
    end: float
    text: str


class TranscriptAnswer(TypedDict):
    """What is said in a lesson, in one language."""

    language: str
    cues: list[CueAnswer]


class PlaybackAnswer(TypedDict):
    """A signed address, until when it works, and where to resume. `hls_url` is set for videos of one's own."""

    iframe_url: str | None  # Stream's player
    hls_url: str | None
    poster_url: str | None
    sdk_url: str
    expires_at: str
    expires_in_seconds: int  # for players whose device has a wrong clock
    heartbeat_seconds: int
    captions: str | None  # which of the captions that were uploaded to Stream are shown first
    start_seconds: int


@cache
def _cues(vtt: str) -> list[CueAnswer]:
    return [{"start": cue.start, "end": cue.end, "text": cue.text} for cue in parse_vtt(vtt)]


def transcripts(lesson: model.Lesson) -> list[TranscriptAnswer]:
    """What is said in a lesson, in each language it has captions in."""
    return [{"language": each.language, "cues": _cues(each.vtt)} for each in lesson.captions]


def describe_playback(service: Service, lesson: CatalogLesson, position: int) -> PlaybackAnswer:
    """How the web plays a lesson. Raises LessonNotFound when it has no video."""
    definition, now = lesson.definition, service.clock()
    playback = open_video(service, lesson)
    if playback is None:
        raise LessonNotFound(Sentence("This lesson has no video."))
    length, is_own = definition.duration or 0, definition.hls is not None
    return {
        "iframe_url": None if is_own else playback.iframe_url,
        "hls_url": playback.hls_url if is_own else None,
        "poster_url": poster_of(playback) if is_own else None,
        "sdk_url": service.settings.stream_sdk_url,
        "expires_at": timestamp(playback.expires_at),
        "expires_in_seconds": int((playback.expires_at - now).total_seconds()),
        "heartbeat_seconds": service.settings.heartbeat_seconds,
        "captions": definition.captions[0].language if definition.captions else None,
        "start_seconds": position if position < length - AT_THE_END else 0,
    }
