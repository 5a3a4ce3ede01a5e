"""Everything we store about somebody: exported whole, and deleted, except for what the law requires us to keep."""

import json
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.users import LOCKED
from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.clock import timestamp
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import DeletionMustWait
from dynamic_api.core.messages import OperatorNotice, queue_message
from dynamic_api.core.models import (
    AccessToken,
    AuditEntry,
    Base,
    CourseProgress,
    Entitlement,
    Gift,
    Job,
    Json,
    Lesson,
    NewsReader,
    OneTimeLink,
    Order,
    OrderLine,
    Progress,
    Review,
    User,
    WebhookEvent,
    WebSession,
)
from dynamic_api.core.outbox import EMAIL_KIND, enqueue
from dynamic_api.core.states import JobState, OrderState
from dynamic_api.orders import entitlements
from dynamic_api.orders.access import grants_access
from dynamic_api.orders.find import events_about
from dynamic_api.orders.jobs import CloseCheckout
from sitegen.catalog.words import Sentence

_PERSONAL_FIELDS = (
    "customer_details",
    "customer_email",
    "billing_details",
    "receipt_email",
    "shipping",
    "collected_information",
    "evidence",
)
_PERSONAL_DETAILS = frozenset({"device", "source", "target"})  # of audit entries
_SECRETS = ("password_hash", "token_hash", "code_hash", "browser_hash", "password_browser_hash", "checkout_url")

KEPT = Sentence(
    "Tax law requires us to keep orders, with amount, date and the payment provider's numbers; your name and address "
    "are removed from them. Records of what was done are kept too, without your name and address. Everything else is "
    "deleted: your account, your progress, and every sign-in."
)


async def export_user(db: AsyncSession, user_id: int) -> Json:
    """Everything except hashes of secrets: rows by table, titles of the lessons they name, and what Stripe told us."""
    bought = select(Order.id).where(Order.buyer_id == user_id)
    tables: dict[str, tuple[type[Base], ColumnElement[bool]]] = {
        "account": (User, User.id == user_id),
        "orders": (Order, Order.buyer_id == user_id),
        "order_lines": (OrderLine, OrderLine.order_id.in_(bought)),
        "gifts_given": (Gift, Gift.order_id.in_(bought)),
        # A gift's order is its buyer's; what was written to its recipient is the recipient's too.
        "gifts_received": (Gift, Gift.order_id.in_(select(Order.id).where(Order.owner_id == user_id))),
        "entitlements": (Entitlement, Entitlement.user_id == user_id),
        "progress": (Progress, Progress.user_id == user_id),
        "course_progress": (CourseProgress, CourseProgress.user_id == user_id),
        "reviews": (Review, Review.user_id == user_id),
        "news": (NewsReader, NewsReader.email_key.in_(select(User.email_key).where(User.id == user_id))),
        "browsers": (WebSession, WebSession.user_id == user_id),
        "phones": (AccessToken, AccessToken.user_id == user_id),
        "links_emailed": (OneTimeLink, OneTimeLink.user_id == user_id),
        "records": (AuditEntry, or_(AuditEntry.user_id == user_id, AuditEntry.order_id.in_(bought))),
    }
    rows = {name: [_plain(row) for row in await db.scalars(select(table).where(whose))]
            for name, (table, whose) in tables.items()}  # fmt: skip
    watched = select(Progress.lesson_id).where(Progress.user_id == user_id)
    titles = await db.execute(select(Lesson.id, Lesson.title).where(Lesson.id.in_(watched)))
    orders = list(await db.scalars(select(Order).where(Order.buyer_id == user_id)))
    return {
        **rows,
        "lesson_titles": {str(row.id): row.title for row in titles},
        "told_by_payment_provider": [json.loads(event.payload) for event in await _events_about(db, orders)],
    }


def _plain(row: Base) -> Json:
    names = {attribute.key: str(attribute.columns[0].name) for attribute in row.__mapper__.column_attrs}
    values = {names[key]: getattr(row, key) for key in names if names[key] not in _SECRETS}
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


async def delete_user(db: AsyncSession, user_id: int, *, now: datetime) -> None:
    """Delete what may be deleted, and remove the person from what must be kept. Access ends with it.

    Raises DeletionMustWait.
    """
    user = await db.get_one(User, user_id, with_for_update=LOCKED)
    orders = list(await db.scalars(select(Order).where(_concerns(user)).with_for_update()))
    if any(order.is_processing for order in orders):
        raise DeletionMustWait
    orders = [order for order in orders if not await _release_unpaid(db, order, now)]
    for course_id in await entitlements.courses_of(db, user.id):
        await entitlements.revoke_by_operator(db, user.id, course_id, at=now, reason="account deleted")
    for order in orders:
        await _anonymise_order(db, order, user)
    for event in await _events_about(db, [order for order in orders if order.buyer_id == user.id]):
        event.payload = without_person(event.payload)
    await _anonymise_records(db, user, orders)
    for table in (WebSession, AccessToken, Progress, CourseProgress):
        await db.execute(delete(table).where(table.user_id == user.id))
    theirs_or_for_them = or_(OneTimeLink.user_id == user.id, OneTimeLink.email_key == user.email_key)
    await db.execute(delete(OneTimeLink).where(theirs_or_for_them))
    await db.execute(delete(NewsReader).where(NewsReader.email_key == user.email_key))
    await _anonymise_reviews(db, user, now)
    await _cancel_messages(db, user)
    user.email = Email.deleted(user.id)
    user.name, user.email_verified_at, user.updated_at = "", None, now
    user.password_hash = user.password_device = user.password_browser_hash = user.customer_id = None
    record(db, Action.ACCOUNT_DELETED, at=now, actor=by_user(user.id), user_id=user.id)


def _concerns(user: User) -> ColumnElement[bool]:
    """Orders of an account; and of its address, once that is proven: what failed, or went back, never got an owner."""
    theirs = or_(Order.owner_id == user.id, Order.buyer_id == user.id)
    if user.email_verified_at is None:
        return theirs
    by_address = or_(Order.buyer_email_key == user.email_key, Order.owner_email_key == user.email_key)
    return or_(theirs, by_address & (Order.state != OrderState.PENDING))


async def _release_unpaid(db: AsyncSession, order: Order, now: datetime) -> bool:
    """Close an open payment page; true where one was open. A payment that arrives later is treated as a guest's."""
    if order.state is not OrderState.PENDING:
        return False
    order.buyer_id = order.owner_id = order.buyer_email = order.browser_hash = None
    if not order.is_gift:
        order.owner_email = None
    order.revision += 1
    if order.session_id is not None:
        await enqueue(db, CloseCheckout(order.session_id), f"close:{order.public_id}", now=now)
    return True


async def _anonymise_order(db: AsyncSession, order: Order, user: User) -> None:
    is_buyer = order.buyer_id == user.id or order.buyer_email_key == user.email_key
    # A gift that still waits for them was promised to them by somebody else, and is delivered.
    waits = order.is_gift and order.owner_id is None and await grants_access(db, order)
    is_owner = order.owner_id == user.id or (order.owner_email_key == user.email_key and not waits)
    if order.is_gift:
        gift = await db.get_one(Gift, order.id)
        if is_owner:
            gift.recipient_name = gift.message = ""
        elif is_buyer and gift.delivered_at is not None:  # until then it keeps its words
            gift.sender_name = gift.message = ""
    if is_buyer:
        order.buyer_email, order.browser_hash = Email.deleted(user.id), None
    if is_owner:
        order.owner_email = Email.deleted(user.id)
    order.revision += 1


async def _anonymise_records(db: AsyncSession, user: User, orders: list[Order]) -> None:
    about = or_(AuditEntry.user_id == user.id, AuditEntry.order_id.in_([order.id for order in orders]))
    for entry in await db.scalars(select(AuditEntry).where(about)):
        if entry.details.keys() & _PERSONAL_DETAILS:
            entry.details = {key: value for key, value in entry.details.items() if key not in _PERSONAL_DETAILS}


async def _anonymise_reviews(db: AsyncSession, user: User, now: datetime) -> None:
    """What they said of courses stays, without them; the creator is told that files and pages still have the name."""
    reviews = list(await db.scalars(select(Review).where(Review.user_id == user.id)))
    for review in reviews:
        review.user_id, review.name, review.updated_at = None, "", now
    if reviews:
        sentence = (
            "Somebody who reviewed a course has deleted their account. Run “coursewright reviews pull” and build, so "
            "that the name goes from the course files and the pages too."
        )
        await queue_message(db, OperatorNotice(id=f"operator.reviews.{user.id}", sentence=sentence), now=now)


async def _cancel_messages(db: AsyncSession, user: User) -> None:
    """Emails to this address that were not sent yet are not sent."""
    for job in await db.scalars(select(Job).where(Job.state != JobState.DONE, Job.kind == EMAIL_KIND)):
        if Email.lookup(str(job.payload.get("email", ""))).key == user.email_key:
            job.payload, job.state = {}, JobState.DONE


async def _events_about(db: AsyncSession, orders: list[Order]) -> list[WebhookEvent]:
    return list(await db.scalars(select(WebhookEvent).where(events_about(orders))))


def without_person(payload: str) -> str:
    """An event without what it says of a person, wherever in it that is."""
    return json.dumps(_redacted(json.loads(payload)))


def _redacted(value: object) -> object:
    if isinstance(value, dict):
        return {name: None if name in _PERSONAL_FIELDS else _redacted(each) for name, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value
