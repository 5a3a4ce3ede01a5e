"""Another address: proven at the new one, told to the old one, and nobody learns who else is here."""

import re

import httpx

from dynamic_api.core.models import AuditEntry, User
from tests.school import LESSON, PASSWORD, SOURDOUGH, School

NEW = "bob@elsewhere.example"


async def ask(school: School, browser: httpx.AsyncClient, email: str = NEW, password: str = PASSWORD) -> httpx.Response:
    answer = await browser.post("/api/account/email", json={"email": email, "password": password})
    await school.work()
    return answer


def token(school: School, email: str = NEW) -> str:
    found = re.search(r"/account/email/#token=([\w-]+)", school.mails(email)[0]["text"])
    assert found
    return found[1]


async def test_changes_when_the_new_address_is_proven_and_tells_the_old(school: School) -> None:
    async with school.browser() as bob, school.browser() as elsewhere:
        await school.learner(bob)
        assert (await ask(school, bob)).status_code == 200
        assert (await bob.get("/api/session")).json()["user"]["email"] == "bob@example.com"
        used = await bob.post("/api/email-changes/spend", json={"token": token(school)})
        assert used.status_code == 200
        await school.work()
        assert school.mails("bob@example.com")[0]["subject"] == "Your email address at Lantern Workshop was changed"
        assert (await bob.get("/api/session")).json()["user"]["email"] == NEW
        body = {"email": NEW, "password": PASSWORD}
        assert (await elsewhere.post("/api/session", json=body)).status_code == 200
        old = await elsewhere.post("/api/session", json={**body, "email": "bob@example.com"})
        assert old.json()["error"]["code"] == "invalid_credentials"
        assert (await elsewhere.post("/api/email-changes/spend", json={"token": token(school)})).status_code == 410


async def test_a_click_alone_moves_nothing(school: School) -> None:
    """Somebody asks for another person's address, and waits for the click that would bring them what it bought."""
    async with school.browser() as thief, school.browser() as owner, school.browser() as other:
        await school.learner(thief, "thief@example.com")
        await school.buy(owner, email=NEW)
        await ask(school, thief)
        told = " ".join(school.mails(NEW)[0]["text"].split())
        assert f"The account thief@example.com asked to use {NEW}" in told
        await school.learner(other, "cleo@example.com")
        for browser in (owner, other):
            clicked = await browser.post("/api/email-changes/spend", json={"token": token(school)})
            assert (clicked.status_code, clicked.json()["error"]["code"]) == (403, "sign_in_needed")
        assert (await thief.get("/api/library")).json()["courses"] == []
        assert (await thief.get("/api/session")).json()["user"]["email"] == "thief@example.com"


async def test_a_session_has_a_new_token_after_each_change(school: School) -> None:
    async with school.browser() as bob, school.browser() as copy:
        await school.learner(bob)
        for change in ("password", "address"):
            copy.cookies = httpx.Cookies(bob.cookies)
            if change == "password":
                body = {"current": PASSWORD, "password": "another loaf on every table"}
                assert (await bob.put("/api/account/password", json=body)).status_code == 200
            else:
                await ask(school, bob, password="another loaf on every table")
                assert (await bob.post("/api/email-changes/spend", json={"token": token(school)})).status_code == 200
            assert (await bob.get("/api/session")).status_code == 200
            assert (await copy.get("/api/session")).status_code == 401, change


async def test_a_session_ends_however_often_it_is_used(school: School) -> None:
    async with school.browser() as bob:
        await school.learner(bob)
        for _ in range(7):
            assert (await bob.get("/api/session")).status_code == 200
            await school.service.progress.flush()
            school.clock.forward(days=25)
        school.clock.forward(days=6)
        assert (await bob.get("/api/session")).status_code == 401


async def test_wrong_password_and_bad_address_change_nothing(school: School) -> None:
    async with school.browser() as bob:
        await school.learner(bob)
        assert (await ask(school, bob, password="not this one")).status_code == 422
        answer = await ask(school, bob, email="nowhere")
        assert answer.json()["error"]["details"] == {"email": ["This doesn't look like an email address."]}
        assert school.mails(NEW) == []


async def test_taken_address_gets_the_same_answer_and_a_letter_of_its_own(school: School) -> None:
    async with school.browser() as bob, school.browser() as ann:
        await school.learner(bob)
        await school.learner(ann, "ann@example.com")
        free, taken = await ask(school, bob), await ask(school, bob, "ann@example.com")
        assert taken.json()["message"] == free.json()["message"].replace(NEW, "ann@example.com")
        assert "#token" not in school.mails("ann@example.com")[0]["text"]
        assert school.mails("ann@example.com")[0]["subject"] == "You already have an account at Lantern Workshop"


async def test_address_that_was_taken_meanwhile_is_refused(school: School) -> None:
    async with school.browser() as bob, school.browser() as other:
        await school.learner(bob)
        await ask(school, bob)
        await school.learner(other, NEW)
        answer = await bob.post("/api/email-changes/spend", json={"token": token(school)})
        assert answer.json()["error"]["code"] == "link_invalid"


async def test_links_mailed_to_the_old_address_open_nothing_any_more(school: School) -> None:
    async with school.browser() as bob, school.browser() as thief:
        await school.learner(bob)
        await bob.post("/api/password-resets", json={"email": "bob@example.com"})
        await school.work()
        old = re.search(r"#token=([\w-]+)", school.mails("bob@example.com")[0]["text"])
        assert old
        await ask(school, bob)
        await bob.post("/api/email-changes/spend", json={"token": token(school)})
        body = {"token": old[1], "password": "somebody else's now"}
        assert (await thief.post("/api/password-resets/spend", json=body)).status_code == 410


async def test_what_waited_for_the_new_address_comes_with_it(school: School) -> None:
    async with school.browser() as bob, school.browser() as guest:
        await school.learner(bob)
        await school.buy(guest, email=NEW)
        await ask(school, bob)
        await bob.post("/api/email-changes/spend", json={"token": token(school)})
        assert (await bob.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200


async def test_deletion_takes_the_old_address_out_of_the_records(school: School) -> None:
    async with school.browser() as bob:
        await school.learner(bob)
        await ask(school, bob)
        await bob.post("/api/email-changes/spend", json={"token": token(school)})
        await bob.post("/api/account/deletion", json={"password": PASSWORD})
        await school.work()
        for table in (AuditEntry, User):
            for row in await school.rows(table):
                assert "bob@" not in str(vars(row))
