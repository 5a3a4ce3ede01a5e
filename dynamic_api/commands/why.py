"""Why somebody can watch a course, or cannot: everything behind the answer, in order of time, in sentences."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.users import find_user
from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.core.audit import Action
from dynamic_api.core.emails import Email
from dynamic_api.core.models import AuditEntry, Entitlement, Order, User, WebhookEvent
from dynamic_api.core.states import OrderState
from dynamic_api.orders.find import events_about
from sitegen.catalog.money import format_money

_SENTENCES = {
    Action.ORDER_CREATED: "An order was begun",
    Action.ORDER_CHANGED: "The order changed",
    Action.ORDER_CLAIMED: "The purchase was claimed",
    Action.ORDER_MOVED: "The operator moved the purchase",
    Action.ACCESS_GRANTED: "Access was granted",
    Action.ACCESS_REVOKED: "Access was revoked",
    Action.ACCESS_RESTORED: "Access was restored",
    Action.CLAIM_LINK_ISSUED: "A claim link was emailed",
    Action.ACCOUNT_CREATED: "The account was created",
    Action.ACCOUNT_VERIFIED: "The email address was verified",
}


@dataclass(frozen=True)
class Fact:
    """Something that happened."""

    at: datetime
    sentence: str


@dataclass(frozen=True)
class Answer:
    """Whether they may watch, for which reasons, and what led to it."""

    may_watch: bool
    reasons: tuple[str, ...]
    history: tuple[Fact, ...]


async def explain_access(db: AsyncSession, email: Email, course: CatalogCourse) -> Answer:
    """Everything we know of one learner and one course."""
    user = await find_user(db, email)
    orders = list(await db.scalars(_orders(email, user, course)))
    rows: list[Entitlement] = []
    if user is not None:
        held = select(Entitlement).where(Entitlement.user_id == user.id, Entitlement.course_id == course.id)
        rows = list(await db.scalars(held))
    facts = [fact async for fact in _audit(db, user, orders, course)]
    facts += [fact async for fact in _events(db, orders)]
    active = [row for row in rows if row.revoked_at is None]
    return Answer(
        bool(active), tuple(_reasons(user, orders, rows, email, course)), tuple(sorted(facts, key=lambda fact: fact.at))
    )


def _orders(email: Email, user: User | None, course: CatalogCourse) -> Select[Order]:
    whose: ColumnElement[bool] = or_(Order.buyer_email_key == email.key, Order.owner_email_key == email.key)
    if user is not None:
        whose = or_(whose, Order.owner_id == user.id, Order.buyer_id == user.id)
    return select(Order).where(Order.sells(course.id), whose).order_by(Order.id)


def _reasons(
    user: User | None, orders: list[Order], rows: list[Entitlement], email: Email, course: CatalogCourse
) -> list[str]:
    reasons = []
    if user is None:
        reasons.append(f"There is no account with the address {email}.")
    elif user.email_verified_at is None:
        reasons.append("The account's address was never verified by an emailed link.")
    for row in rows:
        until = f"ended on {row.revoked_at:%Y-%m-%d %H:%M} UTC: {row.reason}" if row.revoked_at else "is active"
        reasons.append(f"What {row.source} granted on {row.granted_at:%Y-%m-%d %H:%M} UTC {until}.")
    for order in orders:
        total = order.amount if order.total_amount is None else order.total_amount
        price = format_money(total, order.total_currency or order.currency)
        owner = "waits for its owner" if order.owner_id is None else "has an owner"
        gift = f", a gift from {order.buyer_email or 'a guest'} to {order.owner_email}" if order.is_gift else ""
        reasons.append(f"Order {order.public_id} ({price}{gift}) is {order.state} and {owner}.")
        line = order.line_of(course.id)
        if line.state is not order.state:
            reasons.append(f"Its line for {course.definition.title} is {line.state}.")
        if line.withdrawn_at is not None:
            reasons.append(f"The operator withdrew it on {line.withdrawn_at:%Y-%m-%d %H:%M} UTC.")
        if line.state is OrderState.PARTIALLY_REFUNDED:
            rule = "keep" if course.definition.partial_refund_keeps_access else "lose"
            reasons.append(f"After a partial refund, buyers {rule} {course.definition.title}.")
    if not orders and not rows:
        reasons.append("Nothing was ever bought with this address, or given to it.")
    return reasons


async def _audit(
    db: AsyncSession, user: User | None, orders: list[Order], course: CatalogCourse
) -> AsyncIterator[Fact]:
    about: list[ColumnElement[bool]] = [AuditEntry.order_id.in_([order.id for order in orders])]
    if user is not None:
        about.append((AuditEntry.user_id == user.id) & (AuditEntry.course_id == course.id))
    for entry in await db.scalars(select(AuditEntry).where(or_(*about)).order_by(AuditEntry.id)):
        sentence = _SENTENCES.get(Action(entry.action), entry.action)
        details = ", ".join(f"{name} {value}" for name, value in entry.details.items())
        yield Fact(entry.at, f"{sentence} ({entry.actor}{'; ' + details if details else ''}).")


async def _events(db: AsyncSession, orders: list[Order]) -> AsyncIterator[Fact]:
    for event in await db.scalars(select(WebhookEvent).where(events_about(orders))):
        state = f"handled: {event.outcome}" if event.handled_at else "not handled yet"
        yield Fact(event.received_at, f"Stripe reported {event.type} ({event.id}; {state}).")
