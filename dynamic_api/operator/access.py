"""Access by the operator's word: given, taken, moved to another address."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from dynamic_api import entitlements
from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.mailed_links import close_links
from dynamic_api.accounts.users import find_user
from dynamic_api.audit import Action, record
from dynamic_api.catalog import LiveCourse
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.order_state import OrderState
from dynamic_api.checkout.reconcile import settle_access
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import Gift, OneTimeLink, Order, User
from dynamic_api.tokens import make_public_id

ACTOR = "operator"


class NoSuchGift(Exception):
    """No such order, or not a gift, or it was opened already."""


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
    if waiting := await _waiting(db, email, course):
        for order in waiting:
            order.withdrawn_at = None
            order.revision += 1
        await enqueue_mail(
            db, "claim", f"claim.{waiting[0].public_id}.{now:%Y%m%d%H%M}", now=now, order_id=waiting[0].id
        )
        record(
            db, Action.ACCESS_GRANTED, at=now, actor=ACTOR, order_id=waiting[0].id, course_id=course.id, reason=reason
        )
        return f"{course.file.title} waits for {email} already; the link is on its way once more."
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
    """Take a course away, whatever gave it, claimed or not; no payment brings it back by itself.

    Raises NoSuchLearner where there is neither an account nor anything that waits for the address.
    """
    waiting = [order for order in await _waiting(db, email, course) if order.withdrawn_at is None]
    user = await find_user(db, email) if waiting else await learner(db, email)
    count = len(waiting)
    if user is not None:
        count += await entitlements.revoke_by_operator(db, user.id, course.id, at=now, reason=reason)
    for order in waiting:
        order.withdrawn_at = now
        order.revision += 1
        await close_links(db, OneTimeLink.order_id == order.id, now=now)
        record(db, Action.ACCESS_REVOKED, at=now, actor=ACTOR, order_id=order.id, course_id=course.id, reason=reason)
    if not count:
        return f"{email} did not have {course.file.title}."
    return f"{email} may no longer watch {course.file.title}; {count} source(s) ended. Nothing was refunded."


async def readdress_gift(db: AsyncSession, public_id: str, email: str, *, now: datetime) -> str:
    """Send a gift to another address, since the first was wrong. Raises NoSuchGift."""
    order = await db.scalar(select(Order).where(Order.public_id == public_id, Order.is_gift).with_for_update())
    if order is None or order.user_id is not None or not await opens(db, order):
        raise NoSuchGift(f"{public_id} is not a gift that waits for its recipient.")
    gift = await db.get_one(Gift, order.id)
    before, order.owner_email, order.owner_email_key = order.owner_email, email.strip(), email_key(email)
    order.revision += 1
    gift.delivered_at = gift.undeliverable_at = None
    await close_links(db, OneTimeLink.order_id == order.id, now=now)
    delay = max(gift.deliver_at - now, timedelta())
    identity = f"gift.{order.public_id}.{order.revision}"
    await enqueue_mail(db, "gift", identity, now=now, delay=delay, order_id=order.id)
    record(
        db, Action.ORDER_MOVED, at=now, actor=ACTOR, order_id=order.id, course_id=order.course_id,
        source=before, target=email.strip(),
    )  # fmt: skip
    return f"The gift {public_id} goes to {email}."


async def _waiting(db: AsyncSession, email: str, course: LiveCourse) -> list[Order]:
    """What was paid for or given, and waits for the owner of this address."""
    found = select(Order).where(
        Order.course_id == course.id, Order.user_id.is_(None), Order.owner_email_key == email_key(email)
    )
    return [order for order in await db.scalars(found.with_for_update()) if OrderState(order.state).gives_access]


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
            await entitlements.revoke_for_order(db, order, at=now, actor=ACTOR, reason="moved to another address")
            order.user_id = new.id
        order.revision += 1
        await settle_access(db, order, now=now, actor=ACTOR)
        record(
            db, Action.ORDER_MOVED, at=now, actor=ACTOR, order_id=order.id, user_id=new.id,
            course_id=order.course_id, source=source, target=target,
        )  # fmt: skip
        moved += 1
    return f"{moved} purchase(s) moved from {source} to {target}."
