"""The rule that says what an order's lines grant; entitlements, links, emails and pages ask it."""

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.models import Course, Installation, Order, OrderLine
from dynamic_api.core.states import OrderState
from dynamic_api.orders.state import PAID_STATES


async def grants_access(db: AsyncSession, order: Order) -> bool:
    """Whether any of what this order paid for may be used now."""
    return bool(await granting_lines(db, order))


async def granting_lines(db: AsyncSession, order: Order) -> list[OrderLine]:
    """The lines whose course may be used now."""
    installation = await db.get_one(Installation, 1)
    if order.livemode is not None and installation.livemode not in (None, order.livemode):
        return []  # test money opens nothing in a live school, and the other way round
    return [line for line in order.lines if await _grants(db, line)]


async def _grants(db: AsyncSession, line: OrderLine) -> bool:
    course = await db.get_one(Course, line.course_id)
    return grants(
        line.state,
        is_withdrawn=line.withdrawn_at is not None,
        partial_refund_keeps_access=course.partial_refund_keeps_access,
    )


def grants(state: OrderState, *, is_withdrawn: bool, partial_refund_keeps_access: bool) -> bool:
    """It is paid, the operator has not withdrawn it, and a partial refund keeps access to its course."""
    if is_withdrawn or state not in PAID_STATES:
        return False
    return state is OrderState.PAID or partial_refund_keeps_access
