"""What happens at the same moment. `scripts/test` runs this file on SQLite and on PostgreSQL."""

import asyncio

import httpx
import pytest

from dynamic_api.core.models import AuditEntry, Entitlement, Job, Order, User, WebhookEvent
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from dynamic_api.orders.entitlements import courses_of
from dynamic_api.orders.reconcile import reconcile_order
from scripts.sandbox.deliveries import signed
from tests.school import LESSON, PASSWORD, SOURDOUGH, WEBHOOK_SECRET, School

pytestmark = pytest.mark.postgresql

LESSON_ADDRESS = f"/api/learn/{SOURDOUGH}/{LESSON}"
BODY = {"name": "Ann", "password": PASSWORD}


async def test_fifty_simultaneous_deliveries_of_one_event(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        [completed] = [each for each in school.bank.emitted if each["type"] == "checkout.session.completed"]
        body, signature = signed(completed, WEBHOOK_SECRET)
        async with school.browser() as stripe:
            del stripe.headers["sec-fetch-site"]
            answers = await asyncio.gather(
                *(
                    stripe.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": signature})
                    for _ in range(50)
                )
            )
        assert {answer.status_code for answer in answers} == {200}
        assert len(await school.rows(WebhookEvent)) == 1
        assert len([job for job in await school.rows(Job) if job.kind == "stripe.event"]) == 1
        await asyncio.gather(*(run_due(school.service, HANDLERS) for _ in range(4)))
        await school.work()
        assert (await school.order(session)).state == "paid"
        assert len(school.mails()) == 1
        changes = [row for row in await school.rows(AuditEntry) if row.action == "order:changed"]
        assert len(changes) == 1


async def test_one_order_reconciled_by_four_at_once_changes_once(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        order = await school.order(session)
        states = await asyncio.gather(*(reconcile_order(school.service, order.id) for _ in range(4)))
        assert set(states) == {"paid"}
        await school.work()
        assert len(school.mails()) == 1


async def test_claim_by_two_browsers_makes_one_owner(school: School) -> None:
    async with school.browser() as buyer, school.browser() as reader:
        session = await school.buy(buyer)
        body = {"token": school.claim_token(), **BODY}
        answers = await asyncio.gather(
            school.claim(buyer, session),
            reader.post("/api/claims", json=body),
            school.claim(buyer, session),
            reader.post("/api/claims", json=body),
        )
        assert sum(answer.status_code == 200 for answer in answers) == 1
        assert len(await school.rows(User)) == 1
        assert len(await school.rows(Entitlement)) == 1


async def test_claim_against_refund_ends_without_access_whoever_is_first(school: School) -> None:
    for number in range(4):
        email = f"ann{number}@example.com"
        async with school.browser() as buyer:
            session = await school.buy(buyer, email=email)
            school.bank.refund(session["payment_intent"], amount=None)
            await school.deliver()
            claimed, *_ = await asyncio.gather(
                school.claim(buyer, session), run_due(school.service, HANDLERS), run_due(school.service, HANDLERS)
            )
            await school.work()
            order = await school.order(session)
            assert order.state == "refunded"
            assert claimed.status_code in (200, 409)
            if order.owner_id is not None:
                async with school.service.database.reading() as db:
                    assert await courses_of(db, order.owner_id) == set()
                assert (await buyer.get(LESSON_ADDRESS)).status_code == 403


async def test_gift_opened_against_its_refund_ends_without_access(school: School) -> None:
    async with school.browser() as buyer, school.browser() as friend:
        session = await school.begin(buyer, gift="1", recipient_email="friend@example.com")
        school.pay(session)
        await school.settle()
        token = school.claim_token("friend@example.com")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.deliver()
        opened, _ = await asyncio.gather(
            friend.post("/api/claims", json={"token": token, **BODY}), run_due(school.service, HANDLERS)
        )
        await school.work()
        assert (await school.order(session)).state == "refunded"
        assert (await friend.get(LESSON_ADDRESS)).status_code == (403 if opened.status_code == 200 else 401)


async def test_clicks_of_one_browser_at_once_get_one_payment_page(school: School) -> None:
    async with school.browser() as buyer:
        await buyer.post("/api/checkout", data={"course": "git-for-writers"})  # now it has its mark
        first, second = await asyncio.gather(*(_buy(buyer) for _ in range(2)))
        assert first == second
        assert len([order for order in await school.rows(Order) if order.amount == 4900]) == 1


async def _buy(browser: httpx.AsyncClient) -> str:
    return (await browser.post("/api/checkout", data={"course": SOURDOUGH})).headers["location"]
