"""Signing in and out."""

import re
import time

import pytest

from dynamic_api.accounts.devices import browser_name
from dynamic_api.core.models import Base, Entitlement, User, WebSession
from dynamic_api.core.passwords import Passwords
from dynamic_api.core.throttle import Throttle
from dynamic_api.web.requests import Request
from tests.school import LESSON, PASSWORD, SOURDOUGH, School, TestClock


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
        await school.service.progress.flush()
        school.clock.forward(days=29)
        assert (await browser.get("/api/session")).status_code == 200
        await school.service.progress.flush()
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


def mailed_token(school: School, page: str, to: str) -> str:
    """The token of the newest link to a page in somebody's mail."""
    for mail in school.mails(to):
        if match := re.search(rf"{page}#token=([\w-]+)", mail["text"]):
            return match[1]
    raise AssertionError(f"no link to {page} was emailed to {to}")


async def test_sign_in_by_a_mailed_link_once_in_time_and_alike_for_all(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        await browser.delete("/api/session")
        known = await browser.post("/api/sign-in-links", json={"email": "BOB@example.com"})
        unknown = await browser.post("/api/sign-in-links", json={"email": "nobody@example.com"})
        assert known.json() == unknown.json()
        await school.work()
        assert school.mails("nobody@example.com") == []
        token = mailed_token(school, "/sign-in/link/", "bob@example.com")
        reset = await browser.post("/api/password-resets/spend", json={"token": token, "password": "another one here"})
        assert reset.status_code == 410  # bound to its purpose
        assert (await browser.post("/api/sign-in-links/spend", json={"token": token})).status_code == 200
        assert (await browser.get("/api/session")).status_code == 200
        assert (await browser.post("/api/sign-in-links/spend", json={"token": token})).status_code == 410
        school.clock.forward(minutes=1)
        await browser.post("/api/sign-in-links", json={"email": "bob@example.com"})
        await school.work()
        late = mailed_token(school, "/sign-in/link/", "bob@example.com")
        school.clock.forward(minutes=31)
        assert (await browser.post("/api/sign-in-links/spend", json={"token": late})).status_code == 410


async def test_reset_ends_every_session_and_phone_and_keeps_the_link_for_a_better_password(school: School) -> None:
    async with school.browser() as old, school.browser() as new, school.phone() as phone:
        await school.owner(old)
        await school.sign_in_phone(phone)
        await new.post("/api/password-resets", json={"email": "ann@example.com"})
        await school.work()
        token = mailed_token(school, "/reset/", "ann@example.com")
        refused = await new.post("/api/password-resets/spend", json={"token": token, "password": "short"})
        assert "password" in refused.json()["error"]["details"]
        body = {"token": token, "password": "a better one at last"}
        assert (await new.post("/api/password-resets/spend", json=body)).status_code == 200
        assert (await new.get("/api/session")).status_code == 200
        assert (await old.get("/api/session")).status_code == 401
        assert (await phone.get("/me")).status_code == 401
        answer = await old.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
        assert answer.status_code == 422


async def test_change_of_password_keeps_this_browser_only(school: School) -> None:
    async with school.browser() as here, school.browser() as there, school.phone() as phone:
        await school.owner(here)
        await there.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
        await school.sign_in_phone(phone)
        wrong = await here.put("/api/account/password", json={"current": "no", "password": "another one here"})
        assert wrong.json()["error"]["code"] == "invalid_credentials"
        body = {"current": PASSWORD, "password": "another one here"}
        assert (await here.put("/api/account/password", json=body)).status_code == 200
        assert (await here.get("/api/session")).status_code == 200
        assert (await there.get("/api/session")).status_code == 401
        assert (await phone.get("/me")).status_code == 401


async def test_proving_an_address_brings_what_waits_for_it_and_puts_squatters_out(school: School) -> None:
    async with school.browser() as squatter, school.browser() as owner, school.browser() as shop:
        await school.learner(squatter, "ann@example.com", verified=False)
        await school.buy(shop, email="ann@example.com")
        await owner.post("/api/sign-in-links", json={"email": "ann@example.com"})
        await school.work()
        used = {"token": mailed_token(school, "/sign-in/link/", "ann@example.com"), "keep": []}
        assert (await owner.post("/api/sign-in-links/spend", json=used)).status_code == 200
        assert (await owner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert (await squatter.get("/api/session")).status_code == 401


async def test_sign_up_by_a_mailed_link_brings_what_waits(school: School) -> None:
    async with school.browser() as shop, school.browser() as browser:
        await school.buy(shop, email="new@example.com")
        answer = await browser.post("/api/sign-ups", json={"email": "New@example.com"})
        await school.work()
        token = mailed_token(school, "/welcome/", "New@example.com")
        body = {"token": token, "name": "Nele", "password": "a new one for new"}
        weak = await browser.post("/api/sign-ups/spend", json={**body, "password": "short"})
        assert weak.status_code == 422
        assert (await browser.post("/api/sign-ups/spend", json=body)).status_code == 200
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert (await browser.post("/api/sign-ups/spend", json=body)).status_code == 410
        school.clock.forward(minutes=2)
        again = await browser.post("/api/sign-ups", json={"email": "new@example.com"})
        assert again.json() == answer.json()
        await school.work()
        assert mailed_token(school, "/sign-in/link/", "New@example.com")
    assert len(await school.rows(User)) == 1


async def test_devices_are_listed_and_ended_one_by_one(school: School) -> None:
    async with school.browser() as here, school.browser() as there, school.phone() as phone, school.browser() as other:
        await school.owner(here)
        await there.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
        await school.sign_in_phone(phone)
        await school.learner(other)
        listed = (await here.get("/api/account/devices")).json()
        assert [entry["name"] for entry in listed["phones"]] == ["Test phone"]
        [far] = [entry for entry in listed["browsers"] if not entry["current"]]
        await other.delete(f"/api/account/browsers/{far['id']}")  # another account's session: nothing happens
        assert (await there.get("/api/session")).status_code == 200
        await here.delete(f"/api/account/browsers/{far['id']}")
        await here.delete(f"/api/account/phones/{listed['phones'][0]['id']}")
        assert (await there.get("/api/session")).status_code == 401
        assert (await phone.get("/me")).status_code == 401
        assert (await here.get("/api/session")).status_code == 200


async def test_export_holds_everything_but_secrets(school: School) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 99})
        answer = await browser.get("/api/account/export")
        assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
        data = answer.json()
        assert data["account"][0]["email"] == "ann@example.com"
        assert data["orders"][0]["total_amount"] == 4900
        assert data["progress"][0]["position_seconds"] == 99
        assert data["records"]
        assert "hash" not in answer.text
        assert "argon2" not in answer.text


async def test_deletion_forgets_the_person_and_keeps_the_books(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        session = await school.owner(browser, email="ann.smith@example.com")
        await school.sign_in_phone(phone, "ann.smith@example.com")
        await browser.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 99})
        wrong = await browser.post("/api/account/deletion", json={"password": "not this"})
        assert wrong.status_code == 422
        answer = await browser.post("/api/account/deletion", json={"password": PASSWORD})
        assert "Tax law" in answer.json()["kept"]
        assert (await browser.get("/api/session")).status_code == 401
        assert (await phone.get("/me")).status_code == 401
        order = await school.order(session)
        assert (order.state, order.total_amount) == ("paid", 4900)
        # Stripe goes on telling; nothing brings the person or the access back, and nobody is written to.
        mails = len(school.mails())
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert len(school.mails()) == mails
        assert all(row.revoked_at for row in await school.rows(Entitlement))
    async with school.service.database.reading() as db:
        for table in Base.metadata.sorted_tables:
            for row in await db.execute(table.select()):
                later = table.name == "webhook_events" and "charge.refunded" in str(row)
                assert "ann.smith" not in str(row) or later, table.name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("", "A browser"),
    ],
)
def test_browsers_have_names_people_know(header: str, name: str) -> None:
    assert browser_name(header) == name


async def test_guessers_do_not_shut_the_owner_out(school: School) -> None:
    """A hundred wrong passwords from elsewhere: refused there, and not where the owner signed in before."""
    clock = TestClock()
    school.use(throttle=Throttle(lambda: clock().timestamp()))
    async with school.browser() as owner:
        await school.learner(owner)
        await owner.delete("/api/session")
        async with school.browser("203.0.113.9") as guesser:
            statuses = []
            for number in range(110):
                if number % 5 == 4:
                    clock.forward(hours=1)
                body = {"email": "bob@example.com", "password": f"guess {number}"}
                statuses.append((await guesser.post("/api/session", json=body)).status_code)
            assert statuses[-1] == 429
        body = {"email": "bob@example.com", "password": PASSWORD}
        assert (await owner.post("/api/session", json=body)).status_code == 200


async def test_reset_requests_of_others_leave_the_owner_s_own(school: School) -> None:
    async with school.browser() as owner, school.browser("203.0.113.9") as stranger:
        await school.learner(owner)
        for _ in range(3):
            last = await stranger.post("/api/password-resets", json={"email": "bob@example.com"})
        assert last.status_code == 429
        assert (await owner.post("/api/password-resets", json={"email": "bob@example.com"})).status_code < 300


async def test_a_class_room_behind_one_address_signs_in_and_buys(school: School) -> None:
    for number in range(40):
        async with school.browser() as browser:
            await school.learner(browser, f"pupil{number}@example.com")
            if number < 25:
                await school.begin(browser)


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", "unknown"),
    ],
)
async def test_networks_are_counted_as_what_they_are(school: School, given: str, counted: str) -> None:
    request = Request({"type": "http", "client": (given, 1), "headers": []}, None, school.service)  # type: ignore[arg-type]
    assert request.client_ip == counted


async def test_a_full_queue_is_no_wrong_password(school: School) -> None:
    async with school.browser() as ann:
        await school.learner(ann, "ann@example.com")
        body = {"email": "ann@example.com", "password": PASSWORD}
        usual = school.service.passwords
        school.use(passwords=Passwords(most_waiting=0))
        for _ in range(12):
            answer = await ann.post("/api/session", json=body)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
        school.use(passwords=usual)
        assert (await ann.post("/api/session", json=body)).status_code == 200


async def test_an_email_ends_the_wait_that_wrong_passwords_made(school: School) -> None:
    async with school.browser() as ann:
        await school.learner(ann, "ann@example.com")
        wrong = {"email": "ann@example.com", "password": "wrong"}
        statuses = [(await ann.post("/api/session", json=wrong)).status_code for _ in range(7)]
        assert statuses[-1] == 429
        refused = (await ann.post("/api/session", json=wrong)).json()["error"]["message"]
        assert refused.endswith("Or sign in by email, with the link or the six digits.")
        await ann.post("/api/password-resets", json={"email": "ann@example.com"})
        await school.work()
        used = {"token": mailed_token(school, "/reset/", "ann@example.com"), "password": "another loaf on every table"}
        assert (await ann.post("/api/password-resets/spend", json=used)).status_code == 200
        body = {"email": "ann@example.com", "password": "another loaf on every table"}
        assert (await ann.post("/api/session", json=body)).status_code == 200


async def test_a_name_that_looks_like_a_network_is_only_a_name(school: School) -> None:
    async with school.browser() as anybody:
        for name in ("a/64", "2001:db8::/64", "/64"):
            answer = await anybody.post("/api/session", json={"email": name, "password": "x"})
            assert answer.status_code == 422, name
