"""Captions stand in the course files; Stream's player shows what was uploaded. This brings the one to the other."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from dynamic_api.catalog import LiveCourse
from dynamic_api.gateways.stream_library import StreamLibrary


@dataclass(frozen=True)
class Brought:
    """Captions of one lesson in one language; `changed` where Stream had others, or none."""

    course: str
    lesson: str
    language: str
    changed: bool


async def bring_captions(library: StreamLibrary, courses: Iterable[LiveCourse]) -> AsyncIterator[Brought]:
    """Every lesson's captions, as its files have them. Harmless to repeat. Raises StreamRefused."""
    for course in courses:
        for lesson in course.lessons:
            if lesson.file.video is None:
                continue
            for captions in lesson.file.captions:
                changed = await library.captions(lesson.file.video, captions.language) != captions.vtt
                if changed:
                    await library.put_captions(lesson.file.video, captions.language, captions.vtt)
                yield Brought(course.file.slug, lesson.file.slug, captions.language, changed)
