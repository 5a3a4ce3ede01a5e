"""The contract's endpoints: the same services as the web, asked with a bearer token."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts.identity import user_by_password
from dynamic_api.accounts.mailed_links import bring_what_waits
from dynamic_api.accounts.users import still_their_password
from dynamic_api.clock import timestamp
from dynamic_api.errors import TokenForbidden, Unauthenticated
from dynamic_api.learning import progress as progress_rules
from dynamic_api.learning.access import open_course, open_lesson, open_resource
from dynamic_api.learning.beat import BeatBody
from dynamic_api.learning.downloads import download_link
from dynamic_api.learning.library import library_of
from dynamic_api.learning.receipts import receipts_of
from dynamic_api.local_files import send_local_file
from dynamic_api.mobile_v1 import answers, shapes
from dynamic_api.mobile_v1.gate import Device
from dynamic_api.mobile_v1.openapi import openapi
from dynamic_api.mobile_v1.tokens import Ability, issue_token, revoke_all, revoke_token
from dynamic_api.routing import Audience, AudienceRoute, Text, open_route, read_body, service_of
from dynamic_api.service import Service

BASE = "/api/v1/mobile"
Handler = Callable[[Request, Service, Device], Awaitable[Response]]


class Login(BaseModel):
    """Endpoint 1."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)
    device_name: Text = Field(min_length=1, max_length=120)


def device_route(method: str, path: str, handler: Handler, ability: Ability) -> AudienceRoute:
    """A route for phones: the gate has found out which; the route checks what its token may do."""

    async def endpoint(request: Request) -> Response:
        device: Device | None = request.scope["coursewright.device"]
        if device is None:
            raise Unauthenticated
        if ability not in device.token.abilities.split():
            raise TokenForbidden
        return await handler(request, service_of(request), device)

    return AudienceRoute(method, path, endpoint, Audience.DEVICE, handler.__name__)


async def login(request: Request, service: Service) -> Response:
    """1."""
    body = await read_body(request, Login)
    user = await user_by_password(request, service, body.email, body.password)
    async with service.database.transaction() as db:
        await bring_what_waits(db, await still_their_password(db, user), service.clock())
        token = await issue_token(db, user, device_name=body.device_name, now=service.clock())
    return JSONResponse({"token": token, "token_type": "Bearer", "user": shapes.user(user)})


async def logout(request: Request, service: Service, device: Device) -> Response:
    """2."""
    async with service.database.transaction() as db:
        await revoke_token(db, device.token)
    return JSONResponse({"message": "Signed out."})


async def logout_all(request: Request, service: Service, device: Device) -> Response:
    """3."""
    async with service.database.transaction() as db:
        await revoke_all(db, device.user.id)
    return JSONResponse({"message": "Signed out on every device."})


async def me(request: Request, service: Service, device: Device) -> Response:
    """4."""
    return JSONResponse({"user": shapes.user(device.user)})


async def library(request: Request, service: Service, device: Device) -> Response:
    """5."""
    async with service.database.reading() as db:
        owned = await library_of(db, service.catalog.current, device.user.id)
    return JSONResponse({"courses": [shapes.library_entry(each, service.settings.site_url) for each in owned]})


async def course(request: Request, service: Service, device: Device) -> Response:
    """6."""
    async with service.database.reading() as db:
        live = await open_course(db, service.catalog.current, device.user.id, request.path_params["course"])
        rows = await progress_rules.progress_of(db, device.user.id, live.lessons)
    return JSONResponse({"course": shapes.course_detail(live, rows, service.settings.site_url)})


async def playback(request: Request, service: Service, device: Device) -> Response:
    """7."""
    now = service.clock()
    async with service.database.reading() as db:
        live, lesson = await open_lesson(db, service.catalog.current, device.user.id, *_names(request))
    row = await progress_rules.open_progress(service.progress, device.user.id, lesson, now=now)
    opened, progress = shapes.opened_lesson(live, lesson), progress_rules.describe(row)
    return JSONResponse(shapes.playback(service, lesson, opened, progress, now=now))


async def beat(request: Request, service: Service, device: Device) -> Response:
    """8."""
    async with service.database.reading() as db:
        _, lesson = await open_lesson(db, service.catalog.current, device.user.id, *_names(request))
    given = (await read_body(request, BeatBody)).as_beat()
    row = await progress_rules.record_beat(service, device.user.id, lesson, given, now=service.clock())
    return JSONResponse(shapes.beaten(row))


async def resource(request: Request, service: Service, device: Device) -> Response:
    """9."""
    async with service.database.transaction() as db:
        live = await open_resource(db, service.catalog.current, device.user.id, request.path_params["resource"])
        link = download_link(
            db,
            service.settings,
            service.gateways.storage,
            live,
            device.user.id,
            path=f"{BASE}/resources/{live.id}/file",
            now=service.clock(),
            actor=f"user:{device.user.id}",
        )
    url = link.url if link.url.startswith("http") else service.settings.site_url + link.url
    described = shapes.resource(live)
    names = ("id", "name", "mime_type", "size_bytes")
    fields = {name: described[name] for name in names}
    return JSONResponse({"resource": {**fields, "expires_at": timestamp(link.expires_at), "url": url}})


async def receipts(request: Request, service: Service, device: Device) -> Response:
    """11."""
    async with service.database.reading() as db:
        orders = await receipts_of(db, device.user)
    return JSONResponse({"receipts": [shapes.receipt(order) for order in orders]})


def _names(request: Request) -> tuple[str, str]:
    return request.path_params["course"], request.path_params["lesson"]


async def document(request: Request, service: Service) -> Response:
    """This API as OpenAPI 3.1."""
    return JSONResponse(openapi(routes, BASE, service.settings.site_url))


_LESSON = "/courses/{course}/lessons/{lesson}"

routes = [
    open_route("POST", "/auth/login", login).documented("1. Sign a phone in", answers.Login, Login),
    device_route("POST", "/auth/logout", logout, Ability.AUTH).documented("2. Sign this phone out", answers.Message),
    device_route("POST", "/auth/logout-all", logout_all, Ability.AUTH).documented(
        "3. Sign every phone out", answers.Message
    ),
    device_route("POST", "/auth/logout_all", logout_all, Ability.AUTH).documented(
        "3. The same, as older apps write it", answers.Message
    ),
    device_route("GET", "/me", me, Ability.READ).documented("4. Who is signed in", answers.Me),
    device_route("GET", "/library", library, Ability.READ).documented("5. The learner's courses", answers.Library),
    device_route("GET", "/courses/{course}", course, Ability.READ).documented("6. A course", answers.Course),
    device_route("GET", f"{_LESSON}/playback", playback, Ability.READ).documented("7. Open a lesson", answers.Playback),
    device_route("POST", f"{_LESSON}/progress", beat, Ability.PROGRESS).documented(
        "8. Tell a position", answers.Beaten, BeatBody
    ),
    device_route("GET", "/resources/{resource:int}", resource, Ability.READ).documented(
        "9. An address of a file", answers.OneResource
    ),
    open_route("GET", "/resources/{resource:int}/file", send_local_file, Audience.LINK_HOLDER),
    device_route("GET", "/receipts", receipts, Ability.READ).documented("11. Receipts", answers.Receipts),
    open_route("GET", "/openapi.json", document),
]
