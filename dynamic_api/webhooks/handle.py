"""An event is a hint: it names a payment, and the order of that payment is brought in step with Stripe."""

import json
from typing import Any

from sqlalchemy import select

from dynamic_api.checkout.reconcile import reconcile_order
from dynamic_api.gateways.payments import EventFacts, read_event_facts
from dynamic_api.models import Order, WebhookEvent
from dynamic_api.service import Service

HANDLED = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)


async def handle_event_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `stripe.event`. Marks the event handled only when everything it caused is committed."""
    async with service.database.reading() as db:
        event = await db.get_one(WebhookEvent, payload["event_id"])
    outcome = await _handle(service, event)
    async with service.database.transaction() as db:
        stored = await db.get_one(WebhookEvent, event.id)
        stored.handled_at, stored.outcome = service.clock(), outcome


async def _handle(service: Service, event: WebhookEvent) -> str:
    if event.type not in HANDLED:
        return "not a kind we act on"
    if event.livemode != service.gateways.payments.livemode:
        return "made in Stripe's other mode, not by this installation"
    facts, _ = read_event_facts(json.loads(event.payload))
    order_id = await _order_of(service, facts)
    if order_id is None:
        return "not a payment of this installation"
    state = await reconcile_order(
        service.database, service.gateways.payments, order_id, now=service.clock(), actor=f"stripe:{event.id}"
    )
    return f"order is {state}"


async def _order_of(service: Service, facts: EventFacts) -> int | None:
    """The order an event is about, found through Stripe where we have not seen its payment yet."""
    session_id, public_id = facts.session_id, None
    async with service.database.reading() as db:
        if session_id is None and facts.payment_intent_id is not None:
            known = await db.scalar(select(Order.id).where(Order.payment_intent_id == facts.payment_intent_id))
            if known is not None:
                return known
    if session_id is None and facts.payment_intent_id is not None:
        found = await service.gateways.payments.session_of(facts.payment_intent_id)
        session_id, public_id = found or (None, None)
    if session_id is None:
        return None
    async with service.database.reading() as db:
        known = await db.scalar(select(Order.id).where(Order.session_id == session_id))
    if known is not None:
        return known
    return await _adopt(service, session_id, public_id)


async def _adopt(service: Service, session_id: str, public_id: str | None) -> int | None:
    """A session whose id we never stored: the service died between Stripe's answer and our second write."""
    if public_id is None:
        public_id = (await service.gateways.payments.facts(session_id)).order_id
    if public_id is None:
        return None
    async with service.database.transaction() as db:
        order = await db.scalar(select(Order).where(Order.public_id == public_id).with_for_update())
        if order is None or order.session_id not in (None, session_id):
            return None
        order.session_id = session_id
        return order.id
