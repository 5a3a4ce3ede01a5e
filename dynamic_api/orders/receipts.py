"""What somebody paid. Everything shown was stored when the order was paid; Stripe is not asked."""

from typing import NamedTuple

from sqlalchemy import bindparam, func, select

from dynamic_api.core.models import Order
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import timestamp_text
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId


class ReceiptRow(NamedTuple):
    """A paid or refunded order. Amounts in minor units."""

    order: PublicOrderId
    course_id: int
    is_gift: bool
    state: OrderState
    total_amount: int
    refunded_amount: int
    currency: str
    paid_at: str
    refunded_at: str | None
    receipt_url: str


# Paid or refunded orders with a total above 0, newest first; a gift is on its giver's list.
RECEIPTS = Query(
    select(
        Order.public_id.label("order"),
        Order.course_id,
        Order.is_gift,
        Order.state,
        Order.total_amount,
        Order.refunded_amount,
        func.coalesce(Order.total_currency, Order.currency).label("currency"),
        timestamp_text(Order.paid_at).label("paid_at"),
        timestamp_text(Order.refunded_at).label("refunded_at"),
        Order.receipt_url,
    )
    .where(Order.buyer_id == bindparam("buyer_id"), Order.paid_at.is_not(None), Order.total_amount > 0)
    .where(Order.receipt_url.is_not(None))
    .order_by(Order.paid_at.desc(), Order.id.desc()),
    ReceiptRow,
)
