"""Six digits: for people who read their mail elsewhere, and of no use for guessing."""

import re
from datetime import timedelta

import pytest

from dynamic_api.accounts import sign_in_codes
from dynamic_api.accounts.proof import NOTHING_KEPT
from dynamic_api.core.errors import CodeInvalid
from dynamic_api.core.models import OneTimeLink
from tests.school import PASSWORD, School

pytestmark = pytest.mark.postgresql


def code_and_token(school: School, email: str = "bob@example.com") -> tuple[str, str]:
    text = school.mails(email)[0]["text"]
    code, token = re.search(r"\b(\d{6})\b", text), re.search(r"#token=([\w-]+)", text)
    assert code, text
    assert token, text
    return code[1], token[1]


async def ask(school: School, email: str = "bob@example.com") -> tuple[str, str]:
    async with school.browser() as anyone:
        await anyone.post("/api/sign-in-links", json={"email": email})
    await school.work()
    return code_and_token(school, email)


async def test_code_or_link_but_not_both(school: School) -> None:
    async with school.browser() as known, school.browser() as elsewhere:
        await school.learner(known)
        code, token = await ask(school)
        body = {"email": "BOB@example.com", "code": f" {code[:3]} {code[3:]} "}
        assert (await elsewhere.post("/api/sign-in-codes/spend", json=body)).status_code == 200
        assert (await elsewhere.get("/api/session")).json()["user"]["email"] == "bob@example.com"
        assert (await elsewhere.post("/api/sign-in-links/spend", json={"token": token})).status_code == 410
        assert (await elsewhere.post("/api/sign-in-codes/spend", json=body)).status_code == 422
    rows = await school.rows(OneTimeLink)
    assert all(row.code_hash != code for row in rows)


async def test_wrong_unknown_and_late_get_one_answer(school: School) -> None:
    async with school.browser() as known, school.browser() as stranger:
        await school.learner(known)
        code, _ = await ask(school)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        answers = [await stranger.post("/api/sign-in-codes/spend", json={"email": "bob@example.com", "code": wrong})]
        answers.append(await stranger.post("/api/sign-in-codes/spend", json={"email": "who@example.com", "code": code}))
        school.clock.forward(minutes=31)
        answers.append(await stranger.post("/api/sign-in-codes/spend", json={"email": "bob@example.com", "code": code}))
        assert {(answer.status_code, answer.text) for answer in answers} == {(422, answers[0].text)}
        assert min(answer.elapsed for answer in answers) > timedelta(milliseconds=200)


async def test_five_wrong_tries_close_the_code_but_not_the_link(school: School) -> None:
    async with school.browser() as known, school.browser() as elsewhere:
        user = await school.learner(known)
        code, token = await ask(school)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for _ in range(sign_in_codes.ATTEMPTS):
            with pytest.raises(CodeInvalid):
                await sign_in_codes.sign_in_by_code(school.service, user.email, wrong, NOTHING_KEPT)
        with pytest.raises(CodeInvalid):
            await sign_in_codes.sign_in_by_code(school.service, user.email, code, NOTHING_KEPT)
        assert (await elsewhere.post("/api/sign-in-links/spend", json={"token": token})).status_code == 200


async def test_twenty_wrong_tries_close_codes_for_the_day_however_many_mails_are_asked_for(school: School) -> None:
    async with school.browser() as known:
        user = await school.learner(known)
    database, secret = school.service.database, school.service.settings.secret_key
    for _ in range(4):
        async with database.transaction() as db:
            _, code = await sign_in_codes.issue_sign_in_link(db, secret, user, now=school.clock())
        for _ in range(sign_in_codes.ATTEMPTS):
            with pytest.raises(CodeInvalid):
                await sign_in_codes.sign_in_by_code(school.service, user.email, "no", NOTHING_KEPT)
    async with database.transaction() as db:
        _, code = await sign_in_codes.issue_sign_in_link(db, secret, user, now=school.clock())
    with pytest.raises(CodeInvalid):
        await sign_in_codes.sign_in_by_code(school.service, user.email, code, NOTHING_KEPT)
    school.clock.forward(days=1, minutes=1)
    async with database.transaction() as db:
        _, code = await sign_in_codes.issue_sign_in_link(db, secret, user, now=school.clock())
    found = await sign_in_codes.sign_in_by_code(school.service, user.email, code, NOTHING_KEPT)
    assert found.id == user.id


async def test_tries_of_one_address_are_throttled(school: School) -> None:
    async with school.browser() as stranger:
        statuses = [
            (await stranger.post("/api/sign-in-codes/spend", json={"email": "a@example.com", "code": "1"})).status_code
            for _ in range(7)
        ]
    assert statuses == [422] * 5 + [429] * 2


async def test_a_scanner_that_clicks_everything_leaves_the_digits_good(school: School) -> None:
    async with school.browser() as learner, school.browser() as scanner:
        await school.learner(learner)
        await learner.post("/api/sign-in-links", json={"email": "bob@example.com"})
        await school.work()
        token = school.token("/sign-in/link/", "bob@example.com")
        digits = re.search(r"\b\d{6}\b", school.mails("bob@example.com")[0]["text"])
        assert digits
        assert (await scanner.post("/api/sign-in-links/spend", json={"token": token})).status_code == 200
        body = {"email": "bob@example.com", "code": digits[0]}
        assert (await learner.post("/api/sign-in-codes/spend", json=body)).status_code == 200
        assert (await learner.post("/api/sign-in-codes/spend", json=body)).status_code == 422  # once


async def test_a_new_password_ends_the_digits_too(school: School) -> None:
    async with school.browser() as learner:
        await school.learner(learner)
        await learner.post("/api/sign-in-links", json={"email": "bob@example.com"})
        await school.work()
        digits = re.search(r"\b\d{6}\b", school.mails("bob@example.com")[0]["text"])
        assert digits
        new = {"current": PASSWORD, "password": "another loaf on the shelf"}
        assert (await learner.put("/api/account/password", json=new)).status_code == 200
        answer = await learner.post("/api/sign-in-codes/spend", json={"email": "bob@example.com", "code": digits[0]})
        assert answer.status_code == 422
