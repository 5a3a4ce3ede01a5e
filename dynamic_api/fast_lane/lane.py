"""The lane itself: five addresses, answered here when everything about them is in order.

Whatever is not (nobody signed in, no access, an odd body, a limit reached, a failure) goes on to the plain routes,
which say so; so no refusal is written twice. A test holds both ways' answers against each other, header by header.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dynamic_api.access_log import AccessLog
from dynamic_api.accounts import sessions
from dynamic_api.accounts.identity import cookies_of
from dynamic_api.accounts.throttle import MOBILE, Throttle
from dynamic_api.catalog import LiveCourse, LiveLesson
from dynamic_api.clock import timestamp
from dynamic_api.errors import RateLimited
from dynamic_api.fast_lane.directory import Directory
from dynamic_api.fast_lane.hot_database import Row
from dynamic_api.fast_lane.statements import (
    Statement,
    as_stored,
    by_session,
    by_session_with_position,
    by_token,
    by_token_with_progress,
    compiled,
    progress_between,
    progress_json,
)
from dynamic_api.learning.beat import BeatBody
from dynamic_api.learning.playback import describe_playback
from dynamic_api.learning.progress import Beat, describe, open_progress, record_beat
from dynamic_api.middleware import BODY_LIMIT, api_headers, request_id_of
from dynamic_api.middleware import MOBILE as MOBILE_PATH
from dynamic_api.mobile_v1 import shapes
from dynamic_api.mobile_v1.tokens import TOUCH, Ability
from dynamic_api.service import Service
from dynamic_api.tokens import hash_token

logger = logging.getLogger("coursewright.fast_lane")

Headers = dict[bytes, bytes]
Handler = Callable[["Body"], Awaitable["Answer | None"]]
LessonHandler = Callable[["FastLane", Any, "Body", LiveCourse, LiveLesson], Awaitable["Answer | None"]]


@dataclass(frozen=True)
class Answer:
    """What is sent: a body, and headers of its own."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Phone:
    """A phone that may do what it asks, how many requests it has left this minute, and how far its learner is."""

    user_id: int
    left: int
    progress: Row = ()


@dataclass(frozen=True)
class Instant:
    """A second as the driver takes it: its end, and before when a browser or a phone was last seen too long ago."""

    second: int
    end: Any
    browser_is_stale: Any
    phone_is_stale: Any

    @classmethod
    def of(cls, second: int, dialect: str) -> "Instant":
        """Made once a second, since to write a moment costs as much as to ask the database."""
        begin, end = datetime.fromtimestamp(second, UTC), datetime.fromtimestamp(second + 1, UTC)
        return cls(
            second,
            as_stored(end, dialect),
            as_stored(end - sessions.TOUCH, dialect),
            as_stored(begin - TOUCH, dialect),
        )


class FastLane:
    """Stands in front of everything else."""

    def __init__(self, app: ASGIApp, service: Service, throttle: Throttle, access_log: AccessLog) -> None:
        self.app = app
        self._log = access_log
        self._service = service
        self._throttle = throttle
        self._database = service.hot
        self._by_session = compiled(by_session(), self._database.dialect)
        self._with_position = compiled(by_session_with_position(), self._database.dialect)
        self._progress = compiled(progress_between(), self._database.dialect)
        self._by_token = compiled(by_token(), self._database.dialect)
        self._by_token_with_progress = compiled(by_token_with_progress(), self._database.dialect)
        self._cookie = cookies_of(service).session
        self._headers = [
            (b"content-type", b"application/json"),
            (b"cache-control", b"private, no-store"),
            *((name.lower().encode(), value.encode()) for name, value in api_headers(service.settings).items()),
        ]
        self._directory: Directory | None = None
        self._instant = Instant.of(0, self._database.dialect)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self._handler(scope) if scope["type"] == "http" else None
        if handler is None:
            return await self.app(scope, receive, send)
        started, body = time.perf_counter(), Body(receive)
        try:
            answer = await handler(body)
        except Exception:
            logger.exception("the fast lane stumbled over %s; the plain way goes on", scope["path"])
            answer = None
        if answer is None:
            return await self.app(scope, body.again, send)
        await self._send(scope, send, answer, started)

    def _handler(self, scope: Scope) -> Handler | None:
        """Who answers this address, if the lane does."""
        parts, method, headers = scope["path"].split("/"), scope["method"], scope["headers"]
        if len(parts) == 6 and parts[1] == "api" and parts[2] == "learn":
            _, _, _, slug, lesson, act = parts
            return self._lesson_handler(slug, lesson, headers, _WEB.get((method, act)))
        if scope["path"].startswith(f"{MOBILE_PATH}/courses/"):
            if len(parts) == 6 and method == "GET" and (course := self._current().course(parts[5])) is not None:
                return lambda body: self._phone_course(headers, course)
            if len(parts) == 9 and parts[6] == "lessons":
                return self._lesson_handler(parts[5], parts[7], headers, _PHONE.get((method, parts[8])))
        return None

    def _lesson_handler(
        self, slug: str, lesson_slug: str, headers: Any, handler: "LessonHandler | None"
    ) -> Handler | None:
        found = self._current().lesson(slug, lesson_slug) if handler is not None else None
        if handler is None or found is None:
            return None
        course, lesson = found
        return lambda body: handler(self, headers, body, course, lesson)

    def _current(self) -> Directory:
        catalog = self._service.catalog.current
        if self._directory is None or self._directory.catalog is not catalog:
            self._directory = Directory(catalog, self._service.settings.site_url)
        return self._directory

    async def _web_playback(self, raw: Any, body: "Body", course: LiveCourse, lesson: LiveLesson) -> Answer | None:
        now = self._service.clock()
        row = await self._learner(self._with_position, _headers(raw), course, now, lesson_id=lesson.id)
        if row is None or lesson.file.video is None:
            return None
        position = row[3] or 0  # after learner, last seen, entitled
        return Answer(orjson.dumps(describe_playback(self._service, lesson, position, now=now)))

    async def _web_beat(self, raw: Any, body: "Body", course: LiveCourse, lesson: LiveLesson) -> Answer | None:
        headers, now = _headers(raw), self._service.clock()
        if headers is None or headers.get(b"sec-fetch-site") != b"same-origin":
            return None  # the plain way knows the older browsers too
        row = await self._learner(self._by_session, headers, course, now)
        if row is None or (beat := await body.beat(headers)) is None:
            return None
        progress = await record_beat(self._service, row[0], lesson, beat, now=now)
        return Answer(orjson.dumps(describe(progress)))

    async def _phone_course(self, raw: Any, course: LiveCourse) -> Answer | None:
        phone = await self._phone(_headers(raw), course, Ability.READ, self._service.clock())
        if phone is None:
            return None
        frame = self._current().frame(course)
        values = self._progress.values(user_id=phone.user_id, first=frame.first, last=frame.last)
        rows = {row[0]: progress_json(row) for row in await self._database.all(self._progress, values)}
        return Answer(frame.filled(rows), _limits(phone))

    async def _phone_playback(self, raw: Any, body: "Body", course: LiveCourse, lesson: LiveLesson) -> Answer | None:
        now = self._service.clock()
        phone = await self._phone(_headers(raw), course, Ability.READ, now, lesson_id=lesson.id)
        if phone is None:
            return None
        if phone.progress[0] is None:  # never opened before
            row = await open_progress(self._service.progress, phone.user_id, lesson, now=now)
            progress: Any = describe(row)
        else:
            self._service.progress.opened_again(phone.user_id, lesson.id, now)
            progress = orjson.Fragment(progress_json(phone.progress, viewed=timestamp(now)))
        opened = self._current().opened(course, lesson)
        return _phone_answer(phone, shapes.playback(self._service, lesson, opened, progress, now=now))

    async def _phone_beat(self, raw: Any, body: "Body", course: LiveCourse, lesson: LiveLesson) -> Answer | None:
        headers, now = _headers(raw), self._service.clock()
        beat = await body.beat(headers) if headers is not None else None
        phone = await self._phone(headers, course, Ability.PROGRESS, now) if beat is not None else None
        if phone is None or beat is None:
            return None
        progress = await record_beat(self._service, phone.user_id, lesson, beat, now=now)
        return _phone_answer(phone, shapes.beaten(progress))

    async def _learner(
        self, statement: Statement, headers: Headers | None, course: LiveCourse, now: datetime, **more: int
    ) -> Row | None:
        """The row of a browser that is signed in, whose learner may watch."""
        if headers is None or (cookies := headers.get(b"cookie")) is None:
            return None
        token = cookie_parser(cookies.decode("latin-1")).get(self._cookie)
        if not token:
            return None
        instant = self._at(now)
        values = statement.values(token_hash=hash_token(token), course_id=course.id, now=instant.end, **more)
        row = await self._database.one(statement, values)
        return row if row is not None and row[2] and row[1] >= instant.browser_is_stale else None

    def _at(self, now: datetime) -> Instant:
        second = int(now.timestamp())
        if second != self._instant.second:
            self._instant = Instant.of(second, self._database.dialect)
        return self._instant

    async def _phone(
        self, headers: Headers | None, course: LiveCourse, ability: Ability, now: datetime, **more: int
    ) -> Phone | None:
        """The phone whose token this is, if its learner may watch and it is within its limit."""
        if headers is None:
            return None
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer" or not token or self._cookie.encode() in headers.get(b"cookie", b""):
            return None
        instant = self._at(now)
        statement = self._by_token_with_progress if more else self._by_token
        values = statement.values(token_hash=hash_token(token.strip()), course_id=course.id, now=instant.end, **more)
        row = await self._database.one(statement, values)
        if row is None or not row[4] or ability not in row[2].split():
            return None
        try:
            left = self._throttle.hit(MOBILE, f"user:{row[0]}")
        except RateLimited:
            return None
        if row[3] is None or row[3] < instant.phone_is_stale:
            self._service.progress.phone_seen(row[1], now)
        return Phone(row[0], left, row[5:])

    async def _send(self, scope: Scope, send: Send, answer: Answer, started: float) -> None:
        request_id = request_id_of(scope)
        length = (b"content-length", str(len(answer.body)).encode())
        named = (b"x-request-id", request_id.encode())
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [length, *self._headers, *answer.headers, named],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})
        self._log.note(scope, 200, started, request_id)


_WEB: Mapping[tuple[str, str], LessonHandler] = {
    ("GET", "playback"): FastLane._web_playback,
    ("POST", "progress"): FastLane._web_beat,
}
_PHONE: Mapping[tuple[str, str], LessonHandler] = {
    ("GET", "playback"): FastLane._phone_playback,
    ("POST", "progress"): FastLane._phone_beat,
}


class Body:
    """A request's body: read here, and handed on whole where the plain way takes over."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[Message] = []

    async def beat(self, headers: Headers) -> Beat | None:
        """A beat that fits; None where the plain way should say what is wrong with it."""
        declared = headers.get(b"content-length", b"")
        if not declared.isdigit() or int(declared) > BODY_LIMIT:
            return None
        content = b""
        while True:
            message = await self._receive()
            self._read.append(message)
            content += message.get("body", b"")
            if message["type"] != "http.request" or len(content) > BODY_LIMIT:
                return None
            if not message.get("more_body", False):
                break
        try:
            return BeatBody.model_validate_json(content or b"{}").as_beat()
        except ValidationError:
            return None

    async def again(self) -> Message:
        """What was read, once more; then the rest."""
        return self._read.pop(0) if self._read else await self._receive()


def _headers(raw: Any) -> Headers | None:
    """By name; None where one is there twice, which the plain way may sort out."""
    headers = dict(raw)
    return headers if len(headers) == len(raw) else None


def _phone_answer(phone: Phone, content: dict[str, Any]) -> Answer:
    return Answer(orjson.dumps(content), _limits(phone))


def _limits(phone: Phone) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"x-ratelimit-limit", str(MOBILE.tries).encode()),
        (b"x-ratelimit-remaining", str(phone.left).encode()),
    )
