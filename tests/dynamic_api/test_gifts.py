"""A course for somebody else: the recipient gets it, the buyer does not, and a refund takes it back at any time."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from dynamic_api.checkout.buyer import Buyer
from dynamic_api.checkout.free import give_free_course
from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Gift, Job, Order
from dynamic_api.orders.gifts import GiftDetails
from scripts.sandbox.store import Json
from tests.school import KNOTS, LESSON, PASSWORD, SOURDOUGH, School

FRIEND = "friend@example.com"
WISHES = {
    "gift": "1",
    "recipient_email": FRIEND,
    "recipient_name": "Fran",
    "sender_name": "Ann",
    "message": "For your new oven.\nBake slowly.",
}
LESSON_ADDRESS = f"/api/learn/{SOURDOUGH}/{LESSON}"


async def give(school: School, browser: httpx.AsyncClient, **more: str) -> Json:
    session = await school.begin(browser, **{**WISHES, **more})
    school.pay(session)
    await school.settle()
    return session


async def open_gift(school: School, browser: httpx.AsyncClient) -> httpx.Response:
    body = {"token": school.claim_token(FRIEND), "name": "Fran", "password": PASSWORD}
    return await browser.post("/api/claims", json=body)


async def test_recipient_gets_the_course_and_the_buyer_a_confirmation(school: School) -> None:
    async with school.browser() as buyer, school.browser() as friend:
        session = await give(school, buyer)
        [present] = school.mails(FRIEND)
        assert present["subject"] == "Ann sent you a gift: Sourdough, from Starter to Loaf"
        assert "Ann has given you" in present["text"]
        assert "Bake slowly." in present["text"]
        [confirmation] = school.mails("ann@example.com")
        assert confirmation["subject"] == "Your gift: Sourdough, from Starter to Loaf"
        assert "friend@example.com" in confirmation["text"]
        assert "/claim/" not in confirmation["text"] + confirmation["html"]
        assert (await open_gift(school, friend)).status_code == 200
        assert (await friend.get(LESSON_ADDRESS)).status_code == 200
        order = await school.order(session)
        assert (str(order.buyer_email), str(order.owner_email)) == ("ann@example.com", FRIEND)


async def test_buyer_cannot_claim_in_the_browser_that_bought(school: School) -> None:
    async with school.browser() as buyer:
        session = await give(school, buyer)
        shown = (await buyer.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert (shown["yours"], shown["claimable"]) == (False, False)
        assert shown["gift"]["state"] == "delivered"
        assert (await school.claim(buyer, session)).json()["error"]["code"] == "order_not_claimable"
        await buyer.post("/api/claims/reissue", json={"email": "ann@example.com"})
        await school.work()
        assert len(school.mails("ann@example.com")) == 1


async def test_signed_in_buyer_gets_no_access_and_may_give_what_they_own(school: School) -> None:
    async with school.browser() as owner, school.browser() as friend, school.phone() as phone:
        await school.owner(owner)
        session = await school.begin(owner, **WISHES)
        school.pay(session)
        await school.settle()
        [given] = (await owner.get("/api/gifts")).json()["gifts"]
        assert (given["state"], given["recipient_email"]) == ("delivered", FRIEND)
        await open_gift(school, friend)
        [given] = (await owner.get("/api/gifts")).json()["gifts"]
        assert given["state"] == "opened"
        await school.sign_in_phone(phone)
        assert len((await phone.get("/receipts")).json()["receipts"]) == 2
        assert (await friend.get("/api/gifts")).json()["gifts"] == []
    async with school.browser() as other:
        await school.learner(other)
        given = await school.begin(other, **WISHES)
        school.pay(given)
        await school.settle()
        assert (await other.get(LESSON_ADDRESS)).status_code == 403
        assert (await school.order(given)).owner_id is None


@pytest.mark.parametrize("opened", [False, True])
async def test_refund_takes_it_back_before_and_after_it_was_opened(school: School, opened: bool) -> None:
    async with school.browser() as buyer, school.browser() as friend:
        session = await give(school, buyer)
        if opened:
            assert (await open_gift(school, friend)).status_code == 200
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        if opened:
            assert (await friend.get(LESSON_ADDRESS)).status_code == 403
        else:
            assert (await open_gift(school, friend)).status_code == 410
        assert school.mails("ann@example.com")[0]["subject"].startswith("Refunded")
        [ended] = [mail for mail in school.mails(FRIEND) if mail["subject"].startswith("No longer")]
        assert "was refunded to the person who bought it" in " ".join(ended["text"].split())


async def test_gift_waits_for_its_day_and_a_refund_before_it_says_nothing_to_the_recipient(school: School) -> None:
    school.clock.moment = datetime(2026, 12, 1, 20, tzinfo=UTC)
    async with school.browser() as buyer, school.browser() as friend:
        await give(school, buyer, deliver_on="2026-12-24")
        refunded = await give(school, buyer, deliver_on="2026-12-24", recipient_email="other@example.com")
        assert school.mails(FRIEND) == []
        assert "on December 24, 2026" in school.mails("ann@example.com")[-1]["text"]
        await friend.post("/api/claims/reissue", json={"email": FRIEND})
        await school.work()
        assert school.mails(FRIEND) == []
        school.bank.refund(refunded["payment_intent"], amount=None)
        await school.settle()
        school.clock.moment = datetime(2026, 12, 24, 7, 59, tzinfo=UTC)
        await school.work()
        assert school.mails(FRIEND) == []
        school.clock.forward(minutes=1)
        await school.work()
        assert len(school.mails(FRIEND)) == 1
        assert school.mails("other@example.com") == []
        assert (await open_gift(school, friend)).status_code == 200


async def test_gift_whose_mail_server_is_down_on_the_day_arrives_the_day_after(school: School) -> None:
    """A job that waited for weeks has not been tried for weeks."""
    day = (school.clock() + timedelta(days=30)).date().isoformat()
    async with school.browser() as buyer:
        await give(school, buyer, deliver_on=day)
    school.bank.store.mail_down = True
    school.clock.forward(days=31)
    await school.work()
    assert school.mails(FRIEND) == []
    school.bank.store.mail_down = False
    school.clock.forward(days=1)
    await school.work()
    assert len(school.mails(FRIEND)) == 1
    assert {job.state for job in await school.rows(Job) if job.kind == "mail.send"} == {"done"}


async def test_dispute_over_the_day_holds_the_gift_back_until_it_is_won(school: School) -> None:
    day = (school.clock() + timedelta(days=3)).date().isoformat()
    async with school.browser() as buyer:
        session = await give(school, buyer, deliver_on=day)
    dispute = school.bank.dispute(session["payment_intent"])
    await school.settle()
    school.clock.forward(days=5)
    await school.work()
    assert school.mails(FRIEND) == []
    school.bank.close_dispute(dispute, won=True)
    await school.settle()
    assert len(school.mails(FRIEND)) == 1


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({"recipient_email": "nobody"}, "gift-address"),
        ({"recipient_email": ""}, "gift-address"),
        ({"deliver_on": "yesterday"}, "gift-day"),
        ({"deliver_on": "2020-01-01"}, "gift-day"),
        ({"deliver_on": "2999-01-01"}, "gift-day"),
        ({"message": "x" * 2001}, "gift-message"),
    ],
)
async def test_what_will_not_do_is_said_beside_the_form(school: School, change: dict[str, str], notice: str) -> None:
    async with school.browser() as buyer:
        answer = await buyer.post("/api/checkout", data={"course": SOURDOUGH, **WISHES, **change})
        assert answer.headers["location"] == f"/courses/{SOURDOUGH}/gift/#{notice}"
    assert await school.rows(Order) == []
    assert await school.rows(Gift) == []


async def test_nobody_gives_to_themselves_by_mistake(school: School) -> None:
    async with school.browser() as buyer:
        await school.learner(buyer)
        answer = await buyer.post(
            "/api/checkout", data={"course": SOURDOUGH, **WISHES, "recipient_email": "BOB@example.com"}
        )
        assert answer.headers["location"].endswith("#gift-to-yourself")


async def test_second_click_is_one_gift_and_two_friends_are_two(school: School) -> None:
    async with school.browser() as buyer:
        first = await school.begin(buyer, **WISHES)
        assert (await school.begin(buyer, **WISHES))["id"] == first["id"]
        other = await school.begin(buyer, **{**WISHES, "recipient_email": "second@example.com"})
        mine = await school.begin(buyer)
        assert len({first["id"], other["id"], mine["id"]}) == 3
        for session in (first, other, mine):
            school.pay(session)
            await school.settle()
        assert {order.state for order in await school.rows(Order)} == {"paid"}


async def test_signing_up_with_the_recipients_address_brings_a_delivered_gift(school: School) -> None:
    async with school.browser() as buyer, school.browser() as friend:
        await give(school, buyer)
        await friend.post("/api/sign-ups", json={"email": FRIEND})
        await school.work()
        token = re.search(r"/welcome/#token=([\w-]+)", school.mails(FRIEND)[0]["text"])
        assert token
        body = {"token": token[1], "name": "Fran", "password": PASSWORD}
        assert (await friend.post("/api/sign-ups/spend", json=body)).status_code == 200
        assert (await friend.get(LESSON_ADDRESS)).status_code == 200


async def test_buyer_who_signs_up_later_finds_the_gift_given(school: School) -> None:
    async with school.browser() as buyer:
        await give(school, buyer)
        await buyer.post("/api/sign-ups", json={"email": "ann@example.com"})
        await school.work()
        token = re.search(r"/welcome/#token=([\w-]+)", school.mails("ann@example.com")[0]["text"])
        assert token
        await buyer.post("/api/sign-ups/spend", json={"token": token[1], "name": "Ann", "password": PASSWORD})
        assert [gift["state"] for gift in (await buyer.get("/api/gifts")).json()["gifts"]] == ["delivered"]
        assert (await buyer.get(LESSON_ADDRESS)).status_code == 403


async def test_exports_and_deletions_keep_buyer_and_recipient_apart(school: School) -> None:
    async with school.browser() as buyer, school.browser() as friend:
        await school.learner(buyer)
        session = await school.begin(buyer, **WISHES)
        school.pay(session)
        await school.settle()
        await open_gift(school, friend)
        received = (await friend.get("/api/account/export")).text
        assert "For your new oven." in received
        assert "bob@example.com" not in received
        deleted = await buyer.post("/api/account/deletion", json={"password": PASSWORD})
        assert deleted.status_code == 200
        assert (await friend.get(LESSON_ADDRESS)).status_code == 200
        order = await school.order(session)
        assert order.buyer_email != Email.parse("bob@example.com")
        assert order.owner_email == Email.parse(FRIEND)


async def test_a_gift_of_a_free_course_arrives_at_its_recipient(school: School) -> None:
    """It emails a stranger and costs nothing, so only people who are signed in can do it."""
    async with school.browser() as giver, school.browser() as friend:
        form = {"course": KNOTS, **WISHES}
        details = GiftDetails(Email.parse(FRIEND), "Fran", "Ann", "", None)
        course = school.service.catalog.current.course(SOURDOUGH)
        with pytest.raises(ValueError, match="has a price"):
            await give_free_course(school.service, course, Buyer(None, "browser"), details)
        assert (await giver.post("/api/checkout", data=form)).headers["location"] == "/sign-in/"
        await school.learner(giver)
        own = await giver.post("/api/checkout", data={**form, "recipient_email": "Bob@example.com"})
        assert own.headers["location"].endswith("#gift-to-yourself")
        assert (await giver.post("/api/checkout", data=form)).headers["location"] == "/gifts/"
        await school.work()
        assert (await giver.get("/api/library")).json()["courses"] == []
        assert (await open_gift(school, friend)).status_code == 200
        [course] = (await friend.get("/api/library")).json()["courses"]
        assert course["slug"] == KNOTS
        assert [order.currency for order in await school.rows(Order)] == ["EUR"]
        for _ in range(2):
            answer = await giver.post("/api/checkout", data=form)
        assert answer.headers["location"].endswith("#try-later")


async def test_a_free_gift_is_on_its_givers_list(school: School) -> None:
    async with school.browser() as giver:
        await school.learner(giver)
        await giver.post("/api/checkout", data={"course": KNOTS, "gift": "1", "recipient_email": "fran@example.com"})
        [gift] = (await giver.get("/api/gifts")).json()["gifts"]
        assert gift["recipient_email"] == "fran@example.com"


async def test_a_second_click_with_another_day_is_another_gift(school: School) -> None:
    day, later = [(school.clock() + timedelta(days=days)).date().isoformat() for days in (3, 4)]
    async with school.browser() as buyer:
        at_once = await school.begin(buyer, **WISHES)
        school.clock.forward(minutes=2)
        assert (await school.begin(buyer, **WISHES))["id"] == at_once["id"]
        first = await school.begin(buyer, **WISHES, deliver_on=day)
        assert (await school.begin(buyer, **WISHES, deliver_on=day))["id"] == first["id"] != at_once["id"]
        assert (await school.begin(buyer, **WISHES, deliver_on=later))["id"] not in (at_once["id"], first["id"])


async def test_at_once_after_a_day_is_at_once(school: School) -> None:
    day = (school.clock() + timedelta(days=3)).date().isoformat()
    async with school.browser() as buyer:
        dated = await school.begin(buyer, **WISHES, deliver_on=day)
        at_once = await school.begin(buyer, **WISHES)
        assert at_once["id"] != dated["id"]


async def test_the_longest_message_arrives_line_by_line_and_the_last_day_is_a_day(school: School) -> None:
    message = "Bake slowly.\n" + "x" * 1987
    days = [(school.clock() + timedelta(days=days)).date().isoformat() for days in (0, 366)]
    async with school.browser() as buyer:
        await school.learner(buyer)
        for day in days:
            await give(school, buyer, message=message.replace("\n", "\r\n\x07"), deliver_on=day)
        gifts = (await buyer.get("/api/gifts")).json()["gifts"]
        assert [gift["message"] for gift in gifts] == [message, message]
        assert gifts[0]["state"] == "scheduled"


async def test_the_link_of_a_gift_that_went_to_the_wrong_address_is_dead(school: School) -> None:
    """And only of that gift; what is no gift, or waits no longer, is sent nowhere."""
    async with school.browser() as giver, school.browser() as stranger:
        await give(school, giver, recipient_email="second@example.com")
        session = await give(school, giver)
        mine = await school.begin(giver)
        wrong = school.claim_token(FRIEND)
        async with school.service.database.transaction() as db:
            for name in (mine["client_reference_id"], "ord_000000000000000000000000"):
                with pytest.raises(by_operator.NoSuchGift):
                    await by_operator.readdress_gift(db, name, Email.parse("fran@right.example"), now=school.clock())
            await by_operator.readdress_gift(
                db, session["client_reference_id"], Email.parse("fran@right.example"), now=school.clock()
            )
        await school.work()
        assert (
            await stranger.post("/api/claims", json={"token": wrong, "name": "Fran", "password": PASSWORD})
        ).status_code == 410
        for to in ("fran@right.example", "second@example.com"):
            body = {"token": school.claim_token(to), "name": "Fran", "password": "a loaf on each table"}
            async with school.browser() as friend:
                assert (await friend.post("/api/claims", json=body)).status_code == 200


async def test_a_second_click_of_a_gift_for_today_is_one_gift(school: School) -> None:
    """Its morning has passed, so it is delivered at once."""
    school.clock.moment = datetime(2026, 12, 1, 20, tzinfo=UTC)
    async with school.browser() as buyer:
        first = await school.begin(buyer, **WISHES, deliver_on="2026-12-01")
        school.clock.forward(seconds=2)
        assert (await school.begin(buyer, **WISHES, deliver_on="2026-12-01"))["id"] == first["id"]
