"""Two payments by one person for the same courses: found, and told to the person and to the operator."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.messages import PaidTwice, PaidTwiceNotice, queue_message
from dynamic_api.core.models import Order
from dynamic_api.orders.access import granting_lines


async def tell_of_double(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """Tell both, once for each order, where everything that an order sold was paid for before."""
    if await earlier_payment(db, order) is not None:
        for message in (PaidTwice, PaidTwiceNotice):
            await queue_message(db, message.about(order), now=now)


async def earlier_payment(db: AsyncSession, order: Order) -> Order | None:
    """The earlier order that the same person paid for the same courses, while both are paid."""
    if order.is_gift or not order.total_amount:
        return None
    whose = [Order.buyer_email_key == order.buyer_email_key] if order.buyer_email_key else []
    if order.owner_id is not None:
        whose.append(Order.owner_id == order.owner_id)
    wanted = {line.course_id for line in await granting_lines(db, order)}
    if not whose or not wanted:
        return None
    before = select(Order).where(Order.id < order.id, Order.is_gift.is_(False), Order.total_amount > 0, or_(*whose))
    for other in await db.scalars(before.order_by(Order.id.desc())):
        if wanted <= {line.course_id for line in await granting_lines(db, other)}:
            return other
    return None
