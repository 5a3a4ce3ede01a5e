"""What somebody paid. Everything shown was stored when the order was paid."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.clock import timestamp
from dynamic_api.models import Order, User


async def receipts_of(db: AsyncSession, user: User) -> list[Order]:
    """Paid or refunded orders with a total above 0, the newest first; gifts among them, for whoever gave them."""
    wanted = (
        select(Order)
        .where(Order.buyer_id == user.id, Order.paid_at.is_not(None), Order.total_amount > 0)
        .where(Order.receipt_url.is_not(None))
        .order_by(Order.paid_at.desc(), Order.id.desc())
    )
    return list(await db.scalars(wanted))


def describe_receipt(order: Order, course_title: str) -> dict[str, Any]:
    """A receipt as the web shows it. Amounts in minor units."""
    return {
        "order": order.public_id,
        "course_title": course_title,
        "is_gift": order.is_gift,
        "state": order.state,
        "total_amount": order.total_amount,
        "refunded_amount": order.refunded_amount,
        "currency": order.total_currency or order.currency,
        "paid_at": timestamp(order.paid_at),
        "receipt_url": order.receipt_url,
    }
