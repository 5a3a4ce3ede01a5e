"""Access: the one answer to "may they?", and the only functions that change it.

A row says what one source gave one learner. Ending a source ends what it gave and nothing else.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.models import Entitlement, Order

_BY_OPERATOR = "operator: "


def live_sources(user_id: Any, course_id: Any) -> Select[int]:
    """What gives a learner a course now; the ids may be columns or parameters of a larger statement."""
    return select(Entitlement.id).where(
        Entitlement.user_id == user_id, Entitlement.course_id == course_id, Entitlement.revoked_at.is_(None)
    )


async def may_watch(db: AsyncSession, user_id: int, course_id: int) -> bool:
    """Whether any source gives this learner this course now."""
    return (await db.scalar(live_sources(user_id, course_id).limit(1))) is not None


async def courses_of(db: AsyncSession, user_id: int) -> set[int]:
    """The ids of all courses this learner may watch."""
    live = select(Entitlement.course_id).where(Entitlement.user_id == user_id, Entitlement.revoked_at.is_(None))
    return set(await db.scalars(live))


async def grant_for_order(db: AsyncSession, order: Order, *, at: datetime, actor: str) -> bool:
    """Give the order's owner what it paid for. True when that changed anything."""
    if order.user_id is None:
        raise ValueError("an order without an owner cannot grant")
    return await _grant(
        db, order.user_id, order.course_id, f"order:{order.public_id}", at=at, actor=actor, order_id=order.id
    )


def is_by_operator(reason: str | None) -> bool:
    """Whether it was the operator who took a course away."""
    return reason is not None and reason.startswith(_BY_OPERATOR)


async def grant_by_operator(db: AsyncSession, user_id: int, course_id: int, *, at: datetime, reason: str) -> bool:
    """Give a course by the operator's word; lifts what the operator took. True when that changed anything."""
    held = select(Entitlement).where(Entitlement.user_id == user_id, Entitlement.course_id == course_id)
    for row in await db.scalars(held):
        if is_by_operator(row.reason):
            row.reason = None
    return await _grant(db, user_id, course_id, "operator", at=at, actor="operator", reason=reason)


async def _grant(
    db: AsyncSession,
    user_id: int,
    course_id: int,
    source: str,
    *,
    at: datetime,
    actor: str,
    order_id: int | None = None,
    **details: str,
) -> bool:
    row = await db.scalar(
        select(Entitlement).where(
            Entitlement.user_id == user_id, Entitlement.course_id == course_id, Entitlement.source == source
        )
    )
    action = Action.ACCESS_GRANTED
    if row is None:
        db.add(Entitlement(user_id=user_id, course_id=course_id, source=source, order_id=order_id, granted_at=at))
    elif row.revoked_at is not None and not is_by_operator(row.reason):
        row.revoked_at, row.reason = None, None
        action = Action.ACCESS_RESTORED
    else:
        return False
    record(db, action, at=at, actor=actor, user_id=user_id, course_id=course_id, order_id=order_id, **details)
    return True


async def revoke_for_order(db: AsyncSession, order: Order, *, at: datetime, actor: str, reason: str) -> bool:
    """Take back what the order gave, and nothing else. True when that changed anything."""
    live = select(Entitlement).where(Entitlement.order_id == order.id, Entitlement.revoked_at.is_(None))
    return bool([_revoke(db, row, at=at, actor=actor, reason=reason) for row in await db.scalars(live)])


async def revoke_by_operator(db: AsyncSession, user_id: int, course_id: int, *, at: datetime, reason: str) -> int:
    """Take a course away, whatever gave it, also what is suspended now: no payment brings it back by itself.

    Returns how many sources ended.
    """
    held = select(Entitlement).where(Entitlement.user_id == user_id, Entitlement.course_id == course_id)
    rows = [row for row in await db.scalars(held) if not (row.revoked_at is not None and is_by_operator(row.reason))]
    for row in rows:
        _revoke(db, row, at=at, actor="operator", reason=f"{_BY_OPERATOR}{reason}")
    return len(rows)


def _revoke(db: AsyncSession, row: Entitlement, *, at: datetime, actor: str, reason: str) -> bool:
    row.revoked_at, row.reason = at, reason[:200]
    record(
        db,
        Action.ACCESS_REVOKED,
        at=at,
        actor=actor,
        user_id=row.user_id,
        course_id=row.course_id,
        order_id=row.order_id,
        reason=reason,
    )
    return True
