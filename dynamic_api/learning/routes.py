"""The learner's own pages ask here."""

import orjson
from starlette.responses import RedirectResponse, Response

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson
from dynamic_api.core.errors import CourseNotFound, LessonNotFound
from dynamic_api.core.throttle import PREVIEWS_BY_IP
from dynamic_api.learning.access import (
    ACCESS,
    POSITION,
    STATUSES,
    Access,
    AccessAndPosition,
    AccessAndStatuses,
    OpenedLesson,
    find_course,
    find_lesson,
    lesson_route,
)
from dynamic_api.learning.downloads import download_link
from dynamic_api.learning.heartbeats import HeartbeatBody, mark_complete, open_progress, record_heartbeat
from dynamic_api.learning.library import OwnedCourse, library_of
from dynamic_api.learning.local_files import send_draft, send_local_file, send_picture
from dynamic_api.learning.own_videos import open_video, poster_of
from dynamic_api.learning.pictures import with_pictures
from dynamic_api.learning.playback import describe_playback, transcripts
from dynamic_api.learning.video_files import send_video
from dynamic_api.progress.rules import describe
from dynamic_api.service import Service
from dynamic_api.web.identity import Learner, learner_route
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse, see_other
from dynamic_api.web.routing import Audience, open_route
from sitegen import urls


async def show_library(request: Request, learner: Learner) -> Response:
    """Every course of the learner, with where to carry on."""
    owned = await library_of(request.service, learner.id)
    return JsonResponse({"learner": learner.id, "courses": [_library_entry(each) for each in owned]})


def _library_entry(owned: OwnedCourse) -> dict[str, object]:
    course, next_lesson = owned.course.definition, owned.next_lesson
    return {
        "slug": course.slug,
        "title": course.title,
        "thumbnail_url": course.thumbnail.address,
        "started": owned.is_started,
        "completed_at": owned.completed_at,
        "new_lessons": [lesson.definition.title for lesson in owned.new_lessons],
        "progress": owned.progress,
        "continue": {
            "title": next_lesson.definition.title if next_lesson else "",
            "position_seconds": owned.position,
            "url": lesson_page(owned.course, next_lesson) if next_lesson else urls.LIBRARY,
        },
    }


def lesson_page(course: CatalogCourse, lesson: CatalogLesson) -> str:
    """The address of a lesson's page: its own, or the common one where the files no longer have the course."""
    page = urls.any_lesson if course.is_kept else urls.learn
    return page(course.definition.slug, lesson.definition.slug)


def _curriculum(opened: OpenedLesson[AccessAndStatuses]) -> dict[str, object]:
    """What a lesson's own page has written in it, for the common page."""
    return {
        "title": opened.course.definition.title,
        "lesson_title": opened.lesson.definition.title,
        "modules": [
            {
                "title": module.definition.title,
                "lessons": [
                    {
                        "slug": lesson.definition.slug,
                        "title": lesson.definition.title,
                        "url": lesson_page(opened.course, lesson),
                    }
                    for lesson in module.lessons
                ],
            }
            for module in opened.course.modules
        ],
    }


async def show_lesson(request: Request, opened: OpenedLesson[AccessAndStatuses]) -> Response:
    """The paid part of a lesson's page. Opening it begins its progress."""
    progress = await open_progress(request.service, opened)
    statuses = orjson.loads(opened.found.statuses or "{}") | {str(opened.lesson.id): progress["status"]}
    return JsonResponse(
        ({"curriculum": _curriculum(opened)} if opened.course.is_kept else {})
        | {
            "learner": opened.learner.id,
            "lesson": _lesson_content(request.service, opened),
            "resources": [
                {
                    "id": each.id,
                    "name": each.definition.name,
                    "type": each.definition.type,
                    "size_bytes": each.definition.size,
                }
                for each in opened.course.resources_of(opened.lesson)
            ],
            "progress": progress,
            "statuses": {
                lesson.definition.slug: statuses[str(lesson.id)]
                for lesson in opened.course.lessons
                if str(lesson.id) in statuses
            },
        }
    )


def _lesson_content(service: Service, opened: OpenedLesson[AccessAndStatuses]) -> object:
    """Notes, transcripts and chapters, as JSON that is made once for each lesson; its pictures are the learner's."""
    lesson = opened.lesson
    if "web" not in lesson.cache:
        content = {
            "id": lesson.id,
            "title": lesson.definition.title,
            "notes_html": lesson.definition.notes_html,
            "transcripts": transcripts(lesson.definition),
            "chapters": [{"start": each.start, "title": each.title} for each in lesson.definition.chapters],
        }
        lesson.cache["web"] = orjson.dumps(content)
    return orjson.Fragment(with_pictures(service, lesson.cache["web"], opened.course, opened.learner.id, html=True))


async def show_playback(request: Request, opened: OpenedLesson[AccessAndPosition]) -> Response:
    """A signed address of the lesson's video, and where to resume."""
    return JsonResponse(describe_playback(request.service, opened.lesson, opened.found.position_seconds or 0))


async def receive_heartbeat(request: Request, opened: OpenedLesson[Access]) -> Response:
    """A player's heartbeat."""
    heartbeat = (await request.read(HeartbeatBody)).heartbeat()
    return JsonResponse(describe(await record_heartbeat(request.service, opened.key, opened.lesson, heartbeat)))


async def complete_lesson(request: Request, opened: OpenedLesson[Access]) -> Response:
    """Complete, by hand."""
    return JsonResponse(describe(await mark_complete(request.service, opened.key, complete=True)))


async def uncomplete_lesson(request: Request, opened: OpenedLesson[Access]) -> Response:
    """Not complete: the only way back."""
    return JsonResponse(describe(await mark_complete(request.service, opened.key, complete=False)))


async def download(request: Request, learner: Learner) -> Response:
    """Redirect to a signed link of the file."""
    resource_id = request.path_params["resource"]
    link = await download_link(request.service, learner.id, resource_id, path=f"/api/files/{resource_id}")
    response = see_other(link.url)
    response.headers["Cache-Control"] = "private, no-store"
    return response


async def play_preview(request: Request) -> Response:
    """Redirect to the player of a free video: a course's introduction, or a preview lesson.

    A page that plays videos of one's own itself asks for JSON.
    """
    await request.service.throttle.hit(PREVIEWS_BY_IP, request.client_ip)
    service, playback = request.service, None
    if "lesson" not in request.path_params:
        course = find_course(request)
        if course is None:
            raise CourseNotFound
        if intro := course.definition.intro_video:
            playback = service.gateways.streaming.playback(intro.video, seconds=intro.duration, now=service.clock())
    elif (lesson := find_lesson(request)[1]) and lesson.definition.preview:
        playback = open_video(service, lesson)
    if playback is None:
        raise LessonNotFound
    if request.headers.get("accept") == "application/json":
        return JsonResponse({"hls_url": playback.hls_url, "poster_url": poster_of(playback)})
    return RedirectResponse(
        playback.iframe_url, 303, headers={"Cache-Control": "private, no-store", "Referrer-Policy": "origin"}
    )


_LESSON = "/learn/{course}/{lesson}"

routes = [
    learner_route("GET", "/library", show_library),
    lesson_route("GET", _LESSON, STATUSES, show_lesson),
    lesson_route("GET", f"{_LESSON}/playback", POSITION, show_playback),
    lesson_route("POST", f"{_LESSON}/progress", ACCESS, receive_heartbeat),
    lesson_route("PUT", f"{_LESSON}/completion", ACCESS, complete_lesson),
    lesson_route("DELETE", f"{_LESSON}/completion", ACCESS, uncomplete_lesson),
    learner_route("GET", "/resources/{resource:int}/download", download),
    open_route("GET", "/files/{resource:int}", send_local_file, Audience.LINK_HOLDER),
    open_route("GET", "/pictures/{course:int}/{name}", send_picture, Audience.LINK_HOLDER),
    open_route("GET", "/videos/{lesson:int}/{until:int}/{signature}/{name}", send_video, Audience.LINK_HOLDER),
    open_route("GET", "/drafts/{course}/{until:int}/{signature}/{name}", send_draft, Audience.LINK_HOLDER),
    open_route("GET", "/previews/{course}", play_preview),
    open_route("GET", "/previews/{course}/{lesson}", play_preview),
]
