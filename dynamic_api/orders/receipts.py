"""What somebody paid. Everything shown was stored when the order was paid; Stripe is not asked."""

from typing import NamedTuple

from sqlalchemy import ScalarSelect, SQLColumnExpression, bindparam, func, select

from dynamic_api.core.models import Order, OrderLine
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import lines_by_key, timestamp_text
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId
from dynamic_api.service import Service


class ReceiptRow(NamedTuple):
    """A paid or refunded order. Amounts in minor units."""

    order: PublicOrderId
    courses: str  # lines of `position:course id`
    is_gift: bool
    state: OrderState
    total_amount: int
    refunded_amount: int
    currency: str
    paid_at: str
    refunded_at: str | None
    receipt_url: str
    has_invoice: bool

    @property
    def course_ids(self) -> list[int]:
        """What it is for, in the order of the order's lines."""
        return [int(each) for each in values_by_position(self.courses)]


def lines_of_order(value: SQLColumnExpression[int] | SQLColumnExpression[str]) -> ScalarSelect[str]:
    """A value of each line of an order, as a column of a statement about orders: lines of `position:value`."""
    each = lines_by_key(OrderLine.position, value)
    return select(each).where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()


def values_by_position(found: str) -> list[str]:
    """The values of that column, in the order of the lines."""
    pairs = (line.split(":", 1) for line in found.splitlines())
    return [value for _, value in sorted(pairs, key=lambda pair: int(pair[0]))]


# Paid or refunded orders with a total above 0, newest first; a gift is on its giver's list.
RECEIPTS = Query(
    select(
        Order.public_id.label("order"),
        lines_of_order(OrderLine.course_id).label("courses"),
        Order.is_gift,
        Order.state,
        Order.total_amount,
        Order.refunded_amount,
        func.coalesce(Order.total_currency, Order.currency).label("currency"),
        timestamp_text(Order.paid_at).label("paid_at"),
        timestamp_text(Order.refunded_at).label("refunded_at"),
        Order.receipt_url,
        Order.invoice_id.is_not(None).label("has_invoice"),
    )
    .where(Order.buyer_id == bindparam("buyer_id"), Order.paid_at.is_not(None), Order.total_amount > 0)
    .where(Order.receipt_url.is_not(None))
    .order_by(Order.paid_at.desc(), Order.id.desc()),
    ReceiptRow,
)


class _Invoice(NamedTuple):
    invoice_id: str


_INVOICE = Query(
    select(Order.invoice_id).where(
        Order.buyer_id == bindparam("buyer_id"),
        Order.public_id == bindparam("public_id"),
        Order.invoice_id.is_not(None),
    ),
    _Invoice,
)


async def find_invoice(service: Service, user_id: int, public_id: str) -> str | None:
    """Stripe's id of the invoice of an order that this person paid."""
    row = await service.reader.one(_INVOICE, buyer_id=user_id, public_id=public_id)
    return row.invoice_id if row else None
