"""Finds the order that a payment at Stripe belongs to, through Stripe where we have not seen the payment yet; and what
Stripe told about an order."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, or_, select

from dynamic_api.core.models import Order, WebhookEvent
from dynamic_api.gateways.payment_errors import PaymentMissing
from dynamic_api.service import Service


async def find_order(
    service: Service,
    *,
    session_id: str | None,
    payment_intent_id: str | None,
    public_id: str | None = None,
    adopt: bool = True,
) -> Order | None:
    """The order of a Checkout Session or a payment; None when something else made it. Raises PaymentsUnavailable.

    With `adopt`, an order that never learned its session's id is told it.
    """
    if session_id is None and payment_intent_id is not None:
        async with service.database.reading() as db:
            known = await db.scalar(select(Order).where(Order.payment_intent_id == payment_intent_id))
        if known is not None:
            return known
        session_id, public_id = await service.gateways.payments.session_of(payment_intent_id) or (None, None)
    if session_id is None:
        return None
    async with service.database.reading() as db:
        known = await db.scalar(select(Order).where(Order.session_id == session_id))
    return known or await _find_orphan(service, session_id, public_id, adopt=adopt)


async def _find_orphan(service: Service, session_id: str, public_id: str | None, *, adopt: bool) -> Order | None:
    """The order of a session whose id was never stored: the service died between Stripe's answer and our next write."""
    if public_id is None:
        try:
            public_id = (await service.gateways.payments.facts(session_id)).order_id
        except PaymentMissing:
            return None  # made in another account, or in the other mode of this one
    if public_id is None:
        return None
    async with service.database.transaction() as db:
        order = await db.scalar(select(Order).where(Order.public_id == public_id).with_for_update())
        if order is None or order.session_id not in (None, session_id):
            return None
        if adopt:
            order.session_id = session_id
        return order


def events_about(orders: Sequence[Order]) -> ColumnElement[bool]:
    """What Stripe told about these orders, as a condition of a statement; found by index."""
    sessions = [order.session_id for order in orders if order.session_id]
    payments = [order.payment_intent_id for order in orders if order.payment_intent_id]
    return or_(WebhookEvent.session_id.in_(sessions), WebhookEvent.payment_intent_id.in_(payments))
