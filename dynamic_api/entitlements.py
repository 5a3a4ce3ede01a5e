"""Access: the one answer to "may they?", and the only functions that change it.

A row says what one source gave one learner. Ending a source ends what it gave and nothing else.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.models import Entitlement, Order


async def may_watch(db: AsyncSession, user_id: int, course_id: int) -> bool:
    """Whether any source gives this learner this course now."""
    live = select(Entitlement.id).where(
        Entitlement.user_id == user_id, Entitlement.course_id == course_id, Entitlement.revoked_at.is_(None)
    )
    return (await db.scalar(live.limit(1))) is not None


async def courses_of(db: AsyncSession, user_id: int) -> set[int]:
    """The ids of all courses this learner may watch."""
    live = select(Entitlement.course_id).where(Entitlement.user_id == user_id, Entitlement.revoked_at.is_(None))
    return set(await db.scalars(live))


async def grant_for_order(db: AsyncSession, order: Order, *, at: datetime, actor: str) -> bool:
    """Give the order's owner what it paid for. True when that changed anything."""
    if order.user_id is None:
        raise ValueError("an order without an owner cannot grant")
    row = await db.scalar(select(Entitlement).where(Entitlement.order_id == order.id))
    if row is None:
        row = Entitlement(
            user_id=order.user_id,
            course_id=order.course_id,
            source=f"order:{order.public_id}",
            order_id=order.id,
            granted_at=at,
        )
        db.add(row)
        action = Action.ACCESS_GRANTED
    elif row.revoked_at is not None:
        row.revoked_at, row.reason = None, None
        action = Action.ACCESS_RESTORED
    else:
        return False
    record(db, action, at=at, actor=actor, user_id=order.user_id, course_id=order.course_id, order_id=order.id)
    return True


async def revoke_for_order(db: AsyncSession, order: Order, *, at: datetime, actor: str, reason: str) -> bool:
    """Take back what the order gave. True when that changed anything."""
    row = await db.scalar(select(Entitlement).where(Entitlement.order_id == order.id))
    if row is None or row.revoked_at is not None:
        return False
    row.revoked_at, row.reason = at, reason
    record(
        db,
        Action.ACCESS_REVOKED,
        at=at,
        actor=actor,
        user_id=row.user_id,
        course_id=row.course_id,
        order_id=order.id,
        reason=reason,
    )
    return True
