"""Cloudflare Stream: signing keys, and a player that plays only for tokens it has really verified."""

import re
import secrets
from base64 import b64encode
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .store import Store
from .stream_videos import problem
from .templates import page

MEDIA = Path(__file__).parent / "media"
_SEGMENT = 10  # seconds of each segment of the clip
_LONGEST = 24 * 3600


class TokenRefused(Exception):
    """Why a token does not open this video."""


def video_of(store: Store, token: str) -> str:
    """The video a token opens now. https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/"""
    try:
        header = jwt.get_unverified_header(token)
        public_key = store.signing_keys[header["kid"]]
        claims = jwt.decode(token, public_key, algorithms=["RS256"], options={"require": ["exp", "sub"]})
    except KeyError:
        raise TokenRefused("unknown signing key") from None
    except jwt.PyJWTError as error:
        raise TokenRefused(str(error)) from None
    if claims.get("kid") != header["kid"]:
        raise TokenRefused("kid must stand in header and payload")
    if claims["exp"] - store.now() > _LONGEST:
        raise TokenRefused("exp is more than 24 hours away")
    if claims["sub"] not in store.videos:
        raise TokenRefused("no such video")
    return str(claims["sub"])


def _opened(request: Request) -> tuple[str, int]:
    store: Store = request.app.state.store
    video = video_of(store, request.path_params["token"])
    return video, store.videos[video]


async def create_key(request: Request) -> Response:
    """POST …/stream/keys."""
    store: Store = request.app.state.store
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = secrets.token_hex(16)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    store.signing_keys[name] = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    store.save()
    result = {"id": name, "pem": b64encode(pem).decode(), "created": "2026-01-01T00:00:00Z"}
    return JSONResponse({"result": result, "success": True, "errors": [], "messages": []})


async def add_videos(request: Request) -> Response:
    """What an upload would do: `{video id: seconds}`."""
    store: Store = request.app.state.store
    store.videos.update(await request.json())
    store.save()
    return JSONResponse({"success": True})


async def captions(request: Request) -> Response:
    """GET and PUT …/stream/{video}/captions/{language}."""
    store: Store = request.app.state.store
    video, language = request.path_params["video"], request.path_params["language"]
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return problem(403, "Authentication error")
    if video not in store.videos:
        return problem(404, "Not found: the video does not exist")
    if request.method == "PUT":
        async with request.form() as form:
            upload = form.get("file")
            vtt = (await upload.read()).decode() if isinstance(upload, UploadFile) else ""
        if not vtt.startswith("WEBVTT"):
            return problem(400, "The file is not WebVTT")
        store.captions.setdefault(video, {})[language] = vtt
        store.machine_captions.get(video, {}).pop(language, None)
        store.save()
        result = {"language": language, "label": language, "status": "ready"}
        return JSONResponse({"result": result, "success": True, "errors": [], "messages": []})
    vtt = store.captions.get(video, {}).get(language, "")
    return Response(vtt, media_type="text/vtt") if vtt else problem(404, "Not found: there are no such captions")


async def spoken(request: Request) -> Response:
    """The captions as the player loads them."""
    try:
        video, _ = _opened(request)
    except TokenRefused as refusal:
        return PlainTextResponse(str(refusal), 401)
    store: Store = request.app.state.store
    return Response(store.captions.get(video, {}).get(request.path_params["language"], ""), media_type="text/vtt")


async def iframe(request: Request) -> Response:
    """The player."""
    try:
        video, duration = _opened(request)
    except TokenRefused as refusal:
        return page("stream_refused.html", status=401, reason=str(refusal))
    start = re.sub(r"[^0-9.]", "", request.query_params.get("startTime", "0")) or "0"
    store: Store = request.app.state.store
    languages = sorted(store.captions.get(video, {}))
    shown = request.query_params.get("defaultTextTrack")
    return page("stream_player.html", duration=duration, start=start, languages=languages, shown=shown)


async def playlist(request: Request) -> Response:
    """HLS: as much of the clip as the video is long."""
    try:
        _, duration = _opened(request)
    except TokenRefused as refusal:
        return PlainTextResponse(str(refusal), 401)
    lines = (MEDIA / "clock.m3u8").read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("#EXTINF"))
    kept = lines[:start]
    for index in range(start, len(lines) - 2, 3):
        if duration <= 0:
            break
        kept += [f"#EXTINF:{min(_SEGMENT, duration):.6f},", lines[index + 1], "clock.mp4"]
        duration -= _SEGMENT
    return Response("\n".join([*kept, "#EXT-X-ENDLIST", ""]), media_type="application/vnd.apple.mpegurl")


async def media(request: Request) -> Response:
    """The clip's bytes."""
    try:
        _opened(request)
    except TokenRefused as refusal:
        return PlainTextResponse(str(refusal), 401)
    return FileResponse(MEDIA / "clock.mp4", media_type="video/mp4")


async def thumbnail(request: Request) -> Response:
    """A picture of the video."""
    try:
        _opened(request)
    except TokenRefused as refusal:
        return PlainTextResponse(str(refusal), 401)
    return FileResponse(MEDIA / "poster.jpg", media_type="image/jpeg")


async def sdk(request: Request) -> Response:
    """The player's script for the page around it."""
    return FileResponse(Path(__file__).parent / "static" / "stream_sdk.js", media_type="text/javascript")


routes = [
    Route("/client/v4/accounts/{account}/stream/keys", create_key, methods=["POST"]),
    Route("/client/v4/accounts/{account}/stream/{video}/captions/{language}", captions, methods=["PUT"]),
    Route("/client/v4/accounts/{account}/stream/{video}/captions/{language}/vtt", captions),
    Route("/sandbox/videos", add_videos, methods=["POST"]),
    Route("/stream/sdk.js", sdk),
    Route("/stream/{token}/iframe", iframe),
    Route("/stream/{token}/manifest/video.m3u8", playlist),
    Route("/stream/{token}/manifest/clock.mp4", media),
    Route("/stream/{token}/captions/{language}.vtt", spoken),
    Route("/stream/{token}/thumbnails/thumbnail.jpg", thumbnail),
]
