"""An event is a hint: it names a payment, and the order of that payment is reconciled with Stripe."""

import json

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.privacy import without_person
from dynamic_api.core.models import Order, WebhookEvent
from dynamic_api.gateways.payment_facts import read_event_facts
from dynamic_api.orders.find import find_order
from dynamic_api.orders.reconcile import reconcile_order
from dynamic_api.service import Service
from dynamic_api.webhooks.events import HandleEvent

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


async def handle_event(service: Service, job: HandleEvent) -> None:
    """The job `stripe.event`. Marks the event as handled only when everything it caused is committed."""
    async with service.database.reading() as db:
        event = await db.get_one(WebhookEvent, job.event_id)
    outcome = await _handle(service, event)
    async with service.database.transaction() as db:
        stored = await db.get_one(WebhookEvent, event.id)
        stored.handled_at, stored.outcome = service.clock(), outcome
        if await _buyer_was_deleted(db, stored):
            stored.payload = without_person(stored.payload)


async def _buyer_was_deleted(db: AsyncSession, event: WebhookEvent) -> bool:
    """Whether the event arrived after its buyer's account was deleted."""
    facts = read_event_facts(json.loads(event.payload))
    names = [name for name in (facts.session_id, facts.payment_intent_id, facts.object_id) if name]
    about = or_(Order.session_id.in_(names), Order.payment_intent_id.in_(names))
    orders = await db.scalars(select(Order).where(about))
    return any(order.buyer_email is not None and order.buyer_email.is_deleted for order in orders)


async def _handle(service: Service, event: WebhookEvent) -> str:
    if event.type not in HANDLED:
        return "not a kind we act on"
    if event.livemode != service.gateways.payments.livemode:
        return "made in Stripe's other mode, not by this installation"
    facts = read_event_facts(json.loads(event.payload))
    order = await find_order(service, session_id=facts.session_id, payment_intent_id=facts.payment_intent_id)
    if order is None:
        return "not a payment of this installation"
    state = await reconcile_order(service, order.id, actor=f"stripe:{event.id}")
    return f"order is {state}"
