"""Entitlements: who may watch which course, and the only functions that change it.

A row says what one source, such as an order, granted one learner. Ending a source ends only what it granted.
"""

from datetime import datetime

from sqlalchemy import Exists, Select, SQLColumnExpression, bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.models import Entitlement, Order, OrderLine, User

_BY_OPERATOR = "operator: "


def may_watch_course(user_id: SQLColumnExpression[int]) -> Exists:
    """Whether any source grants a learner `course_id` now, as a column of a larger statement."""
    return exists().where(
        Entitlement.user_id == user_id,
        Entitlement.course_id == bindparam("course_id"),
        Entitlement.revoked_at.is_(None),
    )


async def courses_of(db: AsyncSession, user_id: int) -> set[int]:
    """The ids of all courses this learner may watch."""
    active = select(Entitlement.course_id).where(Entitlement.user_id == user_id, Entitlement.revoked_at.is_(None))
    return set(await db.scalars(active))


async def grant_line(db: AsyncSession, order: Order, line: OrderLine, *, at: datetime, actor: str) -> bool:
    """Grant the order’s owner what a line sold, unless the account was deleted. True when it changed anything."""
    if order.owner_id is None:
        raise ValueError("an order without an owner cannot grant")
    return await _grant(db, order.owner_id, line.course_id, f"order:{order.public_id}", at=at, actor=actor, line=line)


def is_by_operator(reason: str | None) -> bool:
    """Whether it was the operator who revoked access."""
    return reason is not None and reason.startswith(_BY_OPERATOR)


async def grant_by_operator(db: AsyncSession, user_id: int, course_id: int, *, at: datetime, reason: str) -> bool:
    """Grant a course by the operator's decision; lifts what the operator revoked. True when that changed anything."""
    for row in await db.scalars(_held(user_id, course_id)):
        if is_by_operator(row.reason):
            row.reason = None
    return await _grant(db, user_id, course_id, OPERATOR, at=at, actor=OPERATOR, reason=reason)


async def _grant(
    db: AsyncSession,
    user_id: int,
    course_id: int,
    source: str,
    *,
    at: datetime,
    actor: str,
    line: OrderLine | None = None,
    **details: str,
) -> bool:
    if (await db.get_one(User, user_id)).email.is_deleted:
        return False
    row = await db.scalar(_held(user_id, course_id).where(Entitlement.source == source))
    action = Action.ACCESS_GRANTED
    if row is None:
        line_id = line.id if line else None
        db.add(Entitlement(user_id=user_id, course_id=course_id, source=source, line_id=line_id, granted_at=at))
    elif row.revoked_at is not None and not is_by_operator(row.reason):
        row.revoked_at, row.reason = None, None
        action = Action.ACCESS_RESTORED
    else:
        return False
    order_id = line.order_id if line else None
    record(db, action, at=at, actor=actor, user_id=user_id, course_id=course_id, order_id=order_id, **details)
    return True


async def revoke_line(db: AsyncSession, line: OrderLine, *, at: datetime, actor: str, reason: str) -> bool:
    """Revoke what a line granted, and nothing else. True when that changed anything."""
    granted = select(Entitlement).where(Entitlement.line_id == line.id, Entitlement.revoked_at.is_(None))
    active = list(await db.scalars(granted))
    for row in active:
        await _revoke(db, row, at=at, actor=actor, reason=reason)
    return bool(active)


async def revoke_by_operator(db: AsyncSession, user_id: int, course_id: int, *, at: datetime, reason: str) -> int:
    """Revoke a course, whatever granted it, including suspended access; no payment restores it by itself.

    Returns how many sources ended.
    """
    rows = [
        row
        for row in await db.scalars(_held(user_id, course_id))
        if row.revoked_at is None or not is_by_operator(row.reason)
    ]
    for row in rows:
        await _revoke(db, row, at=at, actor=OPERATOR, reason=f"{_BY_OPERATOR}{reason}")
    return len(rows)


def _held(user_id: int, course_id: int) -> Select[Entitlement]:
    """Everything that ever granted a learner a course."""
    return select(Entitlement).where(Entitlement.user_id == user_id, Entitlement.course_id == course_id)


async def _revoke(db: AsyncSession, row: Entitlement, *, at: datetime, actor: str, reason: str) -> None:
    line = await db.get_one(OrderLine, row.line_id) if row.line_id is not None else None
    row.revoked_at, row.reason = at, reason[:200]
    record(
        db,
        Action.ACCESS_REVOKED,
        at=at,
        actor=actor,
        user_id=row.user_id,
        course_id=row.course_id,
        order_id=line.order_id if line else None,
        reason=reason,
    )
