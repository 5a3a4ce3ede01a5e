"""In front of every path of the phone's API, known or not: who asks, how often, and headers on any answer."""

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dynamic_api.accounts.identity import client_address, cookies_of
from dynamic_api.accounts.throttle import MOBILE
from dynamic_api.mobile_v1.tokens import TOUCH, token_user
from dynamic_api.models import AccessToken, User
from dynamic_api.routing import service_of, throttle_of
from dynamic_api.service import Service


@dataclass(frozen=True)
class Device:
    """A phone that is signed in."""

    user: User
    token: AccessToken


class MobileGate:
    """Counts each request by user, or by address without a valid token."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        device = await _device(request, service_of(request))
        scope["coursewright.device"] = device
        scope["coursewright.left"] = 0
        who = f"user:{device.user.id}" if device else f"address:{client_address(request)}"
        scope["coursewright.left"] = throttle_of(request).hit(MOBILE, who)
        await self.app(scope, receive, send)


class MobileHeaders:
    """Says on every answer of the phone's API, refusals included, how many requests are left."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and "coursewright.left" in scope:
                headers = MutableHeaders(scope=message)
                headers["X-RateLimit-Limit"] = str(MOBILE.tries)
                headers["X-RateLimit-Remaining"] = str(scope["coursewright.left"])
                headers.setdefault("Cache-Control", "private, no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


async def _device(request: Request, service: Service) -> Device | None:
    """Whose token this is. A session cookie is never accepted, and a request that carries both is refused."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or cookies_of(service).session in request.cookies:
        return None
    now = service.clock()
    async with service.database.reading() as db:
        found = await token_user(db, token.strip(), now=now)
    if found is None:
        return None
    user, access = found
    if access.last_used_at is None or now - access.last_used_at > TOUCH:
        async with service.database.transaction() as db:
            if (row := await db.get(AccessToken, access.id)) is not None:
                row.last_used_at = now
    return Device(user, access)
