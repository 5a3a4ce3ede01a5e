"""Videos of one's own: HLS in the file store, opened by addresses that are short-lived and name nobody.

A player asks the service for playlists and parts, under one signed address; from a bucket, parts are redirected to
links that the bucket checks. Access is asked once, when the address is handed out, as with Stream.
"""

import hmac
import re
from datetime import timedelta

import httpx
from starlette.responses import FileResponse, RedirectResponse, Response

from dynamic_api.catalog.courses import CatalogLesson
from dynamic_api.core.errors import LessonNotFound, SignatureInvalid, VideoUnavailable
from dynamic_api.gateways.storage import LocalStorage, R2Storage
from dynamic_api.gateways.streaming import LONGEST, SHARED, Playback
from dynamic_api.learning.downloads import sign_link
from dynamic_api.service import Service
from dynamic_api.web.requests import Request

MASTER, POSTER = "master.m3u8", "poster.jpg"
_NAME = re.compile(r"[A-Za-z0-9_-]+\.(m3u8|m4s|mp4|ts|jpg)")
_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "m4s": "video/iso.segment",
    "mp4": "video/mp4",
    "ts": "video/mp2t",
    "jpg": "image/jpeg",
}
_PLAYLIST_TIMEOUT = 10  # seconds
_LARGEST_PLAYLIST = 4 * 1024 * 1024  # bytes


def open_video(service: Service, lesson: CatalogLesson, *, pauses: timedelta = timedelta()) -> Playback | None:
    """Where a lesson's video plays, and until when; None when it has none. Whoever asks has checked access."""
    definition, now = lesson.definition, service.clock()
    seconds = definition.duration or 0
    if definition.video is not None:
        return service.gateways.streaming.playback(definition.video, seconds=seconds, now=now, pauses=pauses)
    if definition.hls is None:
        return None
    life = timedelta(seconds=seconds + service.settings.playback_margin_seconds) + pauses + SHARED
    expires = (now + min(life, LONGEST)).replace(microsecond=0)
    until = int(expires.timestamp())
    address = f"/api/videos/{lesson.id}/{until}/{_sign(service, lesson.id, until)}"
    master = f"{service.settings.site_url}{address}/{MASTER}"
    return Playback(master, master, expires)


def poster_of(playback: Playback) -> str:
    """The picture of a video of one's own."""
    return playback.hls_url.removesuffix(MASTER) + POSTER


def _sign(service: Service, lesson: int, until: int) -> str:
    return sign_link(service.settings, f"/api/videos/{lesson}", f"until={until}")


async def send_video(request: Request) -> Response:
    """A playlist, a part or the poster of a video, for whoever has an address that has not ended."""
    service, name = request.service, request.path_params["name"]
    lesson_id, until = request.path_params["lesson"], request.path_params["until"]
    expected = _sign(service, lesson_id, until)
    is_ours = hmac.compare_digest(request.path_params["signature"].encode(), expected.encode())
    if not is_ours or service.clock().timestamp() >= until:
        raise SignatureInvalid
    lesson = service.catalog.current.lesson_by_id(lesson_id)
    found = _NAME.fullmatch(name)
    if lesson is None or lesson.definition.hls is None or found is None:
        raise LessonNotFound
    key, kind = f"{lesson.definition.hls}/{name}", found[1]
    left = max(int(until - service.clock().timestamp()), 1)
    kept = {"Cache-Control": f"private, max-age={left}"}
    storage = service.gateways.storage
    if isinstance(storage, LocalStorage):
        path = storage.path(key)
        if path is None:
            raise LessonNotFound
        return FileResponse(path, media_type=_TYPES[kind], headers={"Cache-Control": f"private, max-age={left}"})
    if kind == "m3u8":
        return Response(await _playlist(storage, key), media_type=_TYPES[kind], headers=kept)
    seconds = min(left, int(LONGEST.total_seconds()))
    return RedirectResponse(
        storage.plain_link(key, seconds=seconds), 302, headers={"Cache-Control": "private, no-store"}
    )


async def _playlist(storage: R2Storage, key: str) -> bytes:
    """A playlist of the bucket. Its lines are names beside it, so that they lead back to the service."""
    try:
        async with httpx.AsyncClient(timeout=_PLAYLIST_TIMEOUT) as client:
            answer = await client.get(storage.plain_link(key, seconds=60))
    except httpx.HTTPError:
        raise VideoUnavailable from None
    if answer.status_code in (403, 404):
        raise LessonNotFound
    if not answer.is_success or len(answer.content) > _LARGEST_PLAYLIST:
        raise VideoUnavailable
    return answer.content
