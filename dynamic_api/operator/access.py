"""Access by the operator's word: given, taken, moved to another address."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import entitlements
from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.users import find_user
from dynamic_api.audit import Action, record
from dynamic_api.catalog import LiveCourse
from dynamic_api.checkout.reconcile import settle_access
from dynamic_api.models import Order, User
from dynamic_api.tokens import make_public_id

ACTOR = "operator"


class NoSuchLearner(Exception):
    """No account has this address."""


async def learner(db: AsyncSession, email: str) -> User:
    """The account of an address. Raises NoSuchLearner."""
    user = await find_user(db, email)
    if user is None:
        raise NoSuchLearner(f"There is no account with the address {email}.")
    return user


async def grant(db: AsyncSession, email: str, course: LiveCourse, *, reason: str, now: datetime) -> str:
    """Give a course. Somebody without an account is mailed a link; says what was done."""
    user = await find_user(db, email)
    if user is not None:
        changed = await entitlements.grant_by_operator(db, user.id, course.id, at=now, reason=reason)
        return f"{email} may now watch {course.file.title}." if changed else f"{email} had {course.file.title} already."
    order = Order(
        public_id=make_public_id("ord"), course_id=course.id, email=email.strip(), email_key=email_key(email),
        state="paid", amount=0, currency="EUR", total_amount=0, created_at=now, paid_at=now,
    )  # fmt: skip
    db.add(order)
    await db.flush()
    record(db, Action.ORDER_CREATED, at=now, actor=ACTOR, order_id=order.id, course_id=course.id, reason=reason)
    await settle_access(db, order, now=now, actor=ACTOR)
    return f"{email} has no account yet; a link that opens {course.file.title} is on its way by mail."


async def revoke(db: AsyncSession, email: str, course: LiveCourse, *, reason: str, now: datetime) -> str:
    """Take a course away, whatever gave it; no payment brings it back by itself. Raises NoSuchLearner."""
    user = await learner(db, email)
    count = await entitlements.revoke_by_operator(db, user.id, course.id, at=now, reason=reason)
    if not count:
        return f"{email} did not have {course.file.title}."
    return f"{email} may no longer watch {course.file.title}; {count} source(s) ended. Nothing was refunded."


async def move(db: AsyncSession, source: str, target: str, *, now: datetime) -> str:
    """Bring everything bought under one address to another account. Raises NoSuchLearner for the second."""
    new = await learner(db, target)
    old = await find_user(db, source)
    mine = [Order.email_key == email_key(source), Order.user_id.is_(None)]
    wanted = select(Order).where(*mine)
    if old is not None:
        wanted = select(Order).where(or_(Order.user_id == old.id, (mine[0]) & (mine[1])))
    moved = 0
    for order in await db.scalars(wanted.with_for_update()):
        await entitlements.revoke_for_order(db, order, at=now, actor=ACTOR, reason=f"moved to {target}")
        order.user_id = new.id
        order.revision += 1
        await settle_access(db, order, now=now, actor=ACTOR)
        record(
            db, Action.ORDER_MOVED, at=now, actor=ACTOR, order_id=order.id, user_id=new.id,
            course_id=order.course_id, source=source, target=target,
        )  # fmt: skip
        moved += 1
    return f"{moved} purchase(s) moved from {source} to {target}."
