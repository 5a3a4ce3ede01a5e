"""Access by the operator's decision: granted, revoked, moved to another account. Everything is audited."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from dynamic_api.accounts.links import close_links
from dynamic_api.accounts.users import find_user
from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import ClaimLink, GiftDelivery, minute, queue_message
from dynamic_api.core.models import Gift, OneTimeLink, Order, User
from dynamic_api.orders import entitlements
from dynamic_api.orders.access import grants_access
from dynamic_api.orders.create import Item, Person, create_order
from dynamic_api.orders.reconcile import settle_access
from dynamic_api.orders.state import PAID_STATES


class NoSuchGift(Exception):
    """No such order, or not a gift, or it was opened already."""


class NoSuchLearner(Exception):
    """No account has this address."""


async def learner_with(db: AsyncSession, email: Email) -> User:
    """The account of an address. Raises NoSuchLearner."""
    user = await find_user(db, email)
    if user is None:
        raise NoSuchLearner(f"There is no account with the address {email}.")
    return user


async def grant(db: AsyncSession, email: Email, course: CatalogCourse, *, reason: str, now: datetime) -> str:
    """Grant a course; somebody without an account is emailed a link. Returns a sentence that says what was done."""
    title = course.definition.title
    user = await find_user(db, email)
    if user is not None:
        changed = await entitlements.grant_by_operator(db, user.id, course.id, at=now, reason=reason)
        return f"{email} may now watch {title}." if changed else f"{email} had {title} already."
    if waiting := await _waiting_orders(db, email, course):
        for order in waiting:
            order.line_of(course.id).withdrawn_at = None
            order.revision += 1
        order = waiting[0]
        await queue_message(db, ClaimLink.about(order, minute(now)), now=now)
        record(db, Action.ACCESS_GRANTED, at=now, actor=OPERATOR, order_id=order.id, course_id=course.id, reason=reason)
        return f"{title} was waiting for {email} already; the link is sent once more."
    currency = course.definition.price.currency if course.definition.price else "EUR"
    items, person = [Item(course.id, amount=0)], Person(email=email)
    order = await create_order(db, items, person, currency=currency, now=now, actor=OPERATOR, paid=True, reason=reason)
    await settle_access(db, order, now=now, actor=OPERATOR)
    return f"{email} has no account yet; an email with a link that opens {title} is on its way."


async def revoke(db: AsyncSession, email: Email, course: CatalogCourse, *, reason: str, now: datetime) -> str:
    """Revoke a course, whatever granted it, claimed or not; no payment restores it by itself.

    Raises NoSuchLearner when there is neither an account nor anything that waits for the address.
    """
    orders = await _waiting_orders(db, email, course)
    waiting = [order for order in orders if order.line_of(course.id).withdrawn_at is None]
    user = await find_user(db, email) if orders else await learner_with(db, email)
    count = len(waiting)
    if user is not None:
        count += await entitlements.revoke_by_operator(db, user.id, course.id, at=now, reason=reason)
    for order in waiting:
        order.line_of(course.id).withdrawn_at = now
        order.revision += 1
        if not await grants_access(db, order):
            await close_links(db, OneTimeLink.order_id == order.id, now=now)
        record(db, Action.ACCESS_REVOKED, at=now, actor=OPERATOR, order_id=order.id, course_id=course.id, reason=reason)
    if not count:
        return f"{email} did not have {course.definition.title}."
    sources = "1 source" if count == 1 else f"{count} sources"
    return f"{email} may no longer watch {course.definition.title}; {sources} ended. Nothing was refunded."


async def readdress_gift(db: AsyncSession, public_id: str, email: Email, *, now: datetime) -> str:
    """Send a gift to another address, because the first was wrong. Raises NoSuchGift."""
    order = await db.scalar(select(Order).where(Order.public_id == public_id, Order.is_gift).with_for_update())
    if order is None or order.owner_id is not None or not await grants_access(db, order):
        raise NoSuchGift(f"{public_id} is not a gift that waits for its recipient.")
    gift = await db.get_one(Gift, order.id)
    before, order.owner_email = order.owner_email, email
    order.revision += 1
    gift.delivered_at = gift.undeliverable_at = None
    await close_links(db, OneTimeLink.order_id == order.id, now=now)
    delay = max(gift.deliver_at - now, timedelta())
    await queue_message(db, GiftDelivery.about(order, order.revision), now=now, delay=delay)
    record(
        db,
        Action.ORDER_MOVED,
        at=now,
        actor=OPERATOR,
        order_id=order.id,
        source=before.spelling if before else None,
        target=email.spelling,
    )
    return f"The gift {public_id} goes to {email}."


async def _waiting_orders(db: AsyncSession, email: Email, course: CatalogCourse) -> list[Order]:
    """What was paid for or granted, and waits for the owner of this address."""
    found = select(Order).where(
        Order.sells(course.id),
        Order.owner_id.is_(None),
        Order.owner_email_key == email.key,
        Order.state.in_(PAID_STATES),
    )
    return list(await db.scalars(found.with_for_update()))


async def move_purchases(db: AsyncSession, source: Email, target: Email, *, now: datetime) -> str:
    """Move everything bought with one address, or given to it, to another account.

    Raises NoSuchLearner for the second.
    """
    new = await learner_with(db, target)
    old = await find_user(db, source)
    owned = _belonging_to(old, Order.owner_id, Order.owner_email_key, source)
    bought = _belonging_to(old, Order.buyer_id, Order.buyer_email_key, source)
    owned_ids, bought_ids = [set(await db.scalars(select(Order.id).where(each))) for each in (owned, bought)]
    moved = 0
    for order in await db.scalars(select(Order).where(or_(owned, bought)).with_for_update()):
        if order.id in bought_ids:
            order.buyer_id = new.id
        if order.id in owned_ids:
            for line in order.lines:
                await entitlements.revoke_line(db, line, at=now, actor=OPERATOR, reason="moved to another address")
            order.owner_id = new.id
        order.revision += 1
        await settle_access(db, order, now=now, actor=OPERATOR)
        record(
            db,
            Action.ORDER_MOVED,
            at=now,
            actor=OPERATOR,
            order_id=order.id,
            user_id=new.id,
            source=source.spelling,
            target=target.spelling,
        )
        moved += 1
    return f"{'1 purchase' if moved == 1 else f'{moved} purchases'} moved from {source} to {target}."


def _belonging_to(
    user: User | None, user_id: InstrumentedAttribute[int | None], key: InstrumentedAttribute[str | None], email: Email
) -> ColumnElement[bool]:
    """What belongs to an account, or waits for its address."""
    waiting = user_id.is_(None) & (key == email.key)
    return waiting if user is None else or_(user_id == user.id, waiting)
