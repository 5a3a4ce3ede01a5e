"""The learner's own pages ask here."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from dynamic_api.accounts.identity import client_address
from dynamic_api.accounts.throttle import PREVIEW_BY_ADDRESS
from dynamic_api.clock import timestamp
from dynamic_api.errors import LessonNotFound
from dynamic_api.learning import progress as progress_rules
from dynamic_api.learning.access import open_lesson, open_resource
from dynamic_api.learning.beat import BeatBody
from dynamic_api.learning.downloads import download_link
from dynamic_api.learning.library import OwnedCourse, library_of
from dynamic_api.learning.playback import describe_playback, transcripts
from dynamic_api.learning.receipts import describe_receipt, receipts_of
from dynamic_api.local_files import send_local_file
from dynamic_api.models import User
from dynamic_api.routing import Audience, learner_route, open_route, read_body, throttle_of
from dynamic_api.service import Service
from sitegen import urls


async def show_library(request: Request, service: Service, user: User) -> Response:
    """Every course of the learner, with where to go on."""
    async with service.database.reading() as db:
        owned = await library_of(db, service.catalog.current, user.id)
    return JSONResponse({"learner": user.id, "courses": [_shelf_entry(each) for each in owned]})


def _shelf_entry(owned: OwnedCourse) -> dict[str, object]:
    course, next_lesson = owned.course, owned.next_lesson
    return {
        "slug": course.file.slug,
        "title": course.file.title,
        "thumbnail_url": course.file.thumbnail.address,
        "started": owned.started,
        "completed_at": timestamp(owned.completed_at),
        "new_lessons": [lesson.file.title for lesson in owned.new_lessons],
        "progress": progress_rules.summarise(course.lessons, owned.progress),
        "continue": {
            "title": next_lesson.file.title if next_lesson else "",
            "position_seconds": owned.position,
            "url": urls.learn(course.file.slug, next_lesson.file.slug) if next_lesson else urls.LIBRARY,
        },
    }


async def show_lesson(request: Request, service: Service, user: User) -> Response:
    """The paid part of a lesson's page. Opening it begins its progress."""
    async with service.database.reading() as db:
        course, lesson = await open_lesson(db, service.catalog.current, user.id, *_names(request))
        rows = await progress_rules.progress_of(db, user.id, course.lessons)
    progress = await progress_rules.open_progress(service.progress, user.id, lesson, now=service.clock())
    rows[lesson.id] = progress
    return JSONResponse(
        {
            "learner": user.id,
            "lesson": {
                "id": lesson.id,
                "title": lesson.file.title,
                "notes_html": lesson.file.notes_html,
                "transcripts": transcripts(lesson.file),
                "chapters": [{"start": each.start, "title": each.title} for each in lesson.file.chapters],
            },
            "resources": [
                {"id": each.id, "name": each.file.name, "type": each.file.type, "size_bytes": each.file.size}
                for each in course.resources_of(lesson)
            ],
            "progress": progress_rules.describe(progress),
            "statuses": {each.file.slug: rows[each.id].status for each in course.lessons if each.id in rows},
        }
    )


async def show_playback(request: Request, service: Service, user: User) -> Response:
    """A signed address of the lesson's video, and where to go on."""
    async with service.database.reading() as db:
        _, lesson = await open_lesson(db, service.catalog.current, user.id, *_names(request))
        rows = await progress_rules.progress_of(db, user.id, [lesson])
    position = rows[lesson.id].position_seconds if lesson.id in rows else 0
    return JSONResponse(describe_playback(service, lesson, position, now=service.clock()))


async def record_beat(request: Request, service: Service, user: User) -> Response:
    """A player's heartbeat."""
    async with service.database.reading() as db:
        _, lesson = await open_lesson(db, service.catalog.current, user.id, *_names(request))
    beat = (await read_body(request, BeatBody)).as_beat()
    progress = await progress_rules.record_beat(service, user.id, lesson, beat, now=service.clock())
    return JSONResponse(progress_rules.describe(progress))


async def mark_complete(request: Request, service: Service, user: User) -> Response:
    """Complete, by hand."""
    return await _mark(request, service, user, done=True)


async def mark_incomplete(request: Request, service: Service, user: User) -> Response:
    """Not complete: the only way back."""
    return await _mark(request, service, user, done=False)


async def _mark(request: Request, service: Service, user: User, *, done: bool) -> Response:
    async with service.database.reading() as db:
        _, lesson = await open_lesson(db, service.catalog.current, user.id, *_names(request))
    progress = await progress_rules.mark(service, user.id, lesson, done=done, now=service.clock())
    return JSONResponse(progress_rules.describe(progress))


async def download(request: Request, service: Service, user: User) -> Response:
    """On to a signed link of the file."""
    async with service.database.transaction() as db:
        resource = await open_resource(db, service.catalog.current, user.id, request.path_params["resource"])
        link = download_link(
            db,
            service.settings,
            service.gateways.storage,
            resource,
            user.id,
            path=f"/api/files/{resource.id}",
            now=service.clock(),
            actor=f"user:{user.id}",
        )
    return RedirectResponse(link.url, 303)


async def play_preview(request: Request, service: Service) -> Response:
    """On to the player of a free video: a course's introduction, or a preview lesson."""
    throttle_of(request).hit(PREVIEW_BY_ADDRESS, client_address(request))
    course = service.catalog.current.course(request.path_params["course"])
    slug = request.path_params.get("lesson")
    if slug is None:
        if course.file.intro_video is None:
            raise LessonNotFound
        video, seconds = course.file.intro_video.video, course.file.intro_video.duration
    else:
        lesson = course.lesson(slug).file
        if not lesson.preview or lesson.video is None:
            raise LessonNotFound
        video, seconds = lesson.video, lesson.duration or 0
    playback = service.gateways.streaming.playback(video, seconds=seconds, now=service.clock())
    return RedirectResponse(
        playback.iframe_url, 303, headers={"Cache-Control": "private, no-store", "Referrer-Policy": "origin"}
    )


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["course"], request.path_params["lesson"]


async def show_receipts(request: Request, service: Service, user: User) -> Response:
    """What this person paid, each with the payment provider's receipt. Stripe is not asked."""
    async with service.database.reading() as db:
        orders = await receipts_of(db, user)
    titles = service.catalog.current
    return JSONResponse({"receipts": [describe_receipt(each, titles.title_of(each.course_id)) for each in orders]})


routes = [
    learner_route("GET", "/receipts", show_receipts),
    learner_route("GET", "/library", show_library),
    learner_route("GET", "/learn/{course}/{lesson}", show_lesson),
    learner_route("GET", "/learn/{course}/{lesson}/playback", show_playback),
    learner_route("POST", "/learn/{course}/{lesson}/progress", record_beat),
    learner_route("PUT", "/learn/{course}/{lesson}/completion", mark_complete),
    learner_route("DELETE", "/learn/{course}/{lesson}/completion", mark_incomplete),
    learner_route("GET", "/resources/{resource:int}/download", download),
    open_route("GET", "/files/{resource:int}", send_local_file, Audience.LINK_HOLDER),
    open_route("GET", "/previews/{course}", play_preview),
    open_route("GET", "/previews/{course}/{lesson}", play_preview),
]
