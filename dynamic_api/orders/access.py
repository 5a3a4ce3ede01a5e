"""The rule that says whether an order grants access; entitlements, links, emails and pages ask it."""

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.models import Course, Installation, Order
from dynamic_api.core.states import OrderState
from dynamic_api.orders.state import PAID_STATES


async def grants_access(db: AsyncSession, order: Order) -> bool:
    """Whether what this order paid for may be used now."""
    course = await db.get_one(Course, order.course_id)
    installation = await db.get_one(Installation, 1)
    if order.livemode is not None and installation.livemode not in (None, order.livemode):
        return False  # test money opens nothing in a live school, and the other way round
    return grants(
        order.state,
        is_withdrawn=order.withdrawn_at is not None,
        partial_refund_keeps_access=course.partial_refund_keeps_access,
    )


def grants(state: OrderState, *, is_withdrawn: bool, partial_refund_keeps_access: bool) -> bool:
    """It is paid, the operator has not withdrawn it, and a partial refund keeps access to its course."""
    if is_withdrawn or state not in PAID_STATES:
        return False
    return state is OrderState.PAID or partial_refund_keeps_access
