"""The command `captions upload`: the captions of the course files, for Stream's own player."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, dataclass

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.commands.report import Report, operator_command
from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.gateways.stream_library import StreamLibrary
from dynamic_api.service import Service


@dataclass(frozen=True)
class UploadedCaptions:
    """Captions of one lesson in one language; `changed` when Stream had others, or none."""

    course: str
    lesson: str
    language: str
    changed: bool


@operator_command("", name="captions upload")
async def upload(service: Service) -> Report:
    """Upload the course files' captions to Stream's player. Harmless to repeat."""
    library = StreamLibrary(service.settings)
    try:
        uploaded = [each async for each in upload_captions(library, service.catalog.current.courses)]
    finally:
        await library.close()
    changed = [each for each in uploaded if each.changed]
    async with service.database.transaction() as db:
        record(db, Action.CAPTIONS_UPLOADED, at=service.clock(), actor=OPERATOR, captions=len(changed))
    lines = [f"{each.course}/{each.lesson}: {each.language}" for each in changed]
    lines.append(f"{len(changed)} of {len(uploaded)} captions were new to Stream.")
    return Report(lines, {"captions": [asdict(each) for each in uploaded]})


async def upload_captions(library: StreamLibrary, courses: Iterable[CatalogCourse]) -> AsyncIterator[UploadedCaptions]:
    """Every lesson's captions, as its files have them. Raises StreamRefused."""
    for course in courses:
        for lesson in course.lessons:
            definition = lesson.definition
            if definition.video is None:
                continue
            for each in definition.captions:
                changed = await library.captions(definition.video, each.language) != each.vtt
                if changed:
                    await library.put_captions(definition.video, each.language, each.vtt)
                yield UploadedCaptions(course.definition.slug, definition.slug, each.language, changed)
