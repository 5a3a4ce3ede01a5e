"""The sweep finds what no webhook delivered, in pieces, for as long as the installation lives."""

from datetime import timedelta

import pytest

from dynamic_api.core.models import Job, Order
from dynamic_api.gateways.payment_facts import PaymentList
from dynamic_api.orders import sweep
from dynamic_api.orders.reconcile import reconcile_order
from dynamic_api.orders.sweep import find_differences, schedule_sweep
from tests.conftest import Sandbox
from tests.dynamic_api.test_order_lines import courses_of
from tests.school import GIT, KNOTS, LESSON, SOURDOUGH, School

pytestmark = pytest.mark.postgresql

WATCH = f"/api/learn/{SOURDOUGH}/{LESSON}"


async def waiting(school: School) -> list[str]:
    return [job.kind for job in await school.rows(Job) if job.state == "waiting"]


async def turn(school: School) -> None:
    """Six hours later."""
    school.clock.forward(hours=6)
    await school.work()


@pytest.mark.parametrize("what", ["dispute", "refund"])
async def test_an_old_order_whose_webhook_was_lost(school: School, what: str) -> None:
    """The session is older than the list of sessions reaches."""
    async with school.browser() as owner:
        session = await school.owner(owner)
        session["created"] -= 40 * 24 * 3600
        if what == "dispute":
            school.bank.dispute(session["payment_intent"])
        else:
            school.bank.refund(session["payment_intent"], amount=None)
        school.bank.emitted = []
        await schedule_sweep(school.service)
        await turn(school)
        await school.work()
        assert (await owner.get(WATCH)).status_code == 403


async def test_a_sweep_that_is_given_up_is_not_the_last(school: School, sandbox: Sandbox) -> None:
    await schedule_sweep(school.service)
    sandbox.outage.update(status=401, left=10**6)  # a key that was taken back: no answer is waited for
    for _ in range(14):
        await turn(school)
    assert "orders.sweep" in await waiting(school)
    sandbox.outage.update(left=0)
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        school.bank.emitted = []
        await turn(school)
        await turn(school)
        assert (await school.order(session)).state == "paid"


async def test_late_sweeps_do_not_pile_up(school: School, sandbox: Sandbox) -> None:
    await schedule_sweep(school.service)
    sandbox.outage.update(status=401, left=10**6)  # a key that was taken back: no answer is waited for
    for _ in range(8):
        await turn(school)
    sandbox.outage.update(left=0)
    await turn(school)
    assert (await waiting(school)).count("orders.sweep") <= 2 * len(PaymentList)


async def test_page_by_page_and_only_what_may_have_moved(school: School) -> None:
    school.service.gateways.payments.page = 2
    async with school.browser() as owner:
        await school.owner(owner)  # paid, known: need not be asked again
    lost = []
    for number in range(5):
        async with school.browser() as buyer:
            session = await school.begin(buyer)
            school.pay(session, f"buyer{number}@example.com")
            lost.append(session)
    school.bank.emitted = []
    before = {job.id for job in await school.rows(Job)}
    await schedule_sweep(school.service)
    await turn(school)
    assert {(await school.order(session)).state for session in lost} == {"paid"}
    new = [job for job in await school.rows(Job) if job.id not in before]
    assert sum(job.kind == "order.reconcile" for job in new) == 5
    assert sum(job.key.startswith("sweep:") and ":sessions" in job.key for job in new) >= 3


async def test_looking_changes_nothing(school: School) -> None:
    """An order whose session we never noted is reported, and noted only when told to fix it."""
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        school.bank.emitted = []
    async with school.service.database.transaction() as db:
        order = await db.get_one(type(await school.order(session)), (await school.order(session)).id)
        order.session_id = None
    found = [str(each) async for each in find_differences(school.service, since=None, fix=False)]
    assert len(found) == 1
    assert "payment page unknown" in found[0]
    assert (await school.order(session)).session_id is None
    assert [each async for each in find_differences(school.service, since=None, fix=True)]
    assert (await school.order(session)).state == "paid"
    assert not [each async for each in find_differences(school.service, since=None, fix=False)]


def test_disputes_are_looked_at_for_longer_than_they_take() -> None:
    """https://docs.stripe.com/disputes/how-disputes-work"""
    assert sweep.LOOK_BACK[PaymentList.DISPUTES] >= timedelta(days=120)


async def test_an_order_that_never_got_a_payment_page_expires(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
    await school.lose_page()
    school.bank.store.objects.pop(session["id"])
    await schedule_sweep(school.service)
    await turn(school)
    assert (await school.order(session)).state == "pending"
    for _ in range(5):
        await turn(school)
    assert (await school.order(session)).state == "expired"


async def test_what_others_sell_in_the_same_account_is_left_alone(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
    foreign = {**session, "id": "cs_test_other", "client_reference_id": None, "metadata": {}, "payment_intent": None}
    school.bank.store.add(foreign)
    await school.settle()
    assert [each async for each in find_differences(school.service, since=None, fix=True)] == []
    await schedule_sweep(school.service)
    await turn(school)
    assert len(await school.rows(Order)) == 1


async def test_webhooks_that_stay_away_are_told_by_email(school: School) -> None:
    operator = str(school.service.catalog.current.site.contact_email)
    await schedule_sweep(school.service)
    async with school.browser() as first:
        await school.owner(first)  # with webhooks
    for _ in range(8):
        await turn(school)
    assert school.mails(operator) == []  # nobody bought since: that is no silence
    async with school.browser() as second:
        session = await school.begin(second)
        school.pay(session, "bob@example.com")
        school.bank.emitted = []
    for _ in range(3):
        await turn(school)
    assert (await school.order(session)).state == "paid"
    assert school.mails(operator) == []  # less than a day
    for _ in range(5):
        await turn(school)
    assert "no webhook of Stripe has arrived" in " ".join(school.mails(operator)[0]["text"].split())
    assert len(school.mails(operator)) <= 2  # once a day


async def test_a_free_order_never_expires(school: School) -> None:
    """It has no payment page either, and needs none."""
    async with school.browser() as browser:
        await school.learner(browser)
        await browser.post("/api/checkout", data={"course": KNOTS})
        [order] = await school.rows(Order)
        school.clock.forward(days=2)
        assert await reconcile_order(school.service, order.id) == "paid"
        assert await courses_of(browser) == {KNOTS}


async def test_every_difference_is_found_whatever_stands_before_it(school: School) -> None:
    """Behind what others sell, what is as it should be, and what is older than the list of sessions reaches."""
    sessions = []
    for number in range(5):
        async with school.browser() as browser:
            sessions.append(await school.buy(browser, email=f"buyer{number}@example.com"))
    same, part, old, amount, _ = sessions
    old["created"] -= 40 * 24 * 3600
    school.bank.refund(part["payment_intent"], amount=100)
    await school.settle()
    school.bank.refund(part["payment_intent"], amount=100)  # the same state, and another amount
    school.bank.refund(old["payment_intent"], amount=None)
    async with school.service.database.transaction() as db:
        (await db.get_one(Order, (await school.order(amount)).id)).total_amount = 1
    foreign = {**same, "id": "cs_test_other", "client_reference_id": None, "metadata": {}, "payment_intent": None}
    school.bank.store.add(foreign)
    names = {session["client_reference_id"] for session in (part, old, amount)}
    for fix, expected in ((False, names), (True, names), (False, set())):
        found = [each.order async for each in find_differences(school.service, since=None, fix=fix)]
        assert sorted(found) == sorted(expected)


async def test_the_sweep_asks_about_what_may_have_moved_and_nothing_else(school: School) -> None:
    """A page that expired unheard, a lost page that was paid, and an order that never got one."""
    async with school.browser() as one, school.browser() as two, school.browser() as three, school.browser() as four:
        await school.learner(four)
        await four.post("/api/checkout", data={"course": KNOTS})
        never = await school.begin(three)
        await school.lose_page()
        school.bank.store.objects.pop(never["id"])
        expired = await school.begin(one)
        school.clock.forward(days=2)
        lost = await school.begin(two)
        await school.lose_page()
        school.pay(lost)
        young = await school.begin(one, GIT)
        await school.lose_page()
        school.bank.store.objects.pop(young["id"])
        still_open = await school.begin(four)
        school.bank.expire(expired)
        school.bank.emitted = []
        before = {job.id for job in await school.rows(Job)}
        await schedule_sweep(school.service)
        await turn(school)
        states = [(await school.order(each)).state for each in (expired, lost, never, still_open)]
        assert states == ["expired", "paid", "expired", "pending"]
        await turn(school)
        asked = [
            job.key.split(":", 2)[2]
            for job in await school.rows(Job)
            if job.id not in before and job.kind == "order.reconcile"
        ]
        numbers = [(await school.order(each)).id for each in (expired, lost, never, still_open, still_open)]
        assert sorted(asked) == sorted(f"order:{number}" for number in numbers)
