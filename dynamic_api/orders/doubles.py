"""Two payments by one person for the same courses: found, and told to the person and to the operator."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.database import take_turns
from dynamic_api.core.messages import PaidTwice, PaidTwiceNotice, queue_message
from dynamic_api.core.models import Order
from dynamic_api.orders.access import granting_lines


async def tell_of_double(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """Tell both, once for each pair, where everything that an order sold was paid for by another one."""
    if order.is_gift or not order.total_amount:
        return
    # Two payments that are settled at once take turns, so that the second sees the first.
    await take_turns(db, f"payments of {order.buyer_email_key or order.owner_id}")
    other = await _other_payment(db, order)
    if other is not None:
        second = max(order, other, key=_paid)
        for message in (PaidTwice, PaidTwiceNotice):
            await queue_message(db, message.about(second), now=now)


async def earlier_payment(db: AsyncSession, order: Order) -> Order | None:
    """The payment by the same person for the same courses that came before, while both are paid."""
    other = await _other_payment(db, order)
    return other if other is not None and _paid(other) < _paid(order) else None


def _paid(order: Order) -> tuple[datetime, int]:
    return order.paid_at or order.created_at, order.id


async def _other_payment(db: AsyncSession, order: Order) -> Order | None:
    whose = [Order.buyer_email_key == order.buyer_email_key] if order.buyer_email_key else []
    if order.owner_id is not None:
        whose.append(Order.owner_id == order.owner_id)
    wanted = {line.course_id for line in await granting_lines(db, order)}
    if not whose or not wanted:
        return None
    others = select(Order).where(Order.id != order.id, Order.is_gift.is_(False), Order.total_amount > 0, or_(*whose))
    for other in await db.scalars(others.order_by(Order.paid_at, Order.id)):
        if wanted <= {line.course_id for line in await granting_lines(db, other)}:
            return other
    return None
