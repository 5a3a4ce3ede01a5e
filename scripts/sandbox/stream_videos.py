"""Cloudflare Stream's API about videos: resumable uploads (tus 1.0), what is known of a video, machine captions.

As strict as Stream: parts have a size, an offset, a protocol version; captions are made once, of ready videos alone.
"""

import secrets
import shutil
import subprocess
import tempfile
from base64 import b64decode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .store import Json, Store, Upload

_QUARTER = 256 * 1024
_SMALLEST_PART = 5 * 1024 * 1024
_LARGEST_PART = 200 * 1024 * 1024
_TUS = {"Tus-Resumable": "1.0.0"}
_LANGUAGES = {"cs", "nl", "en", "fr", "de", "it", "ja", "ko", "pl", "pt", "ru", "es"}
_LONGEST_CHECKED = 64 * 1024 * 1024


def problem(status: int, message: str) -> Response:
    """An answer as the API gives it."""
    errors = [{"code": 10000 + status, "message": message}]
    return JSONResponse({"result": None, "success": False, "errors": errors, "messages": []}, status)


def _answer(result: object) -> Response:
    return JSONResponse({"result": result, "success": True, "errors": [], "messages": []})


def _may(request: Request) -> bool:
    return request.headers.get("authorization", "").startswith("Bearer ")


async def begin(request: Request) -> Response:
    """POST …/stream: begin an upload."""
    store: Store = request.app.state.store
    if not _may(request):
        return problem(403, "Authentication error")
    length = request.headers.get("upload-length", "")
    if request.headers.get("tus-resumable") != "1.0.0" or not length.isdigit():
        return problem(412, "Tus-Resumable and Upload-Length are needed")
    if int(length) > 30 * 1024**3:
        return problem(413, "The video is larger than 30 GB")
    metadata = {}
    for pair in request.headers.get("upload-metadata", "").split(","):
        key, _, value = pair.partition(" ")
        metadata[key] = b64decode(value).decode() if value else ""
    video = secrets.token_hex(16)
    store.uploads[video] = Upload(int(length), metadata)
    location = str(request.url_for("tus_part", video=video))
    return Response(status_code=201, headers={**_TUS, "Location": location, "stream-media-id": video})


async def part(request: Request) -> Response:
    """HEAD: how much arrived. PATCH: the next part."""
    store: Store = request.app.state.store
    video = request.path_params["video"]
    upload = store.uploads.get(video)
    if upload is None:
        return Response(status_code=404, headers=_TUS)
    if request.headers.get("tus-resumable") != "1.0.0":
        return Response(status_code=412, headers=_TUS)
    if request.method == "HEAD":
        headers = {**_TUS, "Upload-Offset": str(len(upload.received)), "Upload-Length": str(upload.length)}
        return Response(headers={**headers, "Cache-Control": "no-store"})
    if request.headers.get("content-type") != "application/offset+octet-stream":
        return Response(status_code=415, headers=_TUS)
    if request.headers.get("upload-offset") != str(len(upload.received)):
        return Response(status_code=409, headers=_TUS)
    body = await request.body()
    is_last = len(upload.received) + len(body) == upload.length
    fits = _SMALLEST_PART <= len(body) <= _LARGEST_PART and len(body) % _QUARTER == 0
    if len(upload.received) + len(body) > upload.length or not (is_last or fits):
        return problem(400, "A part has between 5 MiB and 200 MiB, in multiples of 256 KiB")
    if store.upload_cuts:
        store.upload_cuts -= 1
        upload.received += body[: len(body) // 2 // _QUARTER * _QUARTER]
        return problem(503, "The connection was lost")
    upload.received += body
    if is_last:
        _arrived(store, video, upload)
    return Response(status_code=204, headers={**_TUS, "Upload-Offset": str(len(upload.received))})


def _arrived(store: Store, video: str, upload: Upload) -> None:
    seconds = _seconds(bytes(upload.received))
    facts: Json = {"requireSignedURLs": "requiresignedurls" in upload.metadata, "meta": upload.metadata}
    if seconds is None:
        facts |= {"state": "error", "reason": "ERR_NON_VIDEO"}
    else:
        facts |= {"state": "inprogress", "seconds": seconds}
    store.videos[video] = round(seconds or 0)
    store.video_facts[video] = facts
    del store.uploads[video]
    store.save()


def _seconds(content: bytes) -> float | None:
    """The length of a video, or None where it is none."""
    program = shutil.which("ffprobe")
    if program is None or len(content) > _LONGEST_CHECKED:
        return 60.0
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        file.write(content)
        file.flush()
        command = [
            program,
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
            file.name,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return float(done.stdout.strip())
    except ValueError:
        return None


async def video(request: Request) -> Response:
    """GET: what is known. POST: whether only signed addresses play it."""
    store: Store = request.app.state.store
    name = request.path_params["video"]
    if not _may(request):
        return problem(403, "Authentication error")
    if name not in store.videos:
        return problem(404, "Not found: the video does not exist")
    facts = store.video_facts.setdefault(name, {})
    if request.method == "POST":
        facts["requireSignedURLs"] = bool((await request.json())["requireSignedURLs"])
        store.save()
    state = facts.get("state", "ready")
    if state == "inprogress":
        facts["state"] = "ready"  # whoever asks again finds it ready
    known = state == "ready"
    result = {
        "uid": name,
        "duration": facts.get("seconds", store.videos[name]) if known else -1,
        "readyToStream": known,
        "requireSignedURLs": facts.get("requireSignedURLs", True),
        "meta": facts.get("meta", {}),
        "status": {"state": state, "errorReasonText": facts.get("reason", ""), "pctComplete": "100" if known else "40"},
    }
    return _answer(result)


async def list_captions(request: Request) -> Response:
    """GET …/captions."""
    store: Store = request.app.state.store
    name = request.path_params["video"]
    if not _may(request):
        return problem(403, "Authentication error")
    if name not in store.videos:
        return problem(404, "Not found: the video does not exist")
    machine = store.machine_captions.get(name, {})
    for language, asked in machine.items():
        if asked == 1:
            store.captions.setdefault(name, {})[language] = (
                "WEBVTT\n\n1\n00:00.000 --> 00:02.000\nflower and water\n\n2\n00:02.000 --> 00:04.000\nand solt\n"
            )
        machine[language] = asked + 1
    rows = [
        {"language": language, "label": language, "generated": language in machine, "status": "ready"}
        for language in store.captions.get(name, {})
    ]
    waiting = [language for language, asked in machine.items() if asked < 2]
    rows += [{"language": each, "label": each, "generated": True, "status": "inprogress"} for each in waiting
             if each not in store.captions.get(name, {})]  # fmt: skip
    return _answer(rows)


async def generate(request: Request) -> Response:
    """POST …/captions/{language}/generate."""
    store: Store = request.app.state.store
    name, language = request.path_params["video"], request.path_params["language"]
    if not _may(request):
        return problem(403, "Authentication error")
    if name not in store.videos:
        return problem(404, "Not found: the video does not exist")
    if language.partition("-")[0] not in _LANGUAGES:
        return problem(400, f"Captions in {language} cannot be generated")
    if store.video_facts.get(name, {}).get("state", "ready") != "ready":
        return problem(400, "The video is not ready")
    if language in store.captions.get(name, {}) or language in store.machine_captions.get(name, {}):
        return problem(409, "The video has captions in this language")
    store.machine_captions.setdefault(name, {})[language] = 0
    return _answer({"language": language, "label": language, "generated": True, "status": "inprogress"})


_STREAM = "/client/v4/accounts/{account}/stream"
routes = [
    Route(_STREAM, begin, methods=["POST"]),
    Route("/sandbox/tus/{video}", part, methods=["HEAD", "PATCH"], name="tus_part"),
    Route(_STREAM + "/{video}", video, methods=["GET", "POST"]),
    Route(_STREAM + "/{video}/captions", list_captions),
    Route(_STREAM + "/{video}/captions/{language}/generate", generate, methods=["POST"]),
]
