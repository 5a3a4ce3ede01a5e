"""The creator's videos at Cloudflare Stream: put up, looked at, and captioned.

Only commands use this, with a token that may edit videos; the running service has none.
https://developers.cloudflare.com/api/resources/stream/
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from dynamic_api.core.settings import MediaSettings, Settings, SettingsInvalid

TIMEOUT = 30  # seconds
CHUNK = 50 * 1024 * 1024  # bytes; Stream takes 5 to 200 MiB, in multiples of 256 KiB
TUS = "1.0.0"


class StreamRefused(Exception):
    """Why Stream did not do what was asked, in a sentence."""


class UploadGone(StreamRefused):
    """An upload that was begun is no longer known there: begin another."""


@dataclass(frozen=True)
class VideoFacts:
    """A video as Stream has it. `duration` in seconds, None while it is not known."""

    id: str
    state: str
    is_ready: bool
    is_signed: bool
    duration: float | None
    problem: str


@dataclass(frozen=True)
class CaptionFacts:
    """Captions of a video in one language; `is_machine` until a person put others up."""

    language: str
    status: str
    is_machine: bool


@dataclass(frozen=True)
class Upload:
    """An upload that was begun: where it goes on, and the id that the video will have."""

    location: str
    video: str


class StreamLibrary:
    """One Stream account."""

    def __init__(self, settings: Settings | MediaSettings) -> None:
        if not (settings.stream_account_id and settings.stream_api_token):
            raise SettingsInvalid(
                "Set COURSEWRIGHT_STREAM_ACCOUNT_ID and COURSEWRIGHT_STREAM_API_TOKEN, a token with the permission "
                "Stream: Edit. Set them for this command alone; the service needs neither."
            )
        self._videos = f"{settings.stream_api_base}/accounts/{settings.stream_account_id}/stream"
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {settings.stream_api_token.get_secret_value()}"},
            timeout=TIMEOUT,
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

    async def video(self, video: str) -> VideoFacts | None:
        """A video; None where there is none. Raises StreamRefused."""
        answer = await self._request("GET", f"/{video}")
        if answer.status_code == 404:
            return None
        found = _result(answer)
        status = found.get("status") or {}
        problem = status.get("errorReasonText") or status.get("errReasonText") or ""
        duration = float(found.get("duration") or -1)
        return VideoFacts(
            id=video,
            state=str(status.get("state", "")),
            is_ready=bool(found.get("readyToStream")),
            is_signed=bool(found.get("requireSignedURLs")),
            duration=duration if duration >= 0 else None,
            problem=str(problem),
        )

    async def require_signed(self, video: str) -> None:
        """Let a video be watched with signed addresses only. Raises StreamRefused."""
        answer = await self._request("POST", f"/{video}", json={"uid": video, "requireSignedURLs": True})
        _result(answer)

    async def begin_upload(self, size: int, about: Mapping[str, str]) -> Upload:
        """Begin a resumable upload of a video that only signed addresses play. Raises StreamRefused."""
        described = [f"{key} {b64encode(value.encode()).decode()}" for key, value in about.items()]
        answer = await self._request(
            "POST",
            "",
            headers={
                "Tus-Resumable": TUS,
                "Upload-Length": str(size),
                "Upload-Metadata": ",".join([*described, "requiresignedurls"]),
            },
        )
        video, location = answer.headers.get("stream-media-id"), answer.headers.get("location")
        if answer.status_code == 413:
            raise StreamRefused(f"Stream does not take this video: {_reason(answer)}")
        if not answer.is_success or not video or not location:
            raise StreamRefused(f"Stream did not begin the upload: {_reason(answer)}")
        return Upload(location, video)

    async def send(self, upload: Upload, file: Path, told: Callable[[int], None], *, chunk: int = CHUNK) -> None:
        """Send what is missing of a file; `told(bytes sent)` after each part. It may be cut, and called again.

        Raises UploadGone, StreamRefused.
        """
        size = file.stat().st_size  # noqa: ASYNC240 - in a command, where nothing else waits
        offset = await self._offset(upload)
        with file.open("rb") as source:
            while offset < size:
                source.seek(offset)
                part = source.read(chunk)
                answer = await self._request(
                    "PATCH",
                    upload.location,
                    content=part,
                    headers={
                        "Tus-Resumable": TUS,
                        "Upload-Offset": str(offset),
                        "Content-Type": "application/offset+octet-stream",
                    },
                    timeout=httpx.Timeout(TIMEOUT, write=600, read=600),
                )
                if answer.status_code == 409:  # an earlier part arrived after all
                    offset = await self._offset(upload)
                    continue
                if not answer.is_success:
                    raise StreamRefused(f"Stream stopped the upload: {_reason(answer)}")
                offset = int(answer.headers["upload-offset"])
                told(offset)

    async def _offset(self, upload: Upload) -> int:
        answer = await self._request("HEAD", upload.location, headers={"Tus-Resumable": TUS})
        if answer.status_code in (403, 404, 410):
            raise UploadGone("Stream no longer knows this upload.")
        if not answer.is_success:
            raise StreamRefused(f"Stream does not say how far the upload is: {answer.status_code}")
        return int(answer.headers["upload-offset"])

    async def list_captions(self, video: str) -> list[CaptionFacts]:
        """The captions of a video. Raises StreamRefused."""
        rows = _result(await self._request("GET", f"/{video}/captions"))
        return [
            CaptionFacts(str(row["language"]), str(row.get("status", "")), bool(row.get("generated"))) for row in rows
        ]

    async def generate_captions(self, video: str, language: str) -> None:
        """Let Stream listen to a video and write captions; it takes a while. Raises StreamRefused."""
        answer = await self._request("POST", f"/{video}/captions/{language}/generate")
        if not answer.is_success:
            raise StreamRefused(f"Stream does not make captions ({language}) of video {video}: {_reason(answer)}")

    async def captions(self, video: str, language: str) -> str | None:
        """The WebVTT that the player shows in a language, or None. Raises StreamRefused."""
        answer = await self._request("GET", f"/{video}/captions/{language}/vtt")
        return answer.text if answer.is_success else None

    async def put_captions(self, video: str, language: str, vtt: str) -> None:
        """Replace the captions of a language. Raises StreamRefused."""
        files = {"file": (f"{language}.vtt", vtt.encode(), "text/vtt")}
        answer = await self._request("PUT", f"/{video}/captions/{language}", files=files)
        if not answer.is_success:
            raise StreamRefused(f"Stream refused the captions ({language}) of video {video}: {_reason(answer)}")

    async def _request(self, method: str, path: str, **how: object) -> httpx.Response:
        address = path if path.startswith("http") else f"{self._videos}{path}"
        try:
            answer = await self._http.request(method, address, **how)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise StreamRefused(f"Stream could not be reached: {error or type(error).__name__}") from error
        if answer.status_code in (401, 403) and method != "HEAD":
            raise StreamRefused(f"Stream does not accept the token: {_reason(answer)}")
        if answer.status_code >= 500 or answer.status_code == 429:
            raise StreamRefused(f"Stream is unavailable ({answer.status_code}). Run the command again later.")
        return answer


def _result(answer: httpx.Response) -> Any:  # what Stream answers has no type of ours
    if not answer.is_success:
        raise StreamRefused(f"Stream refused: {_reason(answer)}")
    try:
        return answer.json()["result"]
    except (ValueError, KeyError, TypeError):
        raise StreamRefused("Stream answered something that is not its API’s. Check the account’s id.") from None


def _reason(answer: httpx.Response) -> str:
    try:
        return "; ".join(str(each["message"]) for each in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
