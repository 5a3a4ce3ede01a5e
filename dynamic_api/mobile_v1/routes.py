"""Version 1 of the API for phones: the same services as the web, with a bearer token instead of a cookie."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import orjson
from pydantic import BaseModel, Field
from starlette.responses import Response

from dynamic_api.accounts.proof import NOTHING_KEPT
from dynamic_api.accounts.sign_in_codes import sign_in_by_code
from dynamic_api.accounts.users import check_password, forgive_failures, lock_user_if_password_unchanged
from dynamic_api.core.clock import timestamp
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import CodeInvalid
from dynamic_api.core.models import User
from dynamic_api.core.throttle import ACCOUNT_FORMS_BY_IP, CODES_BY_EMAIL
from dynamic_api.learning.access import (
    ACCESS,
    COURSE,
    PROGRESS,
    Access,
    AccessAndProgress,
    Extra,
    OpenedLesson,
    open_course,
    open_lesson,
)
from dynamic_api.learning.downloads import download_link
from dynamic_api.learning.heartbeats import HeartbeatBody, open_progress, record_heartbeat
from dynamic_api.learning.library import library_of
from dynamic_api.learning.local_files import send_local_file
from dynamic_api.learning.pictures import with_pictures
from dynamic_api.mobile_v1 import answers
from dynamic_api.mobile_v1.course_template import course_template
from dynamic_api.mobile_v1.openapi import openapi
from dynamic_api.orders.attach import attach_waiting_orders
from dynamic_api.orders.receipts import RECEIPTS
from dynamic_api.web.identity import WHO, Learner, LearnerQuery, Phone, find_phone, identify_phone, phone_route
from dynamic_api.web.phone_tokens import Ability, issue_phone_token, revoke_phone_token, revoke_phone_tokens
from dynamic_api.web.requests import Request, Text
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.routing import Audience, Documentation, Endpoint, Route

BASE = "/api/v1/mobile"


class Login(BaseModel):
    """The body of endpoint 1."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)
    device_name: Text = Field(min_length=1, max_length=120)


async def login(request: Request) -> Response:
    """Endpoint 1. Sign in with a password, or the six digits of a sign-in email; the token is for this device."""
    body, service = await request.read(Login), request.service
    email = Email.lookup(body.email)
    user = await _by_digits(request, email, body.password)
    if user is None:
        user = await check_password(service, email, body.password, client_ip=request.client_ip)
    now = service.clock()
    async with service.database.transaction() as db:
        current = await lock_user_if_password_unchanged(db, user)
        await attach_waiting_orders(db, current, now=now)
        token = await issue_phone_token(db, current, device_name=body.device_name, now=now)
    signed_in: answers.Login = {
        "token": token,
        "token_type": "Bearer",
        "user": {
            "id": user.id,
            "name": user.name,
            "email": user.email.spelling,
            "updated_at": timestamp(user.updated_at),
        },
    }
    return JsonResponse(signed_in)


async def _by_digits(request: Request, email: Email, typed: str) -> User | None:
    """The account that six digits open, typed where the app asks for a password; no password of ours is as short.

    They prove the address, and the app cannot ask what else keeps its access: nothing does. Raises RateLimited.
    """
    digits = "".join(typed.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    await request.service.throttle.hit(CODES_BY_EMAIL, email.key, request.client_ip)
    try:
        user = await sign_in_by_code(request.service, email, digits, NOTHING_KEPT)
    except CodeInvalid:
        return None
    await forgive_failures(request.service.throttle, email, request.client_ip)
    return user


async def logout(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 2. End this token."""
    async with request.service.database.transaction() as db:
        await revoke_phone_token(db, phone.token_id)
    return JsonResponse({"message": request.say("Signed out.")})


async def logout_all(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 3. End every token of the learner."""
    async with request.service.database.transaction() as db:
        await revoke_phone_tokens(db, learner.id)
    return JsonResponse({"message": request.say("Signed out on every device.")})


async def me(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 4. Who the token belongs to."""
    user: answers.User = {
        "id": learner.id,
        "name": learner.name,
        "email": learner.email_spelling,
        "updated_at": learner.updated_at,
    }
    return JsonResponse({"user": user})


async def library(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 5. The courses they own, with progress and where to continue."""
    site_url = request.service.settings.site_url
    owned = await library_of(request.service, learner.id)
    return JsonResponse({"courses": [answers.library_entry(each, site_url) for each in owned]})


async def course(request: Request) -> Response:
    """Endpoint 6. One course they own, with every lesson and its progress."""
    opened = await open_course(request, _READER, COURSE)
    template = course_template(opened.course, request.service.settings.site_url)
    filled = template.filled(opened.found.progress)
    return JsonResponse(with_pictures(request.service, filled, opened.course, opened.learner.id, html=False))


async def playback(request: Request, opened: OpenedLesson[AccessAndProgress]) -> Response:
    """Endpoint 7. A signed address of a lesson’s video, and where to start."""
    service, lesson = request.service, opened.lesson
    if "phone" not in lesson.cache:
        lesson.cache["phone"] = orjson.dumps(answers.opened_lesson(opened.course, lesson, service.settings.site_url))
    described = with_pictures(service, lesson.cache["phone"], opened.course, opened.learner.id, html=False)
    stream = answers.stream(service, lesson)
    return JsonResponse(
        {
            "stream_url": stream["preferred_url"] if stream else None,
            "stream": stream,
            "heartbeat_seconds": service.settings.heartbeat_seconds,
            "auto_complete_percent": service.settings.completion_percent,
            "lesson": orjson.Fragment(described),
            "progress": await open_progress(service, opened),
        }
    )


async def heartbeat(request: Request, opened: OpenedLesson[Access]) -> Response:
    """Endpoint 8. Progress that the player reports."""
    reported = (await request.read(HeartbeatBody)).heartbeat()
    row = await record_heartbeat(request.service, opened.key, opened.lesson, reported)
    return JsonResponse(answers.heartbeat_answer(row))


async def resource(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 9. A signed address of a file."""
    service, resource_id = request.service, request.path_params["resource"]
    link = await download_link(service, learner.id, resource_id, path=f"{BASE}/resources/{resource_id}/file")
    described = answers.resource(link.resource)
    answer: answers.ResourceLink = {
        "id": described["id"],
        "name": described["name"],
        "mime_type": described["mime_type"],
        "size_bytes": described["size_bytes"],
        "expires_at": timestamp(link.expires_at),
        "url": link.url if link.url.startswith("http") else service.settings.site_url + link.url,
    }
    return JsonResponse({"resource": answer})


async def receipts(request: Request, learner: Learner, phone: Phone) -> Response:
    """Endpoint 11. What they paid."""
    rows = await request.service.reader.all(RECEIPTS, buyer_id=learner.id)
    return JsonResponse({"receipts": [answers.receipt(row) for row in rows]})


async def document(request: Request) -> Response:
    """This API as OpenAPI 3.1."""
    return JsonResponse(openapi(routes, BASE, request.service.settings.site_url))


async def count_unknown(request: Request) -> None:
    """Count a request to a path that does not exist, like any other. Raises RateLimited."""
    await find_phone(request, WHO)


def _identify(ability: Ability) -> Callable[..., Awaitable[tuple[Learner, Extra]]]:
    async def identify(request: Request, query: LearnerQuery[Extra], **values: object) -> tuple[Learner, Extra]:
        learner, _, found = await identify_phone(request, query, ability, **values)
        return learner, found

    return identify


_READER = _identify(Ability.READ)


def _lesson_route(
    method: str,
    path: str,
    query: LearnerQuery[Extra],
    handler: Callable[[Request, OpenedLesson[Extra]], Awaitable[Response]],
    ability: Ability,
) -> Route:
    identify = _identify(ability)

    async def endpoint(request: Request) -> Response:
        return await handler(request, await open_lesson(request, identify, query))

    return Route(method, path, endpoint, Audience.PHONE, handler.__name__)


def _open_route(method: str, path: str, handler: Endpoint, audience: Audience = Audience.ANYONE) -> Route:
    async def endpoint(request: Request) -> Response:
        await count_unknown(request)
        return await handler(request)

    return Route(method, path, endpoint, audience, handler.__name__)


def _documented(route: Route, purpose: str, answer: type, body: type | None = None) -> Route:
    return replace(route, documentation=Documentation(purpose, answer, body))


_LESSON = "/courses/{course}/lessons/{lesson}"

routes = [
    _documented(_open_route("POST", "/auth/login", login), "1. Sign a phone in", answers.Login, Login),
    _documented(phone_route("POST", "/auth/logout", logout, Ability.AUTH), "2. Sign this phone out", answers.Message),
    _documented(
        phone_route("POST", "/auth/logout-all", logout_all, Ability.AUTH), "3. Sign every phone out", answers.Message
    ),
    _documented(
        phone_route("POST", "/auth/logout_all", logout_all, Ability.AUTH),
        "3. The same, as older apps write it",
        answers.Message,
    ),
    _documented(phone_route("GET", "/me", me, Ability.READ), "4. Who is signed in", answers.Me),
    _documented(phone_route("GET", "/library", library, Ability.READ), "5. The learner's courses", answers.Library),
    _documented(Route("GET", "/courses/{course}", course, Audience.PHONE, "course"), "6. A course", answers.Course),
    _documented(
        _lesson_route("GET", f"{_LESSON}/playback", PROGRESS, playback, Ability.READ),
        "7. Open a lesson",
        answers.Playback,
    ),
    _documented(
        _lesson_route("POST", f"{_LESSON}/progress", ACCESS, heartbeat, Ability.PROGRESS),
        "8. Report a position",
        answers.HeartbeatAnswer,
        HeartbeatBody,
    ),
    _documented(
        phone_route("GET", "/resources/{resource:int}", resource, Ability.READ),
        "9. A link to a file",
        answers.OneResource,
    ),
    _open_route("GET", "/resources/{resource:int}/file", send_local_file, Audience.LINK_HOLDER),
    _documented(phone_route("GET", "/receipts", receipts, Ability.READ), "11. Receipts", answers.Receipts),
    _open_route("GET", "/openapi.json", document),
]
