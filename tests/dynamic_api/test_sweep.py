"""The sweep finds what no webhook delivered, in pieces, for as long as the installation lives."""

from datetime import timedelta

import pytest

from dynamic_api.core.models import Job, Order
from dynamic_api.gateways.payment_facts import PaymentList
from dynamic_api.orders import sweep
from dynamic_api.orders.sweep import find_differences, schedule_sweep
from tests.conftest import Sandbox
from tests.school import LESSON, SOURDOUGH, School

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
