"""Signing in and out."""

import time

from dynamic_api.models import User, WebSession
from tests.school import LESSON, PASSWORD, SOURDOUGH, School


async def test_cookies_are_bound_to_the_host(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        answer = await browser.post("/api/session", json={"email": "bob@example.com", "password": PASSWORD})
        cookies = answer.headers.get_list("set-cookie")
        [session] = [cookie for cookie in cookies if cookie.startswith("__Host-session=")]
        for flag in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
            assert flag in session
        assert "Domain" not in session
        token = session.split("=")[1].split(";")[0]
    assert all(token != row.token_hash for row in await school.rows(WebSession))


async def test_sign_in_makes_a_new_session_and_sign_out_ends_it(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        first = browser.cookies["__Host-session"]
        await browser.post("/api/session", json={"email": "BOB@example.com", "password": PASSWORD})
        assert browser.cookies["__Host-session"] != first
        assert len(await school.rows(WebSession)) == 1
        assert (await browser.get("/api/session")).json()["user"]["email"] == "bob@example.com"
        stolen = dict(browser.cookies)
        await browser.delete("/api/session")
        assert (await browser.get("/api/session")).status_code == 401
        browser.cookies.update(stolen)
        assert (await browser.get("/api/session")).status_code == 401


async def test_sessions_end_by_themselves_unless_used(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        school.clock.forward(days=29)
        assert (await browser.get("/api/session")).status_code == 200
        school.clock.forward(days=29)
        assert (await browser.get("/api/session")).status_code == 200
        school.clock.forward(days=31)
        assert (await browser.get("/api/session")).status_code == 401


async def test_unknown_address_and_wrong_password_look_and_take_the_same(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        answers, times = [], []
        for email in ("bob@example.com", "nobody@example.com"):
            started = time.perf_counter()
            answers.append(await browser.post("/api/session", json={"email": email, "password": "wrong password"}))
            times.append(time.perf_counter() - started)
        assert answers[0].json() == answers[1].json()
        assert answers[0].status_code == answers[1].status_code == 422
        # Both did the work of one hash: without the dummy the second is many times faster.
        assert times[1] > times[0] / 4


async def test_guessing_is_slowed_down(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        body = {"email": "bob@example.com", "password": "wrong password"}
        statuses = [(await browser.post("/api/session", json=body)).status_code for _ in range(6)]
        assert statuses == [422] * 5 + [429]
        refused = await browser.post("/api/session", json={**body, "password": PASSWORD})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1


async def test_addresses_are_compared_normalised(school: School) -> None:
    async with school.browser() as one, school.browser() as two:
        await school.owner(one, email="Ann@Example.com")
        answer = await two.post("/api/session", json={"email": " ann@EXAMPLE.com", "password": PASSWORD})
        assert answer.status_code == 200
        assert (await two.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert len(await school.rows(User)) == 1
