"""Serves the playlists and parts of videos of one's own to anyone with a signed address.

From a bucket, playlists are fetched, and parts are redirected to links that the bucket checks.
"""

import hmac
import re

import httpx
from starlette.responses import FileResponse, RedirectResponse, Response

from dynamic_api.core.errors import LessonNotFound, SignatureInvalid, VideoUnavailable
from dynamic_api.gateways.storage import LocalStorage, R2Storage
from dynamic_api.gateways.streaming import LONGEST
from dynamic_api.learning.own_videos import sign_video
from dynamic_api.web.requests import Request

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


async def send_video(request: Request) -> Response:
    """A playlist, a part or the poster of a video, for whoever has an address that has not ended."""
    service, name = request.service, request.path_params["name"]
    lesson_id, until = request.path_params["lesson"], request.path_params["until"]
    expected = sign_video(service, lesson_id, until)
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
        return FileResponse(path, media_type=_TYPES[kind], headers=kept)
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
