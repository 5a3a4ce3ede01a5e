"""What happens around every request: a request id, headers, limits, and no acting from other sites. Pure ASGI."""

import itertools
import logging
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dynamic_api.access_log import AccessLog
from dynamic_api.config import Settings
from dynamic_api.errors import ApiError, BodyTooLarge, CrossOrigin

logger = logging.getLogger("coursewright.requests")

BODY_LIMIT = 64 * 1024
WEBHOOK_BODY_LIMIT = 1024 * 1024
API = "/api/"
MOBILE = "/api/v1/mobile"
WEBHOOKS = "/webhooks/"

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PROCESS, _NUMBERS = secrets.token_hex(4), itertools.count()  # a number to tell us, not a secret
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def refusal(error: ApiError) -> JSONResponse:
    """The one shape of every refusal."""
    return JSONResponse(error.body(), error.status, headers=dict(error.headers))


class RequestLog:
    """Gives each request an id, logs it without its query, and turns a crash into a 500 that names only the id."""

    def __init__(self, app: ASGIApp, access_log: AccessLog) -> None:
        self.app = app
        self._log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = request_id_of(scope)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            # The path may be of any shape; the query may hold a signature and is never logged.
            logger.exception("request %s: %s %r failed", request_id, scope["method"], scope["path"])
            if status:
                raise
            error = ApiError(f"Something went wrong on our side. If it stays so, tell us this number: {request_id}")
            await refusal(error)(scope, receive, send_with_id)
        finally:
            self._log.note(scope, status, started, request_id)


def request_id_of(scope: Scope) -> str:
    """The id a proxy gave the request, or one of our own."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(given := value.decode("latin-1")):
            return str(given)
    return f"{_PROCESS}{next(_NUMBERS):08x}"


class SecurityHeaders:
    """The same strict headers on every page, and on every answer of the API."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.of_pages, self.of_api = page_headers(settings), api_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and not scope["path"].startswith((API, WEBHOOKS))
        ours = self.of_pages if is_page else self.of_api

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ours.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def page_headers(settings: Settings) -> Mapping[str, str]:
    """Headers of pages; a proxy or CDN that serves `output/` should send the same. OWASP, HTTP Headers cheat sheet."""
    stream, sdk = settings.stream_base_url, urlsplit(settings.stream_sdk_url)
    stream_origin = "{0.scheme}://{0.netloc}".format(urlsplit(stream))
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' {sdk.scheme}://{sdk.netloc}",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-src": f"'self' {stream_origin}",
        # Chromium holds a form's redirects against this too.
        "form-action": f"'self' {settings.stripe_checkout_origin}",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        **_everywhere(settings),
    }


def api_headers(settings: Settings) -> Mapping[str, str]:
    """Headers of data, which loads nothing and is never framed. OWASP, REST Security cheat sheet."""
    return {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", **_everywhere(settings)}


def _everywhere(settings: Settings) -> Mapping[str, str]:
    headers = {"X-Content-Type-Options": "nosniff"}
    if settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers


class CrossOriginCheck:
    """Refuses what another site does in a learner's name.

    OWASP, Cross-Site Request Forgery cheat sheet: Fetch Metadata, with Origin for browsers that do not send it.
    Webhooks carry a signature, and phones a bearer token, instead of cookies.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.origin = settings.site_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._allowed(scope):
            return await refusal(CrossOrigin())(scope, receive, send)
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        if scope["method"] in _SAFE_METHODS or scope["path"].startswith((WEBHOOKS, MOBILE)):
            return True
        headers = Headers(scope=scope)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        return origin == self.origin if origin is not None else "cookie" not in headers


class BodyLimit:
    """Refuses bodies that are larger than any of ours, before and while they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = WEBHOOK_BODY_LIMIT if scope["path"].startswith(WEBHOOKS) else BODY_LIMIT
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            return await refusal(BodyTooLarge())(scope, receive, send)
        total = 0

        async def receive_limited() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > limit:
                raise BodyTooLarge
            return message

        await self.app(scope, receive_limited, send)
