"""Why can somebody watch a course, or why not: everything behind the answer, in time order, in sentences."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.users import find_user
from dynamic_api.audit import Action
from dynamic_api.catalog import LiveCourse
from dynamic_api.checkout.order_state import OrderState
from dynamic_api.models import AuditEntry, Entitlement, Order, User, WebhookEvent
from sitegen.catalog.money import format_money

_SENTENCES = {
    Action.ORDER_CREATED: "An order was begun",
    Action.ORDER_CHANGED: "The order changed",
    Action.ORDER_CLAIMED: "The purchase found its owner",
    Action.ORDER_MOVED: "The operator moved the purchase",
    Action.ACCESS_GRANTED: "Access was given",
    Action.ACCESS_REVOKED: "Access was taken away",
    Action.ACCESS_RESTORED: "Access was given back",
    Action.CLAIM_LINK_ISSUED: "A claim link was mailed",
    Action.ACCOUNT_CREATED: "The account was made",
    Action.ACCOUNT_VERIFIED: "The address was proven",
}


@dataclass(frozen=True)
class Fact:
    """Something that happened."""

    at: datetime
    sentence: str


@dataclass(frozen=True)
class Answer:
    """May they, since when and because of what; and how it came about."""

    may_watch: bool
    reasons: tuple[str, ...]
    history: tuple[Fact, ...]


async def why(db: AsyncSession, email: str, course: LiveCourse) -> Answer:
    """Everything we know of one learner and one course."""
    user = await find_user(db, email)
    orders = list(await db.scalars(_orders(email, user, course)))
    rows: list[Entitlement] = []
    if user is not None:
        held = select(Entitlement).where(Entitlement.user_id == user.id, Entitlement.course_id == course.id)
        rows = list(await db.scalars(held))
    facts = [fact async for fact in _audit(db, user, orders, course)]
    facts += [fact async for fact in _events(db, orders)]
    live = [row for row in rows if row.revoked_at is None]
    return Answer(
        bool(live), tuple(_reasons(user, orders, rows, email, course)), tuple(sorted(facts, key=lambda fact: fact.at))
    )


def _orders(email: str, user: User | None, course: LiveCourse) -> Select[Order]:
    key = email_key(email)
    whose: ColumnElement[bool] = or_(Order.email_key == key, Order.owner_email_key == key)
    if user is not None:
        whose = or_(whose, Order.user_id == user.id, Order.buyer_id == user.id)
    return select(Order).where(Order.course_id == course.id, whose).order_by(Order.id)


def _reasons(
    user: User | None, orders: list[Order], rows: list[Entitlement], email: str, course: LiveCourse
) -> list[str]:
    reasons = []
    if user is None:
        reasons.append(f"There is no account with the address {email}.")
    elif user.email_verified_at is None:
        reasons.append("The account's address was never proven by a mailed link.")
    for row in rows:
        until = f"ended on {row.revoked_at:%Y-%m-%d %H:%M} UTC: {row.reason}" if row.revoked_at else "is live"
        reasons.append(f"What {row.source} gave on {row.granted_at:%Y-%m-%d %H:%M} UTC {until}.")
    for order in orders:
        total = order.amount if order.total_amount is None else order.total_amount
        price = format_money(total, order.total_currency or order.currency)
        owner = "waits for its owner" if order.user_id is None else "has an owner"
        gift = f", a gift from {order.email or 'a guest'} to {order.owner_email}" if order.is_gift else ""
        reasons.append(f"Order {order.public_id} ({price}{gift}) is {order.state} and {owner}.")
        if order.withdrawn_at is not None:
            reasons.append(f"The operator took it back on {order.withdrawn_at:%Y-%m-%d %H:%M} UTC.")
        if order.state == OrderState.PARTIALLY_REFUNDED:
            rule = "keep it" if course.file.partial_refund_keeps_access else "lose it"
            reasons.append(f"People who got a part of the price of {course.file.title} back {rule}.")
    if not orders and not rows:
        reasons.append("Nothing was ever bought or given under this address.")
    return reasons


async def _audit(db: AsyncSession, user: User | None, orders: list[Order], course: LiveCourse) -> AsyncIterator[Fact]:
    about: list[ColumnElement[bool]] = [AuditEntry.order_id.in_([order.id for order in orders])]
    if user is not None:
        about.append((AuditEntry.user_id == user.id) & (AuditEntry.course_id == course.id))
    for entry in await db.scalars(select(AuditEntry).where(or_(*about)).order_by(AuditEntry.id)):
        sentence = _SENTENCES.get(Action(entry.action), entry.action)
        details = ", ".join(f"{name} {value}" for name, value in entry.details.items())
        yield Fact(entry.at, f"{sentence} ({entry.actor}{'; ' + details if details else ''}).")


async def _events(db: AsyncSession, orders: list[Order]) -> AsyncIterator[Fact]:
    names = [name for order in orders for name in (order.session_id, order.payment_intent_id) if name]
    if not names:
        return
    told = or_(*(WebhookEvent.payload.contains(f'"{name}"', autoescape=True) for name in names))
    for event in await db.scalars(select(WebhookEvent).where(told)):
        state = f"handled: {event.outcome}" if event.handled_at else "not handled yet"
        yield Fact(event.received_at, f"Stripe told of {event.type} ({event.id}; {state}).")
