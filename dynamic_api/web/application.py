"""The ASGI application: everything that happens around an endpoint, in one place and once for each request.

It gives the request an id, refuses what other sites send and what is too large, finds the route, turns errors into
answers, adds headers, and logs. As eight middlewares around Starlette's router this took twice as long as an answer.
"""

import itertools
import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Router as LifespanRouter
from starlette.types import Message, Receive, Scope, Send

from dynamic_api.core.errors import ApiError, BodyTooLarge, CrossOrigin, DatabaseAway, NotFound
from dynamic_api.core.outages import is_outage
from dynamic_api.service import Service
from dynamic_api.web.access_log import AccessLog
from dynamic_api.web.headers import PageKind, api_headers, kind_of, page_headers
from dynamic_api.web.metrics import RequestMetrics
from dynamic_api.web.requests import EXTRA_HEADERS, Request
from dynamic_api.web.responses import WORTH_IT, JsonResponse, negotiated, refusal
from dynamic_api.web.routing import Router
from dynamic_api.web.static_site import StaticSite
from sitegen.catalog.words import Sentence

logger = logging.getLogger("coursewright.requests")

BODY_LIMIT = 64 * 1024
WEBHOOK_BODY_LIMIT = 1024 * 1024
API = "/api/"
PAGES_OF_DRAFTS = "/api/drafts/"  # pages behind the API’s prefix, since a proxy sends nothing else to the service
PROBES = ("/healthz", "/readyz", "/metrics")  # for whatever watches the service
WEBHOOKS = "/webhooks/"
PHONES = "/api/v1/mobile"
_AWAY = Sentence(
    "The school can't answer right now. Please try again soon. If it keeps happening, please send us this number: "
    "{number}"
)
_FAILED = Sentence("Something went wrong on our side. If it keeps happening, please send us this number: {number}")
CLIENT_GONE = 499  # nginx's number for a client that closed the connection; only the log sees it

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PROCESS, _NUMBERS = secrets.token_hex(4), itertools.count()  # a number for support, not a secret
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")

RawHeaders = list[tuple[bytes, bytes]]


class Application:
    """One installation as an ASGI application."""

    def __init__(
        self,
        service: Service,
        router: Router,
        *,
        site: StaticSite | None,
        metrics: RequestMetrics,
        lifespan: Callable[["Application"], AbstractAsyncContextManager[None]],
    ) -> None:
        self.service = service
        self.access_log = AccessLog(metrics.count)
        self._router = router
        self._site = site
        self._origin = service.settings.site_url.encode()
        self._page_headers: dict[tuple[PageKind, tuple[str, ...]], RawHeaders] = {}
        self._api_headers = _raw(api_headers(service.settings))
        self._lifespan = LifespanRouter(lifespan=lambda _: lifespan(self))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._lifespan(scope, receive, send)
        started = time.perf_counter()
        request = Request(scope, receive, self.service)
        request_id = _request_id(request.raw_headers)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *self._headers_of(scope, request_id)]
            await send(message)

        try:
            response = await self._response(request, request_id)
            if isinstance(response, FileResponse | StreamingResponse):
                await response(scope, receive, send_with_headers)
            else:
                if isinstance(response, JsonResponse) and request.method == "GET" and len(response.body) > WORTH_IT:
                    response = negotiated(response, request.raw_headers)
                status = response.status_code
                headers = [*response.raw_headers, *self._headers_of(scope, request_id)]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": response.body})
        except ClientDisconnect:
            status = CLIENT_GONE
        finally:
            self.access_log.note(scope, status, started, request_id.decode())

    async def _response(self, request: Request, request_id: bytes) -> Response:
        try:
            self._check_origin(request)
            self._limit_body(request)
            return await self._routed(request)
        except ApiError as error:
            return refusal(error, request.say)
        except ClientDisconnect:
            raise
        except Exception as error:
            # The path may have any shape; the query string may hold a signature and is never logged.
            asked = (request_id.decode(), request.method, request.scope["path"])
            if is_outage(error):
                logger.error("request %s: %s %r: the database cannot answer: %r", *asked, error)
                return refusal(DatabaseAway(Sentence(_AWAY, number=asked[0])), request.say)
            logger.exception("request %s: %s %r failed", *asked)
            return refusal(ApiError(Sentence(_FAILED, number=asked[0])), request.say)

    async def _routed(self, request: Request) -> Response:
        path = request.scope["path"]
        if path.startswith((API, WEBHOOKS)):
            return await self._router.find(request)(request)
        if path in PROBES:
            return await self._router.find(request)(request)
        if (new := self.service.catalog.new_address(path)) is not None:
            return RedirectResponse(new, 308)
        if self._site is None:
            raise NotFound
        return await self._site.response(request.scope)

    def _headers_of(self, scope: Scope, request_id: bytes) -> RawHeaders:
        is_data = scope["path"].startswith((API, WEBHOOKS)) and not scope["path"].startswith(PAGES_OF_DRAFTS)
        ours = self._api_headers if is_data else self._headers_of_page(scope["path"])
        return [*ours, *scope.get(EXTRA_HEADERS, ()), (b"x-request-id", request_id)]

    def _headers_of_page(self, path: str) -> RawHeaders:
        site, kind = self.service.catalog.site, kind_of(path)
        hosts = site.head_hosts if site is not None else ()
        if (kind, hosts) not in self._page_headers:
            self._page_headers[kind, hosts] = _raw(page_headers(self.service.settings, kind, hosts))
        return self._page_headers[kind, hosts]

    def _check_origin(self, request: Request) -> None:
        """Refuse what another site does in a learner's name. Raises CrossOrigin.

        OWASP, Cross-Site Request Forgery cheat sheet: Fetch Metadata, and Origin for browsers that do not send it.
        Webhooks carry a signature, and phones a bearer token, instead of cookies.
        """
        if request.scope["method"] in _SAFE_METHODS or request.scope["path"].startswith((WEBHOOKS, PHONES)):
            return
        headers = request.raw_headers
        site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
        if site is not None:
            allowed = site in (b"same-origin", b"none")
        else:
            allowed = origin == self._origin if origin is not None else b"cookie" not in headers
        if not allowed:
            raise CrossOrigin

    def _limit_body(self, request: Request) -> None:
        """Refuse bodies larger than any of ours. The server holds a body to its declared length; one without a length
        is counted while it is read. Raises BodyTooLarge."""
        limit = WEBHOOK_BODY_LIMIT if request.scope["path"].startswith(WEBHOOKS) else BODY_LIMIT
        declared = request.raw_headers.get(b"content-length")
        if declared is not None:
            if not declared.isdigit() or len(declared) > 12 or int(declared) > limit:
                raise BodyTooLarge
        elif b"transfer-encoding" in request.raw_headers:
            request.limit_body(limit)


def _request_id(headers: Mapping[bytes, bytes]) -> bytes:
    """The id a proxy gave the request, or one of our own."""
    given = headers.get(b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given
    return f"{_PROCESS}{next(_NUMBERS):08x}".encode()


def _raw(headers: Mapping[str, str]) -> RawHeaders:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
