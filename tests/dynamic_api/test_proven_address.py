"""A verified address owns the account; an address that was only typed does not."""

import re

import httpx
import pytest
from starlette.types import Message

from dynamic_api.core.models import Job
from dynamic_api.core.throttle import Throttle
from dynamic_api.web.requests import Request
from tests.school import GIT, KNOTS, LESSON, PASSWORD, SOURDOUGH, School

THEIRS = "an intruder's own password 9"


def token(school: School, page: str, to: str) -> str:
    for mail in school.mails(to):
        if match := re.search(rf"{page}#token=([\w-]+)", mail["text"]):
            return match[1]
    raise AssertionError(f"no {page} was emailed to {to}")


async def sign_in_by_mail(
    school: School, browser: httpx.AsyncClient, email: str, *, keep: bool | None = None
) -> list[dict[str, object]]:
    """Use the link of an email, and what the page asked: answered as it suggests, or with all of it or nothing."""
    await browser.post("/api/sign-in-links", json={"email": email})
    await school.work()
    body: dict[str, object] = {"token": token(school, "/sign-in/link/", email)}
    answer = (await browser.post("/api/sign-in-links/spend", json=body)).json()
    items: list[dict[str, object]] = answer.get("decide", [])
    if items:
        body["keep"] = [item["id"] for item in items if (item["keep"] if keep is None else keep)]
        answer = (await browser.post("/api/sign-in-links/spend", json=body)).json()
    assert answer == {"url": "/library/"}
    return items


CHROME = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/150.0"}


async def test_who_proves_an_address_is_asked_what_else_has_access(school: School) -> None:
    """Bought and given a password on one device, used on the phone, and proven on another device."""
    async with school.browser() as here, school.browser() as there, school.phone() as phone:
        here.headers.update(CHROME)
        await school.owner(here)
        await school.sign_in_phone(phone)
        items = await sign_in_by_mail(school, there, "ann@example.com", keep=True)
        names = [item["name"] for item in items]
        assert names == ["A password, in Chrome on Windows", "A browser: Chrome on Windows", "A phone: Test phone"]
        assert not any(item["keep"] for item in items), "another browser set it: perhaps somebody else"
        assert all(item["since"] for item in items)
        assert (await phone.get("/me")).status_code == 200
        assert (await here.get("/api/library")).status_code == 200
        body = {"email": "ann@example.com", "password": PASSWORD}
        assert (await there.post("/api/session", json=body)).status_code == 200
        await school.work()
        assert not any("new password" in mail["subject"] for mail in school.mails("ann@example.com"))
        school.clock.forward(minutes=2)
        assert await sign_in_by_mail(school, there, "ann@example.com") == [], "a proven address is not asked again"


async def test_the_browser_that_set_the_password_is_no_stranger(school: School) -> None:
    async with school.browser() as here, school.phone() as phone:
        await school.owner(here)
        await school.sign_in_phone(phone)
        items = await sign_in_by_mail(school, here, "ann@example.com")
        assert [item["keep"] for item in items] == [True, True]
        assert (await phone.get("/me")).status_code == 200
        body = {"email": "ann@example.com", "password": PASSWORD}
        assert (await here.post("/api/session", json=body)).status_code == 200


async def test_a_claim_link_keeps_what_its_holder_knows_the_password_of(school: School) -> None:
    """Bought one course here and another one elsewhere, with the same password each time: nothing is lost."""
    async with school.browser() as here, school.browser() as there, school.phone() as phone:
        await school.owner(here)
        await school.sign_in_phone(phone)
        await school.buy(there, GIT)
        body = {"token": school.claim_token(), "name": "", "password": PASSWORD}
        assert (await there.post("/api/claims", json=body)).status_code == 200
        assert (await phone.get("/me")).status_code == 200
        assert (await here.get("/api/library")).status_code == 200
        assert [each["slug"] for each in (await phone.get("/library")).json()["courses"]] == [GIT, SOURDOUGH]


async def test_a_claim_link_and_another_password_end_what_was_before(school: School) -> None:
    async with school.browser() as intruder, school.browser() as owner:
        session = await school.buy(intruder, GIT, "ann@example.com")
        assert (await school.claim(intruder, session, password=THEIRS)).status_code == 200
        await school.buy(owner, SOURDOUGH)
        body = {"token": school.claim_token(), "name": "Ann", "password": PASSWORD}
        assert (await owner.post("/api/claims", json=body)).status_code == 200
        assert (await intruder.get("/api/library")).status_code == 401
        wrong = {"email": "ann@example.com", "password": THEIRS}
        assert (await intruder.post("/api/session", json=wrong)).status_code == 422


async def test_a_decision_names_only_what_was_asked(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        await school.owner(here)
        await there.post("/api/sign-in-links", json={"email": "ann@example.com"})
        await school.work()
        link = token(school, "/sign-in/link/", "ann@example.com")
        for keep in (["phone:1", "password "], ["x" * 41], "password"):
            await there.post("/api/sign-in-links/spend", json={"token": link, "keep": keep})
        body = {"email": "ann@example.com", "password": PASSWORD}
        assert (await there.post("/api/session", json=body)).status_code == 422
        assert (await here.get("/api/library")).status_code == 401


async def test_the_six_digits_ask_as_well(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        await school.owner(here)
        await there.post("/api/sign-in-links", json={"email": "ann@example.com"})
        await school.work()
        found = re.search(r"\b(\d{3} ?\d{3})\b", school.mails("ann@example.com")[0]["text"])
        assert found
        body: dict[str, object] = {"email": "ann@example.com", "code": found[1]}
        asked = (await there.post("/api/sign-in-codes/spend", json=body)).json()["decide"]
        assert (await there.get("/api/session")).status_code == 401
        body["keep"] = [item["id"] for item in asked]
        assert (await there.post("/api/sign-in-codes/spend", json=body)).json() == {"url": "/library/"}
        assert (await here.get("/api/library")).status_code == 200


async def test_the_six_digits_open_the_app(school: School) -> None:
    """Who bought as a guest and never chose a password can still use the phone."""
    async with school.browser() as here, school.phone() as phone:
        await school.owner(here)
        await here.post("/api/sign-in-links", json={"email": "ann@example.com"})
        await school.work()
        found = re.search(r"\b(\d{3} ?\d{3})\b", school.mails("ann@example.com")[0]["text"])
        assert found
        body = {"email": "ann@example.com", "password": "000 000", "device_name": "Ann's phone"}
        assert (await phone.post("/auth/login", json=body)).status_code == 422
        answer = await phone.post("/auth/login", json={**body, "password": found[1]})
        phone.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        assert [each["slug"] for each in (await phone.get("/library")).json()["courses"]] == [SOURDOUGH]
        assert (await here.get("/api/library")).status_code == 401, "the app cannot ask, so nothing else stays"


async def test_a_password_chosen_before_the_proof_opens_nothing_after_it(school: School) -> None:
    """Somebody pays with another's address and claims in their own browser; the other comes later, by mail."""
    async with school.browser() as intruder, school.browser() as owner, school.browser() as again:
        session = await school.buy(intruder, GIT, "victim@example.com")
        assert (await school.claim(intruder, session, password=THEIRS)).status_code == 200
        await sign_in_by_mail(school, owner, "victim@example.com")
        credentials = {"email": "victim@example.com", "password": THEIRS}
        assert (await again.post("/api/session", json=credentials)).status_code == 422
        assert (await intruder.get("/api/library")).status_code == 401
        await school.work()
        assert any("new password" in mail["subject"] for mail in school.mails("victim@example.com"))


async def test_a_new_password_ends_every_link_that_was_asked_for(school: School) -> None:
    async with school.browser() as intruder, school.browser() as owner:
        await school.owner(intruder)
        asked = {"email": "evil@example.com", "password": PASSWORD}
        assert (await intruder.post("/api/account/email", json=asked)).status_code == 200
        await school.work()
        stolen = token(school, "/account/email/", "evil@example.com")
        school.clock.forward(minutes=2)
        await owner.post("/api/password-resets", json={"email": "ann@example.com"})
        await school.work()
        spent = {"token": token(school, "/reset/", "ann@example.com"), "password": "the real owner again 77"}
        assert (await owner.post("/api/password-resets/spend", json=spent)).status_code == 200
        answer = await intruder.post("/api/email-changes/spend", json={"token": stolen})
        assert answer.json()["error"]["code"] == "link_invalid"


async def test_a_change_of_address_asked_for_before_a_new_password_is_not_mailed_after_it(school: School) -> None:
    async with school.browser() as intruder:
        await school.owner(intruder)
        await intruder.post("/api/account/email", json={"email": "evil@example.com", "password": PASSWORD})
        school.clock.forward(minutes=1)
        change = {"current": PASSWORD, "password": "another loaf on every table"}
        assert (await intruder.put("/api/account/password", json=change)).status_code == 200
        await school.work()
        assert school.mails("evil@example.com") == []


@pytest.mark.parametrize("address", ["/api/sign-in-links", "/api/password-resets", "/api/sign-ups"])
async def test_asking_writes_the_same_for_everybody(school: School, address: str) -> None:
    """Known or unknown: one job, looked into later; so neither wording nor time tells."""
    async with school.browser() as browser:
        await school.learner(browser)
        await school.work()
        before = len(await school.rows(Job))
        for email in ("bob@example.com", "nobody@example.com"):
            assert (await browser.post(address, json={"email": email})).status_code == 200
        new = (await school.rows(Job))[before:]
        assert [(job.kind, job.state) for job in new] == [("mail.send", "waiting")] * 2
        assert [sorted(job.payload) for job in new] == [["email", "id", "message"]] * 2


async def test_claim_links_again_are_looked_up_later(school: School) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
        before = len(await school.rows(Job))
        for email in ("ann@example.com", "nobody@example.com"):
            await browser.post("/api/claims/reissue", json={"email": email})
        assert [job.kind for job in (await school.rows(Job))[before:]] == ["claims.reissue"] * 2
        mails = len(school.mails())
        await school.work()
        assert [mail["to"] for mail in school.mails()[: len(school.mails()) - mails]] == ["ann@example.com"]


async def test_a_gift_is_there_when_its_recipient_signs_in(school: School) -> None:
    """They have an account and a proven address already, and need not look for the mail."""
    async with school.browser() as giver, school.browser() as friend:
        await school.learner(friend, "friend@example.com")
        session = await school.begin(giver, gift="1", recipient_email="friend@example.com")
        school.pay(session, "giver@example.com")
        await school.settle()
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        assert (await friend.get(lesson)).status_code == 403
        await friend.post("/api/session", json={"email": "friend@example.com", "password": PASSWORD})
        assert (await friend.get(lesson)).status_code == 200


async def test_many_addresses_together_do_not_guess_a_password(school: School) -> None:
    async with school.browser() as owner:
        await school.learner(owner)
    wrong = {"email": "bob@example.com", "password": "wrong"}
    statuses = set()
    for number in range(102):
        transport = httpx.ASGITransport(school.app, client=(f"198.51.100.{number}", 1))
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url="https://school.test", headers=headers) as guesser:
            statuses.add((await guesser.post("/api/session", json=wrong)).status_code)
    assert statuses == {422, 429}


async def _receive_nothing() -> Message:
    raise AssertionError("nobody reads this request")


async def test_ipv6_is_counted_by_network(school: School) -> None:
    def counted(host: str) -> str:
        return Request({"type": "http", "headers": [], "client": (host, 1)}, _receive_nothing, school.service).client_ip

    assert counted("2001:db8::1") == counted("2001:db8::ffff:2") != counted("2001:db8:0:1::1")
    assert counted("198.51.100.7") == "198.51.100.7"


async def test_free_courses_mail_an_address_a_few_times_a_day(school: School) -> None:
    async with school.browser() as browser:
        school.use(throttle=Throttle(lambda: school.clock().timestamp()))
        for _ in range(30):
            await browser.post("/api/checkout", data={"course": KNOTS, "email": "victim@example.com"})
            school.clock.forward(minutes=2)
        await school.work()
    assert 0 < len(school.mails("victim@example.com")) <= 20
