"""Stripe's webhooks: forged, stale, doubled, late, out of order, at the same moment."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import stripe

from dynamic_api.core.models import Entitlement, Job, Order, WebhookEvent
from dynamic_api.webhooks.events import handle_again
from dynamic_api.webhooks.replay import NotEmpty, replay_into_empty
from scripts.sandbox.deliveries import signed
from tests.gates import GatedPayments
from tests.school import WEBHOOK_SECRET, School

pytestmark = pytest.mark.postgresql


async def post(school: School, body: bytes, signature: str) -> int:
    async with school.browser() as client:
        answer = await client.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": signature})
        return answer.status_code


async def paid_event(school: School) -> dict[str, object]:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
    events = {event["type"]: event for event in school.bank.emitted}
    school.bank.emitted = []
    return events["checkout.session.completed"]


async def test_forged_stale_and_altered_are_refused(school: School) -> None:
    event = await paid_event(school)
    body, good = signed(event, WEBHOOK_SECRET)
    forged = signed(event, "whsec_guess")[1]
    stale = stripe.WebhookSignature.generate_signature_header(
        body.decode(), WEBHOOK_SECRET, timestamp=int(time.time()) - 301
    )
    for payload, signature in (
        (body, forged),
        (body, stale),
        (body.replace(b"4900", b"0001"), good),
        (body, ""),
        (b"", good),
    ):
        assert await post(school, payload, signature) == 400
    assert await school.rows(WebhookEvent) == []
    assert await school.rows(Job) == []
    assert await post(school, body, good) == 200


async def test_each_of_two_secrets_is_good_while_one_is_replaced(school: School) -> None:
    body, signature = signed(await paid_event(school), "whsec_other")
    assert await post(school, body, signature) == 200


async def test_replayed_and_simultaneous_deliveries_are_one(school: School) -> None:
    event = await paid_event(school)
    answers = await asyncio.gather(*(school.deliver([event]) for _ in range(20)))
    assert {answer.status_code for [answer] in answers} == {200}
    assert sum(answer.json()["new"] for [answer] in answers) == 1
    await school.work()
    await school.deliver([event])
    await school.work()
    [stored] = await school.rows(WebhookEvent)
    assert stored.handled_at is not None
    assert json.loads(stored.payload)["id"] == stored.id
    assert len(school.mails()) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_any_order_ends_the_same(school: School, order: tuple[int, ...]) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        school.bank.refund(session["payment_intent"], amount=None)
        kinds = ("checkout.session.completed", "refund.created", "charge.refunded")
        events = {event["type"]: event for event in school.bank.emitted}
        school.bank.emitted = []
        for index in order:
            await school.deliver([events[kinds[index]]])
            await school.work()
        assert (await school.order(session)).state == "refunded"
        assert await school.rows(Entitlement) == []
        assert [mail["subject"].split(":")[0] for mail in school.mails()] == ["Refunded"]


async def test_a_replay_after_a_refund_grants_nothing(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        completed = school.bank.emitted[-1]
        await school.settle()
        assert (await school.claim(browser, session)).status_code == 200
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        await school.deliver([{**completed, "id": "evt_another_name"}])
        await school.work()
        [entitlement] = await school.rows(Entitlement)
        assert entitlement.revoked_at is not None
        assert (await school.order(session)).owner_id is not None


async def test_sessions_of_others_are_kept_and_left_alone(school: School) -> None:
    event = await paid_event(school)
    thing = event["data"]["object"]  # type: ignore[index]
    thing.update(id="cs_test_of_somebody_else", metadata={"shop": "other"}, payment_intent=None)
    foreign = dict(thing)
    school.bank.store.add(foreign)
    await school.deliver([{**event, "id": "evt_foreign"}])
    await school.work()
    [stored] = await school.rows(WebhookEvent)
    assert stored.outcome == "not a payment of this installation"
    assert await school.rows(Entitlement) == []


async def test_events_of_the_other_mode_are_kept_and_left_alone(school: School) -> None:
    event = await paid_event(school)
    await school.deliver([{**event, "id": "evt_live", "livemode": True}])
    await school.work()
    [stored] = await school.rows(WebhookEvent)
    assert stored.outcome == "made in Stripe's other mode, not by this installation"
    assert (await school.rows(Order))[0].state == "pending"


async def test_a_body_of_50_mb_is_refused(school: School) -> None:
    async with school.browser() as client:
        for address in ("/webhooks/stripe", "/api/checkout", "/api/v1/mobile/auth/login", "/api/session"):
            answer = await client.post(address, content=b"x" * 50_000_000)
            assert answer.status_code == 413
            assert answer.json()["error"]["code"] == "body_too_large"

        async def trickle() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 20_000

        answer = await client.post("/api/session", content=trickle())
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_large"


async def test_payments_that_have_no_order_here_are_kept_and_left_alone(school: School) -> None:
    """A session without our reference, and a refund of a payment that no page of ours took."""
    event = await paid_event(school)
    thing = event["data"]["object"]  # type: ignore[index]
    foreign = {**thing, "id": "cs_test_other", "client_reference_id": None, "metadata": {}, "payment_intent": None}
    school.bank.store.add(foreign)
    charge = {"id": "ch_other", "object": "charge", "payment_intent": "pi_other", "metadata": {}}
    school.bank.store.add({"id": "pi_other", "object": "payment_intent", "metadata": {}})
    await school.deliver(
        [
            {**event, "id": "evt_session", "data": {"object": foreign}},
            {**event, "id": "evt_refund", "type": "charge.refunded", "data": {"object": charge}},
        ]
    )
    await school.work()
    outcomes = {row.id: row.outcome for row in await school.rows(WebhookEvent)}
    assert set(outcomes.values()) == {"not a payment of this installation"}
    assert len(outcomes) == 2


async def test_a_session_that_names_an_order_of_ours_is_not_taken_for_its_own(school: School) -> None:
    """Another program in the same Stripe account cannot pay our order with a session it made."""
    event = await paid_event(school)
    ours = event["data"]["object"]  # type: ignore[index]
    theirs = {**ours, "id": "cs_test_copy", "payment_intent": None}
    school.bank.store.add(theirs)
    await school.deliver([{**event, "id": "evt_copy", "data": {"object": theirs}}])
    await school.work()
    [order] = await school.rows(Order)
    assert (order.session_id, order.state) == (ours["id"], "pending")


async def test_one_event_can_be_handled_again(school: School) -> None:
    event = await paid_event(school)
    await school.deliver([event, {**event, "id": "evt_second"}])
    await school.work()
    async with school.service.database.transaction() as db:
        again = await handle_again(db, event_id="evt_second", only_unhandled=False, now=school.clock())
    assert again == 1
    [job] = [job for job in await school.rows(Job) if job.state == "waiting"]
    assert job.payload == {"event_id": "evt_second", "again": True}


async def test_a_replay_needs_an_empty_database(school: School) -> None:
    await paid_event(school)
    with pytest.raises(NotEmpty):
        await replay_into_empty(school.service, school.service.database, seed=1)


async def test_all_events_about_one_payment_ask_stripe_once(school: School) -> None:
    payments = GatedPayments(school.service.settings)
    school.use(gateways=replace(school.service.gateways, payments=payments))
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        for _ in range(3):
            school.bank.refund(session["payment_intent"], amount=100)
        await school.deliver()
        await school.work()
    assert payments.asked == 1
    events = await school.rows(WebhookEvent)
    assert all(event.handled_at for event in events)
    assert len([event for event in events if event.outcome == "order is partially_refunded"]) >= 7
    [completed] = [event.id for event in events if event.type == "checkout.session.completed"]
    async with school.service.database.transaction() as db:
        await handle_again(db, event_id=completed, only_unhandled=False, now=school.clock())
    await school.work()
    assert payments.asked == 2, "asked again only because somebody said so"


async def test_what_came_while_stripe_was_asked_is_handled_by_itself(school: School) -> None:
    """The answer may be older than it."""
    payments = GatedPayments(school.service.settings)
    school.use(gateways=replace(school.service.gateways, payments=payments))
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        await school.deliver()
        payments.gate.close(only_next=True)
        slow = asyncio.create_task(school.work())
        await payments.gate.reached()
        school.bank.refund(session["payment_intent"], amount=None)
        await school.deliver()
        payments.gate.open()
        await slow
        await school.work()
        assert (await school.order(session)).state == "refunded"


async def test_an_event_that_names_no_payment_is_nobodys(school: School) -> None:
    event = await paid_event(school)
    subject = {"id": "re_1", "object": "refund", "payment_intent": None}
    await school.deliver([{**event, "id": "evt_nobody", "type": "refund.created", "data": {"object": subject}}])
    await school.work()
    [stored] = await school.rows(WebhookEvent)
    assert stored.outcome == "not a payment of this installation"
