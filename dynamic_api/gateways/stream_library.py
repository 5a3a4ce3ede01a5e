"""The creator's videos at Cloudflare Stream, and the captions that its player shows.

Only commands use this, with a token that may edit videos; the running service has none.
https://developers.cloudflare.com/stream/edit-videos/adding-captions/
"""

import httpx

from dynamic_api.core.settings import Settings, SettingsInvalid

TIMEOUT = 30  # seconds


class StreamRefused(Exception):
    """Why Stream did not do what was asked, in a sentence."""


class StreamLibrary:
    """One Stream account."""

    def __init__(self, settings: Settings) -> None:
        if not (settings.stream_account_id and settings.stream_api_token):
            raise SettingsInvalid(
                "Set COURSEWRIGHT_STREAM_ACCOUNT_ID and COURSEWRIGHT_STREAM_API_TOKEN, a token with the permission "
                "Stream: Edit. Set them for this command alone; the service needs neither."
            )
        self._http = httpx.AsyncClient(
            base_url=f"{settings.stream_api_base}/accounts/{settings.stream_account_id}/stream",
            headers={"Authorization": f"Bearer {settings.stream_api_token.get_secret_value()}"},
            timeout=TIMEOUT,
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.aclose()

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
        try:
            answer = await self._http.request(method, path, **how)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise StreamRefused(f"Stream could not be reached: {error}") from error
        if answer.status_code in (401, 403):
            raise StreamRefused(f"Stream does not accept the token: {_reason(answer)}")
        if answer.status_code >= 500 or answer.status_code == 429:
            raise StreamRefused(f"Stream is unavailable ({answer.status_code}). Run the command again later.")
        return answer


def _reason(answer: httpx.Response) -> str:
    try:
        return "; ".join(str(each["message"]) for each in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)
