"""Giving money back, from the command line: the whole of an order, or one of its lines."""

import secrets

from sqlalchemy import select

from dynamic_api.core.models import Order
from dynamic_api.core.tokens import parse_public_order_id
from dynamic_api.orders.reconcile import reconcile_order
from dynamic_api.orders.state import UNPAID_STATES
from dynamic_api.service import Service
from sitegen.catalog.money import format_money


class RefundRefused(Exception):
    """Nothing can be given back; the message says why."""


async def refund_order(service: Service, public_id: str, *, line: int | None = None) -> str:
    """Give back what is left of an order, or of its line of this number. Returns a sentence that says what was done.

    Repeated after an answer that got lost, it finds nothing left. Raises RefundRefused, PaymentsUnavailable, OrderBusy.
    """
    order = await _paid_order(service, public_id)
    if line is not None and not 0 < line <= len(order.lines):
        raise RefundRefused(f"{public_id} has no line {line}; it has {len(order.lines)}.")
    total, returned = order.total_amount or 0, order.refunded_amount
    if line is not None:
        if order.refunded_amount > sum(each.refunded_amount for each in order.lines):
            raise RefundRefused(
                f"A part of {public_id} went back already, and nobody can tell for which line. Refund the rest of what "
                "you mean in Stripe's dashboard, or the whole order here."
            )
        chosen = order.lines[line - 1]
        total, returned = chosen.total_amount or 0, chosen.refunded_amount
    if order.payment_intent_id is None or returned >= total:
        raise RefundRefused(f"Nothing is left to refund of {public_id}.")
    await service.gateways.payments.refund(
        order.payment_intent_id,
        amount=total - returned,
        line=line,
        key=f"refund-{public_id}-{secrets.token_hex(8)}",
    )
    await reconcile_order(service, order.id, actor="operator")
    amount = format_money(total - returned, order.total_currency or order.currency)
    return f"{amount} of {public_id} goes back to {order.buyer_email or 'its buyer'}."


async def _paid_order(service: Service, public_id: str) -> Order:
    """The order, as Stripe has it now."""
    name = parse_public_order_id(public_id)
    of_this_name = select(Order).where(Order.public_id == (name or ""))
    async with service.database.reading() as db:
        order = await db.scalar(of_this_name)
    if order is None:
        raise RefundRefused(f"There is no order {public_id}.")
    if order.session_id is not None:
        await reconcile_order(service, order.id, actor="operator")
    async with service.database.reading() as db:
        order = (await db.scalars(of_this_name)).one()
    if order.state in UNPAID_STATES:
        raise RefundRefused(f"{public_id} was not paid: it is {order.state}.")
    return order
