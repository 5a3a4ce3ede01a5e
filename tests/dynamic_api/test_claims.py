"""Claim links work once, within their time, for the reader of the email; an order never has two owners."""

import asyncio

import pytest

from dynamic_api.core.models import Base, Entitlement, OneTimeLink, User
from dynamic_api.core.tokens import hash_token
from tests.dynamic_api.test_gifts import give, open_gift
from tests.school import LESSON, PASSWORD, SOURDOUGH, School

BODY = {"name": "Ann", "password": PASSWORD}


async def test_used_expired_and_invented_links_get_one_answer(school: School) -> None:
    async with school.browser() as browser, school.browser() as late:
        await school.buy(browser)
        token = school.claim_token()
        assert (await browser.post("/api/claims", json={"token": token, **BODY})).status_code == 200
        await school.buy(late, email="late@example.com")
        expired = school.claim_token("late@example.com")
        school.clock.forward(days=7, seconds=1)
        for each in (token, expired, "invented"):
            for address in ("/api/claims/look", "/api/claims"):
                answer = await late.post(address, json={"token": each, **BODY})
                assert answer.status_code == 410
                assert answer.json()["error"]["code"] == "claim_link_invalid"


async def test_reissued_links_are_one_and_the_answer_reveals_nothing(school: School) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
        old = school.claim_token()
        known = await browser.post("/api/claims/reissue", json={"email": "ANN@example.com"})
        unknown = await browser.post("/api/claims/reissue", json={"email": "nobody@example.com"})
        assert known.json() == unknown.json()
        school.clock.forward(minutes=1)
        await school.work()
        new = school.claim_token()
        assert new != old
        # Both open it, so that a mail that was sent twice holds no dead link; but only one can be used, once.
        assert (await browser.post("/api/claims/look", json={"token": old})).status_code == 200
        assert (await browser.post("/api/claims", json={"token": new, **BODY})).status_code == 200
        assert (await browser.post("/api/claims", json={"token": old, **BODY})).status_code == 410
        assert len({mail["message_id"] for mail in school.mails()}) == 2
        assert len(school.mails("nobody@example.com")) == 0


async def test_only_hashes_are_stored(school: School) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
        token = school.claim_token()
    [link] = await school.rows(OneTimeLink)
    assert link.token_hash == hash_token(token)
    async with school.service.database.reading() as db:
        for table in Base.metadata.sorted_tables:
            for row in await db.execute(table.select()):
                assert token not in str(row), table.name


async def test_two_browsers_at_once_make_one_owner(school: School) -> None:
    async with school.browser() as buyer, school.browser() as reader:
        session = await school.buy(buyer)
        token = school.claim_token()
        answers = await asyncio.gather(
            school.claim(buyer, session),
            reader.post("/api/claims", json={"token": token, **BODY}),
            school.claim(buyer, session),
            reader.post("/api/claims", json={"token": token, **BODY}),
        )
        assert sorted(answer.status_code for answer in answers)[0] == 200
        assert sum(answer.status_code == 200 for answer in answers) == 1
        assert len(await school.rows(User)) == 1
        assert len(await school.rows(Entitlement)) == 1


async def test_refused_passwords_do_not_use_the_link_up(school: School) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
        token = school.claim_token()
        for password in ("short", "password123", "aaaaaaaaaaaaaa", "ann@example.com"):
            answer = await browser.post("/api/claims", json={"token": token, "name": "Ann", "password": password})
            assert answer.status_code == 422
            assert "password" in answer.json()["error"]["details"]
        answer = await browser.post("/api/claims", json={"token": token, "name": " ", "password": PASSWORD})
        assert list(answer.json()["error"]["details"]) == ["name"]
        assert (await browser.post("/api/claims", json={"token": token, **BODY})).status_code == 200


async def test_link_for_another_person_joins_the_account_that_is_signed_in(school: School) -> None:
    """Bought with another address: the reader of the email may add it to the account they use."""
    async with school.browser() as learner, school.browser() as guest:
        await school.learner(learner, "bob@example.com")
        await school.buy(guest, email="bob.work@example.com")
        token = school.claim_token("bob.work@example.com")
        assert (await learner.post("/api/claims", json={"token": token})).status_code == 200
        assert (await learner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert [user.email.spelling for user in await school.rows(User)] == ["bob@example.com"]


async def test_claim_in_browser_wants_the_password_of_an_account_that_exists(school: School) -> None:
    async with school.browser() as learner, school.browser() as guest:
        await school.learner(learner, "ann@example.com", verified=False)
        session = await school.buy(guest, email="ann@example.com")
        wrong = await school.claim(guest, session, password="not her password")
        assert wrong.json()["error"]["code"] == "invalid_credentials"
        assert (await school.claim(guest, session, password=PASSWORD)).status_code == 200


async def test_refunded_purchase_cannot_be_claimed(school: School) -> None:
    async with school.browser() as browser:
        session = await school.buy(browser)
        token = school.claim_token()
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await browser.post("/api/claims", json={"token": token, **BODY})).status_code == 410
        assert (await school.claim(browser, session)).status_code == 409


@pytest.mark.parametrize("name", ["nonsense", "00000000-0000-0000-0000-00000000000", "ord_x"])
async def test_an_order_that_cannot_exist_is_claimed_by_nobody(school: School, name: str) -> None:
    async with school.browser() as browser:
        await school.buy(browser)
        answer = await browser.post(f"/api/orders/{name}/claim", json=BODY)
        assert answer.json()["error"]["code"] == "order_not_claimable"


async def test_at_a_shared_computer_nobody_takes_the_purchase_of_the_one_before(school: School) -> None:
    """Ann bought as a guest and went home; Bob signs in at the same machine."""
    async with school.browser() as machine, school.browser() as at_home:
        session = await school.buy(machine)
        await school.learner(machine)
        shown = (await machine.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert (shown["claimable"], shown["sent_to"]) == (False, "a…@example.com")
        refused = await school.claim(machine, session)
        assert refused.json()["error"]["code"] == "order_not_claimable"
        assert "another email address" in refused.json()["error"]["message"]
        own = await school.begin(machine)  # Bob can buy it for himself
        assert own["id"] != session["id"]
        assert (await machine.delete("/api/session")).status_code == 200
        assert "sent_to" not in (await machine.get(f"/api/orders/{session['client_reference_id']}")).json()
        link = {"token": school.claim_token(), **BODY}
        assert (await at_home.post("/api/claims", json=link)).status_code == 200


async def test_a_guest_who_signs_in_with_the_same_address_claims_at_once(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser, "ann@example.com", verified=False)
        await browser.delete("/api/session")
        session = await school.buy(browser)
        await browser.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
        assert (await school.claim(browser, session)).status_code == 200


async def test_an_invented_link_opens_nothing_while_another_waits(school: School) -> None:
    async with school.browser() as buyer, school.browser() as guesser:
        await school.buy(buyer)
        for address in ("/api/claims/look", "/api/claims"):
            assert (await guesser.post(address, json={"token": "invented", **BODY})).status_code == 410


async def test_links_are_sent_again_to_the_address_that_was_typed_alone(school: School) -> None:
    async with school.browser() as ann, school.browser() as bob:
        await school.buy(ann)
        await school.buy(bob, email="bob@example.com")
        before = len(school.mails("bob@example.com"))
        school.clock.forward(minutes=1)
        await ann.post("/api/claims/reissue", json={"email": "ann@example.com"})
        await school.work()
        assert (len(school.mails("ann@example.com")), len(school.mails("bob@example.com"))) == (2, before)


async def test_a_link_says_whether_its_address_has_a_proven_account(school: School) -> None:
    found = {}
    for address, verified in (("ann@example.com", None), ("bob@example.com", True), ("cleo@example.com", False)):
        async with school.browser() as browser, school.browser() as giver:
            if verified is not None:
                await school.learner(browser, address, verified=verified)
            await give(school, giver, recipient_email=address)
            answer = await giver.post("/api/claims/look", json={"token": school.claim_token(address)})
            found[address] = answer.json()["has_account"]
    assert found == {"ann@example.com": False, "bob@example.com": True, "cleo@example.com": False}


async def test_who_opens_a_guests_gift_has_neither_its_receipt_nor_given_it(school: School) -> None:
    async with school.browser() as giver, school.browser() as friend:
        session = await give(school, giver)
        assert (await open_gift(school, friend)).status_code == 200
        assert (await school.order(session)).buyer_id is None
        assert (await friend.get("/api/receipts")).json()["receipts"] == []
        assert (await friend.get("/api/gifts")).json()["gifts"] == []


async def test_a_link_brings_the_name_that_was_typed_with_it(school: School) -> None:
    """The account's earlier name was typed by somebody who had not proven the address."""
    async with school.browser() as typed, school.browser() as owner:
        await school.learner(typed, "ann@example.com", verified=False)
        await school.buy(owner)
        body = {"token": school.claim_token(), "name": "Ann", "password": "quite another loaf"}
        assert (await owner.post("/api/claims", json=body)).status_code == 200
        assert [user.name for user in await school.rows(User)] == ["Ann"]
