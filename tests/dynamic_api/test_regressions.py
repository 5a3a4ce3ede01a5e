"""Bugs that were found by reading, each as the story in which it bit."""

import asyncio

import pytest
from sqlalchemy import update

from dynamic_api.core.models import Entitlement, Order
from dynamic_api.orders.reconcile import lock_order
from sitegen.catalog.manifest import ManifestUnreadable
from tests.conftest import Sandbox
from tests.school import KNOTS, LESSON, PASSWORD, SOURDOUGH, School


async def test_an_outage_of_two_days_loses_no_customer(school: School, sandbox: Sandbox) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        sandbox.outage.update(status=500, left=10**6)
        await school.deliver()
        for _ in range(3):
            school.clock.forward(hours=16)
            await school.work()
        sandbox.outage.update(left=0)
        for _ in range(2):
            school.clock.forward(hours=2)
            await school.work()
        assert (await school.order(session)).state == "paid"
        assert school.claim_token()


async def test_a_burst_of_guesses_counts_each(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        guesses = [f"wrong password {number}" for number in range(30)] + [PASSWORD]
        answers = await asyncio.gather(
            *(browser.post("/api/session", json={"email": "bob@example.com", "password": each}) for each in guesses)
        )
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(422) <= 5
        assert statuses[-1] == 429


async def test_the_lock_shows_what_others_wrote_meanwhile(school: School) -> None:
    async with school.browser() as browser:
        session = await school.buy(browser)
        order_id = (await school.order(session)).id
        async with school.service.database.transaction() as db:
            order = await db.get_one(Order, order_id)
            # As if another had written while we waited for the lock.
            other = update(Order).where(Order.id == order_id).values(checkout_url="elsewhere")
            await db.execute(other.execution_options(synchronize_session=False))
            assert order.checkout_url != "elsewhere"
            assert (await lock_order(db, order_id)).checkout_url == "elsewhere"


async def test_nobody_pays_twice_on_a_page_left_open(school: School) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        first = await school.begin(browser)
        school.clock.forward(hours=11)
        second = await school.begin(browser)
        assert first["id"] != second["id"]
        assert 3600 < first["expires_at"] - first["created"] < 23 * 3600
        school.pay(second)
        await school.settle()
        assert first["status"] == "expired"
        await school.settle()
        assert (await school.order(first)).state == "expired"


async def test_nobody_orders_twice_while_the_bank_takes_its_time(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session, delayed=True)
        await school.settle()
        school.clock.forward(days=1)
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"] == f"/courses/{SOURDOUGH}/#payment-under-way"
        school.bank.settle(session, succeeds=False)
        await school.settle()
        assert (await school.begin(browser))["id"] != session["id"]


@pytest.mark.parametrize("email", ["o'brien@example.com", "ann+bread@example.co.uk", "ünï@example.com"])
async def test_unusual_addresses_are_welcome_everywhere(school: School, email: str) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser, email=email)
        await school.sign_in_phone(phone, email)
        assert (await browser.post("/api/claims/reissue", json={"email": email})).status_code == 200


@pytest.mark.parametrize("path", ["/api/files/1", "/api/v1/mobile/resources/1/file"])
async def test_odd_signatures_are_refused_not_crashed_on(school: School, path: str) -> None:
    async with school.browser() as browser:
        answer = await browser.get(f"{path}?expires=9999999999&user=1&signature=%C3%A9")
        assert answer.json()["error"]["code"] == "signature_invalid"


async def test_nul_bytes_are_refused(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        body = {"email": "a\u0000@b.com", "password": "x", "device_name": "p\u0000"}
        assert (await browser.post("/api/session", json=body)).status_code == 422
        assert set((await phone.post("/auth/login", json=body)).json()["error"]["details"]) == {"email", "device_name"}
        assert (await browser.get("/api/orders/a%00b")).status_code == 404


async def test_every_mobile_answer_counts_and_says_what_is_left(school: School) -> None:
    async with school.phone() as phone:
        for number, path in enumerate(("/nope", "/me", "/auth/login", "/resources/1/file"), start=1):
            answer = await phone.get(path)
            assert answer.headers["x-ratelimit-remaining"] == str(120 - number), path
            assert answer.headers["cache-control"] == "private, no-store"
        for _ in range(116):
            await phone.get("/nope")
        refused = await phone.get("/nope")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limited"


async def test_a_free_course_asked_for_often_is_one_order_and_few_mails(school: School) -> None:
    async with school.browser() as browser:
        for number in range(6):
            form = {"course": KNOTS, "email": "vic@example.com" + " " * number}
            await browser.post("/api/checkout", data=form)
        await school.work()
        assert len(await school.rows(Order)) == 1
        assert len(school.mails()) <= 2


async def test_a_receipt_held_back_by_a_dispute_brings_its_link_afterwards(school: School) -> None:
    async with school.browser() as browser:
        with school.without_mail_server():
            session = await school.buy(browser)
            dispute = school.bank.dispute(session["payment_intent"])
            await school.settle()
        school.clock.forward(hours=1)
        await school.work()
        assert school.mails() == []
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        body = {"token": school.claim_token(), "name": "Ann", "password": PASSWORD}
        assert (await browser.post("/api/claims", json=body)).status_code == 200
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200


async def test_a_broken_manifest_does_not_stop_mail(school: School) -> None:
    from dynamic_api.handlers import HANDLERS
    from dynamic_api.jobs.worker import work

    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        await school.deliver()
        school.service.settings.manifest.write_text("{broken")
        task = asyncio.create_task(work(school.service, HANDLERS))
        for _ in range(100):
            await asyncio.sleep(0.05)
            if school.mails():
                break
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(school.mails()) == 1


async def test_a_manifest_that_could_not_be_taken_up_is_tried_again(school: School) -> None:
    path = school.service.settings.manifest
    good = path.read_text()
    path.write_text("{broken")
    with pytest.raises(ManifestUnreadable, match="build"):
        await school.service.catalog.refresh()
    assert not await school.service.catalog.refresh()  # said once, and not each time that the worker looks
    assert school.service.catalog.problem is not None
    path.write_text(good)
    await school.service.catalog.refresh()
    assert school.service.catalog.current.courses
    assert await school.rows(Entitlement) == []


async def test_a_free_course_asked_for_as_a_guest_is_still_at_once_for_the_account(school: School) -> None:
    async with school.browser() as guest, school.browser() as learner:
        await guest.post("/api/checkout", data={"course": KNOTS, "email": "bob@example.com"})
        await school.learner(learner, "bob@example.com", verified=False)
        answer = await learner.post("/api/checkout", data={"course": KNOTS})
        assert answer.headers["location"] == "/library/"
        assert len((await learner.get("/api/library")).json()["courses"]) == 1
