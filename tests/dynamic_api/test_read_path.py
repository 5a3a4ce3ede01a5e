"""What learners and phones read: who is let in, how many statements it takes, and that none of them scans."""

import gc
import sqlite3
from datetime import datetime
from typing import Any

import httpx
import pytest

from dynamic_api.core.models import AccessToken, Base, Progress, WebSession
from dynamic_api.core.reader import Query, SqliteReader
from scripts.load.statements import statements
from tests.school import GIT, LATER_LESSON, LESSON, SITE, SOURDOUGH, School

pytestmark = pytest.mark.postgresql

WEB = f"{SITE}/api/learn/{SOURDOUGH}/{LESSON}"
PHONE = f"{SITE}/api/v1/mobile/courses/{SOURDOUGH}"

# Everything that learners and phones read or report while they learn.
REQUESTS = [
    ("web", "GET", WEB, None),
    ("web", "GET", f"{WEB}/playback", None),
    ("web", "POST", f"{WEB}/progress", {"position_seconds": 77}),
    ("web", "PUT", f"{WEB}/completion", None),
    ("phone", "GET", PHONE, None),
    ("phone", "GET", f"{PHONE}/lessons/{LATER_LESSON}/playback", None),
    ("phone", "POST", f"{PHONE}/lessons/{LESSON}/progress", {"position_seconds": 90, "is_completed": None}),
]


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("nobody", {401}),
        ("a learner without the course", {403}),
        ("a learner whose money went back", {403}),
        ("a phone that also sends a cookie", {401}),
        ("a phone whose token lacks the ability", {401, 403}),
        ("another site", {403}),
        ("a year later", {401}),
    ],
)
async def test_everybody_else_is_refused_and_nothing_is_written(school: School, who: str, expected: set[int]) -> None:
    async with school.browser() as web, school.phone() as phone:
        if who == "a learner without the course":
            await school.learner(web, "ann@example.com")
        elif who != "nobody":
            session = await school.owner(web)
            if who == "a learner whose money went back":
                school.bank.refund(session["payment_intent"], amount=None)
                await school.settle()
        if who != "nobody":
            await school.sign_in_phone(phone)
        if who == "a phone that also sends a cookie":
            phone.cookies.update(web.cookies)
            web.cookies.clear()
        if who == "a phone whose token lacks the ability":
            async with school.service.database.transaction() as db:
                token = await db.get_one(AccessToken, 1)
                token.abilities = "mobile:auth"
            web.cookies.clear()
        if who == "another site":
            web.headers["sec-fetch-site"] = "cross-site"
        if who == "a year later":
            school.clock.forward(days=366)
        for client, method, address, body in REQUESTS:
            if who == "another site" and (client == "phone" or method == "GET"):
                continue
            answer = await (web if client == "web" else phone).request(method, address, json=body)
            assert answer.status_code in expected, (method, address)
            assert set(answer.json()) == {"error"}
    assert await school.rows(Progress) == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"position_seconds": -1}', b'{"position_seconds": "x"}', b"[1]"])
async def test_unreadable_heartbeats_are_refused_by_field(school: School, content: bytes) -> None:
    async with school.browser() as web:
        await school.owner(web)
        answer = await web.post(f"{WEB}/progress", content=content)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "validation_failed"
        assert set(answer.json()["error"]["details"]) <= {"position_seconds", "body"}


async def test_a_phone_that_is_used_is_noted_once_a_minute(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)

        async def last_used() -> datetime | None:
            await school.service.progress.flush()
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


async def test_a_browser_that_is_used_is_noted_once_an_hour(school: School) -> None:
    async with school.browser() as web:
        await school.owner(web)

        async def seen() -> tuple[datetime, datetime]:
            await school.service.progress.flush()
            [session] = await school.rows(WebSession)
            return session.last_seen_at, session.expires_at

        first = await seen()
        school.clock.forward(minutes=59)
        await web.get("/api/session")
        assert await seen() == first
        school.clock.forward(minutes=2)
        await web.get("/api/session")
        seen_at, expires_at = await seen()
        assert seen_at == school.clock()
        assert expires_at - first[1] == seen_at - first[0]


async def test_the_rate_limit_of_a_phone(school: School) -> None:
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        answers = [await phone.get(PHONE) for _ in range(121)]
        assert [answer.status_code for answer in answers].count(200) == 120
        assert answers[-1].json()["error"]["code"] == "rate_limited"
        assert answers[-1].headers["Retry-After"]


async def test_opening_a_lesson_again_is_noted_though_nobody_waits_for_it(school: School) -> None:
    lesson = f"{PHONE}/lessons/{LESSON}"
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        await phone.get(f"{lesson}/playback")
        await phone.post(f"{lesson}/progress", json={"position_seconds": 115})
        school.clock.forward(hours=1)
        opened = (await phone.get(f"{lesson}/playback")).json()["progress"]
        assert opened["playback_position_seconds"] == 115
        await school.service.progress.flush()
        [row] = await school.rows(Progress)
        assert row.last_viewed_at == school.clock()
        assert opened["last_viewed_at"] == row.last_viewed_at.isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("client", "address", "counts"),
    [
        ("web", "/api/session", (1, 1)),
        ("web", "/api/library", (2, 3)),
        ("web", WEB, (1, 1)),
        ("web", f"{WEB}/playback", (1, 1)),
        ("web", "/api/receipts", (2, 2)),
        ("web", "/api/gifts", (2, 2)),
        ("web", "/api/account/devices", (3, 3)),
        ("phone", "/me", (1, 1)),
        ("phone", "/library", (2, 3)),
        ("phone", PHONE, (1, 1)),
        ("phone", f"{PHONE}/lessons/{LESSON}/playback", (1, 1)),
        ("phone", "/receipts", (2, 2)),
    ],
)
async def test_statements_of_a_read(
    school: School, sqlite_only: None, client: str, address: str, counts: tuple[int, int]
) -> None:
    """For one course and one lesson, and for two courses and many lessons: the library reads single lessons then."""
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        asking = web if client == "web" else phone
        await web.post(f"{WEB}/progress", json={"position_seconds": 7})
        for number, count in enumerate(counts):
            if number:
                session = await school.begin(web, GIT)
                school.pay(session)
                await school.settle()
                for lesson in school.service.catalog.current.course(SOURDOUGH).lessons:
                    await web.put(f"/api/learn/{SOURDOUGH}/{lesson.definition.slug}/completion")
            assert (await asking.get(address)).status_code == 200  # what is noted once an hour or a minute is noted
            await school.service.progress.flush()
            with statements(school.service) as seen:
                assert (await asking.get(address)).status_code == 200
            assert len(seen) == count, seen


async def test_statements_of_a_heartbeat(school: School, sqlite_only: None) -> None:
    """Who, whether and where in one; then the row is read and saved."""
    async with school.browser() as web, school.phone() as phone:
        await school.owner(web)
        await school.sign_in_phone(phone)
        for client, address in ((web, WEB), (phone, f"{PHONE}/lessons/{LESSON}")):
            await client.post(f"{address}/progress", json={"position_seconds": 7})
            await client.post(f"{address}/progress", json={"position_seconds": 8})
            with statements(school.service) as seen:
                await client.post(f"{address}/progress", json={"position_seconds": 9})
            assert len(seen) == 3, seen


def queries() -> list[Query[Any]]:
    """Every query of the service: they are made when their modules are imported."""
    return [each for each in gc.get_objects() if isinstance(each, Query)]


async def test_no_query_scans_a_table(school: School, sqlite_only: None) -> None:
    reader = school.service.reader
    assert isinstance(reader, SqliteReader)
    async with school.browser() as learner:
        await school.learner(learner)
        await learner.get("/api/session")
    connection = reader._connection
    assert connection is not None
    assert len(queries()) > 15
    for query in queries():
        prepared = query.prepared("sqlite")
        rows = connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", [0] * prepared.text.count("?")).fetchall()
        scans = [row[3] for row in rows if row[3].startswith("SCAN") and row[3].split()[1] in Base.metadata.tables]
        assert not scans, (prepared.text, scans)


async def test_whoever_wrote_reads_what_they_wrote(school: School) -> None:
    """Requests of one moment share a snapshot; the next request has a new one."""
    async with school.browser() as web:
        await school.owner(web)
        for position in (100, 200, 300):
            await web.post(f"{WEB}/progress", json={"position_seconds": position})
            answer: httpx.Response = await web.get(f"{WEB}/playback")
            assert answer.json()["start_seconds"] == position


async def test_a_busy_database_is_asked_again_in_a_thread(school: School, sqlite_only: None) -> None:
    """Another process holds the file for itself; the event loop goes on meanwhile."""
    import asyncio

    async with school.browser() as web:
        await school.learner(web)
        path = school.service.database.url.database
        assert path
        await school.service.reader.close()
        await school.service.database.close()
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        asked = asyncio.create_task(web.get("/api/session"))
        turns = 0
        while turns < 200 and not asked.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns == 200, "nobody else is held up"
        other.execute("ROLLBACK")
        other.close()
        assert (await asked).status_code == 200


async def test_a_lesson_opened_again_at_once_is_not_noted_again(school: School) -> None:
    async with school.browser() as web:
        await school.owner(web)
        seen = []
        for seconds in (0, 59, 2):
            school.clock.forward(seconds=seconds)
            await web.get(f"/api/learn/{SOURDOUGH}/{LESSON}")
            await school.service.progress.flush()
            [row] = await school.rows(Progress)
            seen.append(row.last_viewed_at)
        assert seen[0] == seen[1] < seen[2] == school.clock()
