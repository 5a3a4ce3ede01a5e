"""An event is a hint: it names a payment, and the order of that payment is reconciled with Stripe."""

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.privacy import without_person
from dynamic_api.core.models import Order, WebhookEvent
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
    """The job `stripe.event`. Marks the event as handled only when everything it caused is committed.

    Stripe is asked once for all events about a payment that were here before: its answer is newer than each of them.
    """
    async with service.database.reading() as db:
        event = await db.get_one(WebhookEvent, job.event_id)
        if event.handled_at is not None and not job.again:
            return
        together = await _others_about(db, event) if event.type in HANDLED else []
    outcome = await _handle(service, event)
    async with service.database.transaction() as db:
        for name in sorted([event.id, *together]):  # two workers take the rows in one order
            stored = await db.get_one(WebhookEvent, name)
            stored.handled_at, stored.outcome = service.clock(), outcome
            # Who left a payment page is nobody's business; who deleted their account was told so.
            if stored.type == "checkout.session.expired" or await _buyer_was_deleted(db, stored):
                stored.payload = without_person(stored.payload)


async def _others_about(db: AsyncSession, event: WebhookEvent) -> list[str]:
    """The events about the same payment that wait, by the names that this one knows."""
    names = {
        WebhookEvent.session_id: event.session_id,
        WebhookEvent.payment_intent_id: event.payment_intent_id,
    }
    same = [column == name for column, name in names.items() if name is not None]
    if not same:
        return []
    waiting = select(WebhookEvent.id).where(or_(*same), WebhookEvent.handled_at.is_(None), WebhookEvent.id != event.id)
    return list(await db.scalars(waiting.where(WebhookEvent.type.in_(HANDLED))))


async def _buyer_was_deleted(db: AsyncSession, event: WebhookEvent) -> bool:
    """Whether the event arrived after its buyer's account was deleted."""
    names = [name for name in (event.session_id, event.payment_intent_id) if name]
    about = or_(Order.session_id.in_(names), Order.payment_intent_id.in_(names))
    orders = await db.scalars(select(Order).where(about))
    return any(order.buyer_email is not None and order.buyer_email.is_deleted for order in orders)


async def _handle(service: Service, event: WebhookEvent) -> str:
    if event.type not in HANDLED:
        return "not a kind we act on"
    if event.livemode != service.gateways.payments.livemode:
        return "made in Stripe's other mode, not by this installation"
    order = await find_order(service, session_id=event.session_id, payment_intent_id=event.payment_intent_id)
    if order is None:
        return "not a payment of this installation"
    state = await reconcile_order(service, order.id, actor=f"stripe:{event.id}")
    return f"order is {state}"
