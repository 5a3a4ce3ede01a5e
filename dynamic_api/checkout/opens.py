"""Whether an order opens its course: the one answer, for access, links, letters and pages."""

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.checkout.order_state import OrderState
from dynamic_api.models import Course, Order


async def opens(db: AsyncSession, order: Order) -> bool:
    """It is paid for, the operator has not taken it back, and its course keeps those who got a part of their money."""
    state = OrderState(order.state)
    if not state.gives_access or order.withdrawn_at is not None:
        return False
    if state is not OrderState.PARTIALLY_REFUNDED:
        return True
    return (await db.get_one(Course, order.course_id)).partial_refund_keeps_access
