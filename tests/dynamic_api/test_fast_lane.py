"""The fast lane and the plain way give the same answers, header by header; and the lane really answers."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from dynamic_api.fast_lane import statements
from dynamic_api.fast_lane.lane import FastLane
from dynamic_api.fast_lane.progress_store import Key, ProgressRow
from dynamic_api.fast_lane.sqlite_progress import SqliteStore
from dynamic_api.models import AccessToken, Progress
from tests.school import LATER_LESSON, LESSON, SITE, SOURDOUGH, School

WEB = f"{SITE}/api/learn/{SOURDOUGH}/{LESSON}"
PHONE = f"{SITE}/api/v1/mobile/courses/{SOURDOUGH}"
OWN = ("x-request-id", "date")


def lane_of(school: School) -> FastLane:
    stack: Any = school.app.middleware_stack or school.app.build_middleware_stack()
    school.app.middleware_stack = stack
    lane = stack.app
    assert isinstance(lane, FastLane)
    return lane


def behind(school: School, app: ASGIApp) -> ASGIApp:
    """An ASGI application that finds the installation where routes look for it."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = school.app
        await app(scope, receive, send)

    return call


async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(f"the lane did not answer {scope['path']}")


@asynccontextmanager
async def client_of(app: ASGIApp, like: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), headers=like.headers, cookies=like.cookies
    ) as client:
        yield client


def same(one: httpx.Response, other: httpx.Response) -> None:
    assert one.status_code == other.status_code
    assert one.content == other.content
    heads = [{name: value for name, value in each.headers.items() if name not in OWN} for each in (one, other)]
    counted = [head.pop("x-ratelimit-remaining", None) for head in heads]
    assert (counted[0] is None) == (counted[1] is None)
    assert heads[0] == heads[1]


REQUESTS = [
    ("web", "GET", f"{WEB}/playback", None),
    ("web", "POST", f"{WEB}/progress", {"position_seconds": 77}),
    ("web", "POST", f"{WEB}/progress", {"position_seconds": 78, "duration_seconds": 400, "is_completed": True}),
    ("phone", "GET", PHONE, None),
    ("phone", "GET", f"{PHONE}/lessons/{LESSON}/playback", None),
    ("phone", "GET", f"{PHONE}/lessons/{LATER_LESSON}/playback", None),
    ("phone", "POST", f"{PHONE}/lessons/{LESSON}/progress", {"position_seconds": 90, "is_completed": None}),
    ("phone", "GET", PHONE, None),
]


async def test_both_ways_say_the_same(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        lane = lane_of(school)
        for who, method, address, body in REQUESTS:
            like = web if who == "web" else phone
            async with client_of(behind(school, lane.app), like) as plain:
                expected = await plain.request(method, address, json=body)
                assert expected.status_code == 200, expected.text
            answered, lane.app = lane.app, refuses
            async with client_of(behind(school, lane), like) as fast:
                same(await fast.request(method, address, json=body), expected)
            lane.app = answered


@pytest.mark.parametrize("who", ["nobody", "stranger", "refunded", "both", "wrong ability", "cross-site", "late"])
async def test_refusals_are_the_plain_ones(school: School, who: str) -> None:
    async with school.browser() as web, school.phone() as phone:
        if who == "nobody":
            pass
        elif who == "stranger":
            await school.learner(web, "ann@example.com")
        else:
            session = await school.owner(web)
            if who == "refunded":
                school.bank.refund(session["payment_intent"], amount=None)
                await school.settle()
        if who != "nobody":
            await school.sign_in_phone(phone)
        if who == "both":
            phone.cookies.update(web.cookies)
            web.cookies.clear()
        if who == "wrong ability":
            async with school.service.database.transaction() as db:
                token = (await db.get(AccessToken, 1)) or AccessToken()
                token.abilities = "mobile:auth"
            web.cookies.clear()
        if who == "cross-site":
            web.headers["sec-fetch-site"] = "cross-site"
        if who == "late":
            school.clock.forward(days=366)
        lane = lane_of(school)
        for kind, method, address, body in REQUESTS:
            if who == "cross-site" and (kind == "phone" or method == "GET"):
                continue
            like = web if kind == "web" else phone
            async with client_of(behind(school, lane.app), like) as plain, client_of(school.app, like) as fast:
                expected = await plain.request(method, address, json=body)
                same(await fast.request(method, address, json=body), expected)
                assert expected.status_code in (401, 403)
    assert await school.rows(Progress) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"position_seconds": -1}', b'{"position_seconds": "x"}', b"[1]"])
async def test_odd_bodies_are_told_by_the_plain_way(school: School, content: bytes) -> None:
    async with school.browser() as web:
        await school.owner(web)
        lane = lane_of(school)
        async with client_of(behind(school, lane.app), web) as plain:
            expected = await plain.post(f"{WEB}/progress", content=content)
        same(await web.post(f"{WEB}/progress", content=content), expected)
        assert expected.status_code == 422


async def test_a_phone_that_is_used_is_noted_once_a_minute(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)

        async def last_used() -> datetime | None:
            await school.service.progress.rest()
            [token] = await school.rows(AccessToken)
            used: datetime | None = token.last_used_at
            return used

        first = await last_used()
        school.clock.forward(seconds=30)
        await phone.get(PHONE)
        assert await last_used() == first
        school.clock.forward(seconds=40)
        await phone.get(PHONE)
        assert await last_used() == school.clock()


async def test_rate_limit_holds_in_the_lane(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        answers = [await phone.get(PHONE) for _ in range(121)]
        assert [answer.status_code for answer in answers].count(200) == 120
        assert answers[-1].json()["error"]["code"] == "rate_limited"
        assert answers[-1].headers["Retry-After"]


async def test_a_lesson_opened_again_is_noted_before_the_beat_that_follows(school: School) -> None:
    """Nobody waits for the note, and still the phone's first 0 after it means nothing."""
    lesson = f"{PHONE}/lessons/{LESSON}"
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        await phone.get(f"{lesson}/playback")
        for seconds in (100, 115):
            school.clock.forward(seconds=90)
            await phone.post(f"{lesson}/progress", json={"position_seconds": seconds})
        school.clock.forward(hours=1)
        opened = (await phone.get(f"{lesson}/playback")).json()["progress"]
        assert opened["playback_position_seconds"] == 115
        beaten = (await phone.post(f"{lesson}/progress", json={"position_seconds": 0})).json()
        assert beaten["playback_position_seconds"] == 115
        [row] = await school.rows(Progress)
        assert row.opened_at == school.clock()
        assert opened["last_viewed_at"] == row.last_viewed_at.isoformat(timespec="seconds")


async def test_statements_ask_by_index_alone(school: School) -> None:
    """A read in the event loop must never scan."""
    if school.service.hot.dialect != "sqlite":
        pytest.skip("query plans of SQLite")
    for made in (
        statements.by_session(),
        statements.by_session_with_position(),
        statements.by_token(),
        statements.by_token_with_progress(),
        statements.progress_between(),
    ):
        statement = statements.compiled(made, "sqlite")
        plan = statements.Statement(f"EXPLAIN QUERY PLAN {statement.text}", statement.names)
        rows = await school.service.hot.all(plan, [0] * len(plan.names))
        steps = [str(row[3]) for row in rows]
        assert steps
        assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step], steps


async def test_queries_of_a_course_are_two_however_many_lessons(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        hot, asked = school.service.hot, []
        one, every = hot.one, hot.all

        async def counted_one(statement: Any, values: Any) -> Any:
            asked.append(statement.text)
            return await one(statement, values)

        async def counted_all(statement: Any, values: Any) -> Any:
            asked.append(statement.text)
            return await every(statement, values)

        hot.one, hot.all = counted_one, counted_all  # type: ignore[method-assign]
        course = (await phone.get(PHONE)).json()["course"]
        assert sum(len(module["lessons"]) for module in course["modules"]) > 5
        assert len(asked) == 2
        assert json.dumps(course)


async def test_the_write_ahead_log_begins_anew_while_everybody_watches(school: School, migrated: Path) -> None:
    """Groups follow each other without a pause, and the log must not grow for as long as they do."""
    if not school.service.database.is_sqlite:
        pytest.skip("SQLite's log")
    store = SqliteStore(school.service.database, rows_between=200)
    async with school.browser() as web:
        await school.owner(web)
    lessons = [lesson.id for lesson in school.service.catalog.current.course(SOURDOUGH).lessons]
    log, largest = Path(f"{school.service.database.engine.url.database}-wal"), 0
    for number in range(600):
        moment = school.clock() + timedelta(seconds=number)

        def follow(rows: dict[Key, ProgressRow], moment: datetime = moment) -> None:
            for row in rows.values():
                row.last_viewed_at = moment

        await store.write({(1, lesson): moment for lesson in lessons}, follow, {}, {})
        largest = max(largest, log.stat().st_size)
    store.close()
    assert len(lessons) * 600 > 5000
    assert largest < 1_500_000
    assert log.stat().st_size == largest  # it was begun anew, not cut
