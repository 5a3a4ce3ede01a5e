"""What we hold of somebody, handed out whole; and forgotten, but for what the law wants kept."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import entitlements
from dynamic_api.accounts.addresses import email_key
from dynamic_api.audit import Action, record
from dynamic_api.clock import timestamp
from dynamic_api.errors import DeletionMustWait
from dynamic_api.jobs.outbox import MAIL, enqueue
from dynamic_api.models import (
    AccessToken,
    AuditEntry,
    Base,
    CourseCompletion,
    Entitlement,
    Gift,
    Job,
    Lesson,
    OneTimeLink,
    Order,
    Progress,
    User,
    WebhookEvent,
    WebSession,
)

NOBODY = "deleted.invalid"  # RFC 2606: never anybody's address
_PERSONAL = (
    "customer_details",
    "customer_email",
    "billing_details",
    "receipt_email",
    "shipping",
    "collected_information",
    "evidence",
)
_SECRETS = ("password_hash", "token_hash", "code_hash", "browser_hash", "checkout_url")

KEPT = (
    "Orders stay, with amount, date and the payment provider's numbers, because tax law wants them kept; "
    "your name and address are taken out of them. Records of what was done stay too, without your name and address. "
    "Everything else is gone: your account, your progress, and every sign-in."
)


async def export(db: AsyncSession, user: User) -> dict[str, Any]:
    """Everything, but for hashes of secrets, as plain data."""
    tables: dict[str, tuple[type[Base], Any]] = {
        "account": (User, User.id == user.id),
        "orders": (Order, Order.buyer_id == user.id),
        "gifts_given": (Gift, Gift.order_id.in_(select(Order.id).where(Order.buyer_id == user.id))),
        # A gift's order is its buyer's; what was written to its recipient is the recipient's too.
        "gifts_received": (Gift, Gift.order_id.in_(select(Order.id).where(Order.user_id == user.id))),
        "entitlements": (Entitlement, Entitlement.user_id == user.id),
        "progress": (Progress, Progress.user_id == user.id),
        "completed_courses": (CourseCompletion, CourseCompletion.user_id == user.id),
        "browsers": (WebSession, WebSession.user_id == user.id),
        "phones": (AccessToken, AccessToken.user_id == user.id),
        "links_mailed": (OneTimeLink, OneTimeLink.user_id == user.id),
        "records": (
            AuditEntry,
            or_(
                AuditEntry.user_id == user.id,
                AuditEntry.order_id.in_(select(Order.id).where(Order.buyer_id == user.id)),
            ),
        ),
    }
    orders = list(await db.scalars(select(Order).where(Order.buyer_id == user.id)))
    told = await _events_about(db, orders)
    data: dict[str, Any] = {"told_by_payment_provider": [json.loads(event.payload) for event in told]}
    for name, (table, whose) in tables.items():
        rows = await db.scalars(select(table).where(whose))
        data[name] = [_plain(row) for row in rows]
    lessons = {entry["lesson_id"] for entry in data["progress"]}
    titles = await db.execute(select(Lesson.id, Lesson.title).where(Lesson.id.in_(lessons)))
    data["lesson_titles"] = {str(row.id): row.title for row in titles}
    return data


def _plain(row: Base) -> dict[str, Any]:
    values = {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name not in _SECRETS}
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


async def forget(db: AsyncSession, user_id: int, *, now: datetime) -> None:
    """Delete what may be deleted; take the person out of what must be kept. Access ends with it.

    Raises DeletionMustWait.
    """
    user = await db.get_one(User, user_id, with_for_update=True)
    alias, key = f"{user.id}@{NOBODY}", user.email_key
    theirs = select(Order).where(or_(Order.user_id == user.id, Order.buyer_id == user.id))
    orders = list(await db.scalars(theirs.with_for_update()))
    if any(order.under_way for order in orders):
        raise DeletionMustWait
    orders = [order for order in orders if not await _let_go(db, order, now)]
    for course_id in await entitlements.courses_of(db, user.id):
        await entitlements.revoke_by_operator(db, user.id, course_id, at=now, reason="account deleted")
    for order in orders:
        if order.is_gift:
            await _take_out_of_gift(db, order, user)
        if order.buyer_id == user.id:
            order.email = order.email_key = alias
            order.browser_hash = None
        if order.user_id == user.id:
            order.owner_email = order.owner_email_key = alias
        order.revision += 1
    await _take_out_of_events(db, [order for order in orders if order.buyer_id == user.id])
    about = or_(AuditEntry.user_id == user.id, AuditEntry.order_id.in_([order.id for order in orders]))
    for entry in await db.scalars(select(AuditEntry).where(about)):
        if entry.details.keys() & {"device", "source", "target"}:
            entry.details = {
                key: value for key, value in entry.details.items() if key not in ("device", "source", "target")
            }
    for table in (WebSession, AccessToken, Progress, CourseCompletion):
        await db.execute(delete(table).where(table.user_id == user.id))
    links = await db.scalars(
        select(OneTimeLink).where(or_(OneTimeLink.user_id == user.id, OneTimeLink.email.is_not(None)))
    )
    for link in links:
        if link.user_id == user.id or email_key(link.email or "") == key:
            await db.delete(link)
    for job in await db.scalars(select(Job).where(Job.state != "done", Job.kind == MAIL)):
        if email_key(str(job.payload.get("email", ""))) == key:
            job.payload, job.state = {}, "done"
    user.email = user.email_key = alias
    user.name, user.password_hash, user.email_verified_at, user.updated_at = "", None, None, now
    record(db, Action.ACCOUNT_DELETED, at=now, actor=f"user:{user.id}", user_id=user.id)


async def _let_go(db: AsyncSession, order: Order, now: datetime) -> bool:
    """A payment page that is still open is closed. Whoever pays on it all the same is a guest, and gets a link."""
    if order.state != "pending":
        return False
    order.buyer_id = order.user_id = order.email = order.email_key = order.browser_hash = None
    if not order.is_gift:
        order.owner_email = order.owner_email_key = None
    order.revision += 1
    if order.session_id is not None:
        await enqueue(db, "checkout.close", f"close:{order.public_id}", {"session_id": order.session_id}, now=now)
    return True


async def _take_out_of_gift(db: AsyncSession, order: Order, user: User) -> None:
    """A gift that is still to be handed over keeps its words until then: somebody was promised it."""
    gift = await db.get_one(Gift, order.id)
    if order.user_id == user.id:
        gift.recipient_name = gift.message = ""
    elif gift.delivered_at is not None:
        gift.sender_name = gift.message = ""


async def _take_out_of_events(db: AsyncSession, orders: list[Order]) -> None:
    for event in await _events_about(db, orders):
        event.payload = without_person(event.payload)


async def _events_about(db: AsyncSession, orders: list[Order]) -> list[WebhookEvent]:
    ids = [name for order in orders for name in (order.session_id, order.payment_intent_id) if name]
    if not ids:
        return []
    told = or_(*(WebhookEvent.payload.contains(f'"{name}"', autoescape=True) for name in ids))
    return list(await db.scalars(select(WebhookEvent).where(told)))


def is_forgotten(order: Order) -> bool:
    """Whether its buyer's account was deleted."""
    return (order.email or "").endswith(f"@{NOBODY}")


def without_person(payload: str) -> str:
    """An event without what it says of a person, wherever in it that stands."""
    return json.dumps(_redacted(json.loads(payload)))


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in _PERSONAL else _redacted(each) for name, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value
