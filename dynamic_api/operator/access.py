"""Access by the operator's word: given, taken, moved to another address."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

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
        owner_email=email.strip(), owner_email_key=email_key(email),
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


def _theirs(
    column: InstrumentedAttribute[int | None], user_id: int | None, address: InstrumentedAttribute[str | None], key: str
) -> ColumnElement[bool]:
    """What belongs to an account, or waits for its address."""
    waiting = column.is_(None) & (address == key)
    return waiting if user_id is None else or_(column == user_id, waiting)


async def move(db: AsyncSession, source: str, target: str, *, now: datetime) -> str:
    """Bring everything bought under one address, or given to it, to another account.

    Raises NoSuchLearner for the second.
    """
    new = await learner(db, target)
    old = await find_user(db, source)
    key, old_id = email_key(source), old.id if old else None
    owned = _theirs(Order.user_id, old_id, Order.owner_email_key, key)
    paid_for = _theirs(Order.buyer_id, old_id, Order.email_key, key)
    mine, bought = [set(await db.scalars(select(Order.id).where(each))) for each in (owned, paid_for)]
    moved = 0
    for order in await db.scalars(select(Order).where(or_(owned, paid_for)).with_for_update()):
        if order.id in bought:
            order.buyer_id = new.id
        if order.id in mine:
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
