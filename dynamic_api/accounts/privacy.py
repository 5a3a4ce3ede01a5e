"""What we hold of somebody, handed out whole; and forgotten, but for what the law wants kept."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import entitlements
from dynamic_api.audit import Action, record
from dynamic_api.clock import timestamp
from dynamic_api.models import (
    AccessToken,
    AuditEntry,
    Base,
    CourseCompletion,
    Entitlement,
    Gift,
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
)
_SECRETS = ("password_hash", "token_hash", "browser_hash", "checkout_url")

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
        "records": (AuditEntry, AuditEntry.user_id == user.id),
    }
    data: dict[str, Any] = {}
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
    """Delete what may be deleted; take the person out of what must be kept. Access ends with it."""
    user = await db.get_one(User, user_id)
    alias = f"{user.id}@{NOBODY}"
    orders = list(await db.scalars(select(Order).where(or_(Order.user_id == user.id, Order.buyer_id == user.id))))
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
    for entry in await db.scalars(select(AuditEntry).where(AuditEntry.user_id == user.id)):
        if entry.details.keys() & {"device", "source", "target"}:
            entry.details = {
                key: value for key, value in entry.details.items() if key not in ("device", "source", "target")
            }
    for table in (WebSession, AccessToken, Progress, CourseCompletion):
        await db.execute(delete(table).where(table.user_id == user.id))
    await db.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user.id))
    user.email = user.email_key = alias
    user.name, user.password_hash, user.email_verified_at, user.updated_at = "", None, None, now
    record(db, Action.ACCOUNT_DELETED, at=now, actor=f"user:{user.id}", user_id=user.id)


async def _take_out_of_gift(db: AsyncSession, order: Order, user: User) -> None:
    """A gift that is still to be handed over keeps its words until then: somebody was promised it."""
    gift = await db.get_one(Gift, order.id)
    if order.user_id == user.id:
        gift.recipient_name = gift.message = ""
    elif gift.delivered_at is not None:
        gift.sender_name = gift.message = ""


async def _take_out_of_events(db: AsyncSession, orders: list[Order]) -> None:
    ids = [name for order in orders for name in (order.session_id, order.payment_intent_id) if name]
    if not ids:
        return
    told = or_(*(WebhookEvent.payload.contains(f'"{name}"', autoescape=True) for name in ids))
    for event in await db.scalars(select(WebhookEvent).where(told)):
        payload = json.loads(event.payload)
        thing = payload["data"]["object"]
        thing.update({key: None for key in _PERSONAL if key in thing})
        event.payload = json.dumps(payload)
