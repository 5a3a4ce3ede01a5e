"""What follows from refunds, disputes and the operator's word, where two of them meet."""

from datetime import timedelta

import pytest

from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Entitlement, Order, User
from dynamic_api.core.outbox import Queue
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from dynamic_api.orders import entitlements
from dynamic_api.orders.reconcile import reconcile_order
from scripts.sandbox.store import Json
from sitegen.catalog.model import Catalog
from tests.school import GIT, LESSON, PASSWORD, SOURDOUGH, School, end_with_part_refunds

pytestmark = pytest.mark.postgresql

ANN = Email.parse("ann@example.com")
WATCH = f"/api/learn/{SOURDOUGH}/{LESSON}"

BOB = Email.parse("bob@example.com")


async def strict(school: School, catalog: Catalog) -> None:
    end_with_part_refunds(school.service.settings.manifest, catalog, SOURDOUGH, GIT)
    await school.service.catalog.refresh()


def subjects(school: School, to: str) -> list[str]:
    return [mail["subject"] for mail in reversed(school.mails(to))]


async def test_what_was_refunded_before_we_looked_was_paid_all_the_same(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
    order = await school.order(session)
    assert order.state == "refunded"
    assert order.paid_at is not None


async def give(school: School, days: int = 0) -> Json:
    """A gift to fran, paid."""
    wishes = {"gift": "1", "recipient_email": "fran@example.com"}
    if days:
        wishes["deliver_on"] = (school.clock() + timedelta(days=days)).date().isoformat()
    async with school.browser() as giver:
        session = await school.begin(giver, **wishes)
    school.pay(session, "giver@example.com")
    await school.settle()
    return session


async def test_a_part_refund_that_ends_access_says_so_and_opens_nothing(school: School, catalog: Catalog) -> None:
    await strict(school, catalog)
    async with school.browser() as owner, school.browser() as guest:
        session = await school.owner(owner)
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 403
        assert subjects(school, "ann@example.com")[-1].startswith("Refunded")
        assert "€1 for" in school.mails("ann@example.com")[0]["text"]
        unclaimed = await school.buy(guest, GIT, "quinn@example.com")
        school.bank.refund(unclaimed["payment_intent"], amount=100)
        await school.settle()
        assert (await school.claim(guest, unclaimed)).json()["error"]["code"] == "order_not_claimable"


async def test_a_gift_that_no_longer_opens_is_not_handed_over(school: School, catalog: Catalog) -> None:
    await strict(school, catalog)
    session = await give(school, days=3)
    school.bank.refund(session["payment_intent"], amount=100)
    await school.settle()
    school.clock.forward(days=5)
    await school.work()
    assert school.mails("fran@example.com") == []


async def test_a_lost_dispute_before_the_day_stays_a_secret(school: School) -> None:
    session = await give(school, days=30)
    school.bank.close_dispute(school.bank.dispute(session["payment_intent"]), won=False)
    await school.settle()
    school.clock.forward(days=40)
    await school.work()
    assert school.mails("fran@example.com") == []


async def test_a_letter_names_what_went_back_and_who_sent_it(school: School) -> None:
    """A euro was refunded; the rest was taken back by the buyer's bank, which is not for us to announce."""
    async with school.browser() as owner:
        session = await school.owner(owner)
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        school.bank.close_dispute(school.bank.dispute(session["payment_intent"]), won=False)
        await school.settle()
        assert subjects(school, "ann@example.com")[-1].startswith("No longer in your library")


async def test_every_refund_that_ends_access_has_a_letter(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        failed = school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        school.bank.fail_refund(failed)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 200
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 403
        assert len([each for each in subjects(school, "ann@example.com") if each.startswith("Refunded")]) == 2


async def test_no_letter_of_a_refund_that_failed_before_it_could_be_sent(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        school.bank.store.mail_down = True
        refund = school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        school.bank.fail_refund(refund)
        await school.settle()
        school.bank.store.mail_down = False
        school.clock.forward(hours=2)
        await school.work()
        assert (await owner.get(WATCH)).status_code == 200
        assert not [each for each in subjects(school, "ann@example.com") if each.startswith("Refunded")]


async def test_a_guest_is_not_sold_the_same_course_twice(school: School) -> None:
    async with school.browser() as guest, school.browser() as another:
        session = await school.buy(guest)
        again = await guest.post("/api/checkout", data={"course": SOURDOUGH})
        assert again.headers["location"] == f"/checkout/success/?order={session['client_reference_id']}"
        await school.claim(guest, session)
        await guest.delete("/api/session")
        # Whoever comes after a sign-out is somebody else: they see nothing of it, and may buy.
        assert (await guest.get(f"/api/orders/{session['client_reference_id']}")).json() == {"state": "paid"}
        assert (await school.begin(guest))["status"] == "open"
        # Another course, a gift, another browser, and one whose money went back: all of them can be bought.
        assert (await school.begin(guest, GIT))["status"] == "open"
        assert (await school.begin(guest, gift="1", recipient_email="fran@example.com"))["status"] == "open"
        assert (await school.begin(another))["status"] == "open"
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await school.begin(guest))["status"] == "open"


async def test_what_the_operator_takes_while_it_is_suspended_stays_taken(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        course = school.service.catalog.current.course(SOURDOUGH)
        async with school.service.database.transaction() as db:
            said = await by_operator.revoke(db, ANN, course, reason="abuse", now=school.clock())
        assert "no longer" in said
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 403


async def test_what_waits_for_its_owner_can_be_taken_back_and_given_again(school: School) -> None:
    course = school.service.catalog.current.course(SOURDOUGH)

    async def say(act: object, reason: str = "raffle") -> str:
        async with school.service.database.transaction() as db:
            said: str = await act(db, ANN, course, reason=reason, now=school.clock())  # type: ignore[operator]
        await school.work()
        school.clock.forward(minutes=5)
        return said

    await say(by_operator.grant)
    assert "once more" in await say(by_operator.grant)
    assert len(await school.rows(Order)) == 1
    link = {"token": school.claim_token(), "name": "Ann", "password": "a loaf on every table"}
    assert "no longer" in await say(by_operator.revoke, "a mistake")
    async with school.browser() as guest:
        assert (await guest.post("/api/claims", json=link)).status_code == 410
        await guest.post("/api/claims/reissue", json={"email": "ann@example.com"})
        mails = len(school.mails())
        await school.work()
        assert len(school.mails()) == mails
        await say(by_operator.grant)
        link["token"] = school.claim_token()
        assert (await guest.post("/api/claims", json=link)).status_code == 200
        assert (await guest.get(WATCH)).status_code == 200


async def test_a_gift_whose_address_takes_no_mail_can_be_sent_elsewhere(school: School) -> None:
    school.bank.store.refused = {"fran@example.com"}
    session = await give(school)
    assert subjects(school, "giver@example.com")[-1].startswith("Your gift could not be delivered")
    async with school.service.database.transaction() as db:
        await by_operator.readdress_gift(
            db, session["client_reference_id"], Email.parse("fran@right.example"), now=school.clock()
        )
    await school.work()
    async with school.browser() as fran:
        body = {"token": school.claim_token("fran@right.example"), "name": "Fran", "password": "a loaf on each table"}
        assert (await fran.post("/api/claims", json=body)).status_code == 200
        assert (await fran.get(WATCH)).status_code == 200
    async with school.service.database.transaction() as db:
        with pytest.raises(by_operator.NoSuchGift):
            await by_operator.readdress_gift(db, session["client_reference_id"], ANN, now=school.clock())


async def test_a_slow_mail_server_holds_up_no_payment(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        await school.deliver()
        await run_due(school.service, HANDLERS, queue=Queue.OTHERS)
        assert (await school.order(session)).state == "paid"
        assert school.mails() == []
        await run_due(school.service, HANDLERS, queue=Queue.EMAIL)
        assert [mail["to"] for mail in school.mails()] == ["ann@example.com"]


async def test_an_order_without_a_page_ends(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
    async with school.service.database.transaction() as db:
        order = await db.get_one(Order, (await school.order(session)).id)
        order.session_id = None
    for days, state in ((0, "pending"), (2, "expired")):
        school.clock.forward(days=days)
        await reconcile_order(school.service, order.id)
        assert (await school.order(session)).state == state


async def test_nothing_of_all_this_leaves_access_open(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
    assert all(row.revoked_at is not None for row in await school.rows(Entitlement))


async def test_a_won_dispute_delivers_no_gift_before_its_day(school: School) -> None:
    session = await give(school, days=30)
    dispute = school.bank.dispute(session["payment_intent"])
    await school.settle()
    school.bank.close_dispute(dispute, won=True)
    await school.settle()
    assert school.mails("fran@example.com") == []
    school.clock.forward(days=31)
    await school.work()
    assert len(school.mails("fran@example.com")) == 1


async def test_a_dispute_that_is_won_after_the_day_delivers_the_gift_then(school: School) -> None:
    session = await give(school, days=3)
    dispute = school.bank.dispute(session["payment_intent"])
    await school.settle()
    school.clock.forward(days=5)
    await school.work()
    assert school.mails("fran@example.com") == []
    school.bank.close_dispute(dispute, won=True)
    await school.settle()
    assert len(school.mails("fran@example.com")) == 1


async def test_an_account_whose_address_is_not_proven_collects_no_gift(school: School) -> None:
    async with school.browser() as squatter:
        await school.learner(squatter, "fran@example.com", verified=False)
        await give(school)
        credentials = {"email": "fran@example.com", "password": PASSWORD}
        assert (await squatter.post("/api/session", json=credentials)).status_code == 200
        assert (await squatter.get(WATCH)).status_code == 403
        async with school.phone() as phone:
            await phone.post("/auth/login", json={**credentials, "device_name": "phone"})
        assert (await squatter.get(WATCH)).status_code == 403


async def test_moving_an_address_moves_gifts_given_and_gifts_received_apart(school: School) -> None:
    """The giver's receipts go to the giver's new account, and the course stays with whom it was given to."""
    session = await give(school)
    async with school.browser() as giver, school.browser() as new, school.browser() as fran:
        await school.learner(giver, "giver@example.com")
        await school.learner(new, "new@example.com")
        body = {"token": school.claim_token("fran@example.com"), "name": "Fran", "password": "a loaf on each table"}
        await fran.post("/api/claims", json=body)
        async with school.service.database.transaction() as db:
            await by_operator.move_purchases(
                db, Email.parse("giver@example.com"), Email.parse("new@example.com"), now=school.clock()
            )
        order = await school.order(session)
        names = {user.id: user.email.spelling for user in await school.rows(User)}
        assert (names[order.buyer_id], names[order.owner_id]) == ("new@example.com", "fran@example.com")
        assert (await fran.get(WATCH)).status_code == 200
        assert (await new.get(WATCH)).status_code == 403
        async with school.service.database.transaction() as db:
            await by_operator.move_purchases(
                db, Email.parse("fran@example.com"), Email.parse("giver@example.com"), now=school.clock()
            )
        order = await school.order(session)
        assert (names[order.buyer_id], names[order.owner_id]) == ("new@example.com", "giver@example.com")
        assert (await fran.get(WATCH)).status_code == 403
        assert (await giver.get(WATCH)).status_code == 200


async def test_the_giver_sees_what_became_of_the_gift(school: School) -> None:
    async with school.browser() as giver:
        await school.learner(giver, "giver@example.com")

        async def state() -> str:
            [gift] = (await giver.get("/api/gifts")).json()["gifts"]
            return str(gift["state"])

        school.bank.store.refused = {"fran@example.com"}
        session = await give(school)
        assert await state() == "undeliverable"
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        assert await state() == "suspended"
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert await state() == "undeliverable"  # and no message is sent to an address that refuses them
        assert subjects(school, "giver@example.com").count("Your gift could not be delivered") <= 1
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert await state() == "refunded"


async def test_an_order_without_an_owner_grants_nothing(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
    order = await school.order(session)
    async with school.service.database.transaction() as db:
        with pytest.raises(ValueError, match="without an owner"):
            await entitlements.grant_line(db, order, order.lines[0], at=school.clock(), actor="test")


async def test_what_was_withdrawn_already_is_not_withdrawn_again(school: School) -> None:
    """The operator reads that nothing was left to take, and not that the buyer is unknown."""
    async with school.browser() as guest:
        await school.buy(guest)
    course = school.service.catalog.current.course(SOURDOUGH)
    said = []
    for _ in range(2):
        async with school.service.database.transaction() as db:
            said.append(await by_operator.revoke(db, ANN, course, reason="by mistake", now=school.clock()))
    assert "may no longer watch" in said[0]
    assert "did not have" in said[1]


async def test_money_decides_about_disputes_and_not_their_names(school: School, catalog: Catalog) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        intent = session["payment_intent"]
        inquiry = school.bank.dispute(intent, inquiry=True)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 200
        school.bank.close_dispute(inquiry, won=False)
        part = school.bank.dispute(intent, amount=1000)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 200
        school.bank.close_dispute(part, won=False)
        await school.settle()
        order = await school.order(session)
        assert (order.state, order.refunded_amount) == ("partially_refunded", 1000)
        assert (await owner.get(WATCH)).status_code == 200  # as after a refund of the same amount
        school.bank.prevent_dispute(intent, refunds=False)
        await school.settle()
        assert (await owner.get(WATCH)).status_code == 200
        school.bank.prevent_dispute(intent, refunds=True)
        await school.settle()
        assert (await school.order(session)).state == "refunded"
        assert (await owner.get(WATCH)).status_code == 403


async def test_a_browser_whose_session_ended_is_not_sold_the_same_course_twice(school: School) -> None:
    """Unless what it bought was taken away: then it may be bought again."""
    async with school.browser() as browser:
        session = await school.owner(browser)
        for cookie in list(browser.cookies.jar):
            if "checkout" not in cookie.name:
                browser.cookies.delete(cookie.name)
        again = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert again.headers["location"] == f"/checkout/success/?order={session['client_reference_id']}"
        shown = (await browser.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert (shown["claimed"], shown["claimable"], shown["yours"]) == (True, False, False)
        course = school.service.catalog.current.course(SOURDOUGH)
        async with school.service.database.transaction() as db:
            await by_operator.revoke(db, ANN, course, reason="abuse", now=school.clock())
        assert (await school.begin(browser))["status"] == "open"
