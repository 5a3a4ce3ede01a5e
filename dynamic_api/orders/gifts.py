"""Courses bought for somebody else: what the buyer wrote, when it is delivered, and what became of it."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import TypedDict

from dynamic_api.catalog.courses import CourseCatalog
from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.messages import GiftDelivery, queue_message
from dynamic_api.core.models import Course, Gift, Order, OrderLine
from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import json_object, timestamp_text
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId
from dynamic_api.orders.access import grants
from dynamic_api.orders.receipts import lines_of_order, values_by_position

DELIVERY_HOUR = time(8)  # a gift with a date arrives at this hour of the school's time zone
LATEST = timedelta(days=366)
LONGEST_MESSAGE = 2000
LONGEST_NAME = 120


@dataclass(frozen=True)
class GiftDetails:
    """Recipient, sender, message and delivery day of a gift."""

    recipient_email: Email
    recipient_name: str
    sender_name: str
    message: str
    day: date | None

    def deliver_at(self, timezone: str, now: datetime) -> datetime:
        """When the recipient is written to: at once, or on the morning of the day."""
        if self.day is None:
            return now
        return max(now, datetime.combine(self.day, DELIVERY_HOUR, ZoneInfo(timezone)).astimezone(now.tzinfo))


class GiftAnswer(TypedDict):
    """A gift as its buyer sees it."""

    order: str
    course_title: str
    recipient_name: str
    recipient_email: str | None
    message: str
    state: str
    deliver_at: str
    delivered_at: str | None


def read_gift_form(form: dict[str, str], *, timezone: str, now: datetime) -> GiftDetails:
    """The fields of the gift form. Raises FormRefused."""
    recipient, sender = (
        " ".join(form.get(field, "").split())[:LONGEST_NAME] for field in ("recipient_name", "sender_name")
    )
    try:
        email = Email.parse(form.get("recipient_email", ""))
    except EmailInvalid:
        raise FormRefused(Notice.GIFT_ADDRESS) from None
    message = "".join(each for each in form.get("message", "") if each >= " " or each == "\n").strip()
    if len(message) > LONGEST_MESSAGE:
        raise FormRefused(Notice.GIFT_MESSAGE)
    return GiftDetails(email, recipient, sender, message, _day(form, timezone, now))


def _day(form: dict[str, str], timezone: str, now: datetime) -> date | None:
    if not (text := form.get("deliver_on", "").strip()):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FormRefused(Notice.GIFT_DAY) from None
    today = now.astimezone(ZoneInfo(timezone)).date()
    if not today <= day <= today + LATEST:
        raise FormRefused(Notice.GIFT_DAY)
    return day


def make_gift(db: AsyncSession, order: Order, details: GiftDetails, *, timezone: str, now: datetime) -> None:
    """Make an order a gift: it waits for the recipient, and the buyer gets no access. The caller flushes."""
    order.is_gift, order.owner_id, order.owner_email = True, None, details.recipient_email
    db.add(
        Gift(
            order_id=order.id,
            recipient_name=details.recipient_name,
            sender_name=details.sender_name,
            message=details.message,
            deliver_at=details.deliver_at(timezone, now),
        )
    )


async def is_same_gift(db: AsyncSession, order: Order, details: GiftDetails, *, timezone: str) -> bool:
    """Whether an order was begun with these very words: a second click, and not a second gift."""
    gift = await db.get_one(Gift, order.id)
    written = (order.owner_email_key, gift.recipient_name, gift.sender_name, gift.message)
    if written != (details.recipient_email.key, details.recipient_name, details.sender_name, details.message):
        return False
    return gift.deliver_at == details.deliver_at(timezone, order.created_at)


async def schedule_delivery(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """Have the recipient written to on the day, once."""
    gift = await db.get_one(Gift, order.id)
    if gift.undeliverable_at is None:
        delay = max(gift.deliver_at - now, timedelta())
        await queue_message(db, GiftDelivery.about(order), now=now, delay=delay)


async def deliver_overdue(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """Deliver a gift whose day passed while the money was in doubt."""
    gift = await db.get_one(Gift, order.id)
    if gift.delivered_at is None and gift.deliver_at <= now:
        await queue_message(db, GiftDelivery.about(order, order.revision), now=now)


async def is_delivered(db: AsyncSession, order: Order) -> bool:
    """Whether the recipient was written to."""
    return (await db.get_one(Gift, order.id)).delivered_at is not None


class _GivenLine(TypedDict):
    course_id: int
    state: str
    is_withdrawn: int
    partial_refund_keeps_access: int


class GivenGift(NamedTuple):
    """A gift and its order, as they are read for the buyer."""

    order: PublicOrderId
    state: OrderState
    lines: str  # lines of `position:` and JSON
    is_opened: bool
    recipient_name: str
    recipient_email: str | None
    message: str
    deliver_at: str
    delivered_at: str | None
    is_undeliverable: bool

    @property
    def course_ids(self) -> list[int]:
        """What was given, in the order of the order's lines."""
        return [line["course_id"] for line in self._lines]

    @property
    def grants_access(self) -> bool:
        """Whether any of it may be used now."""
        return any(
            grants(
                OrderState(line["state"]),
                is_withdrawn=bool(line["is_withdrawn"]),
                partial_refund_keeps_access=bool(line["partial_refund_keeps_access"]),
            )
            for line in self._lines
        )

    @property
    def _lines(self) -> list[_GivenLine]:
        return [json.loads(each) for each in values_by_position(self.lines)]


_LINE = json_object(
    literal_column("'course_id'"), OrderLine.course_id,
    literal_column("'state'"), OrderLine.state,
    literal_column("'is_withdrawn'"), OrderLine.withdrawn_at.is_not(None),
    literal_column("'partial_refund_keeps_access'"),
    select(Course.partial_refund_keeps_access).where(Course.id == OrderLine.course_id).scalar_subquery(),
)  # fmt: skip
_GIVEN = select(
    Order.public_id.label("order"),
    Order.state,
    lines_of_order(_LINE).label("lines"),
    Order.owner_id.is_not(None).label("is_opened"),
    Gift.recipient_name,
    Order.owner_email_spelling.label("recipient_email"),
    Gift.message,
    timestamp_text(Gift.deliver_at).label("deliver_at"),
    timestamp_text(Gift.delivered_at).label("delivered_at"),
    Gift.undeliverable_at.is_not(None).label("is_undeliverable"),
).join(Gift, Gift.order_id == Order.id)
# What somebody gave, newest first; without payment pages that were left unpaid.
GIFTS_GIVEN = Query(
    _GIVEN.where(Order.buyer_id == bindparam("buyer_id"), Order.paid_at.is_not(None)).order_by(Order.id.desc()),
    GivenGift,
)
GIFT_OF_ORDER = Query(_GIVEN.where(Order.id == bindparam("order_id")), GivenGift)


def gift_state(gift: GivenGift) -> str:
    """`scheduled`, `delivered`, `undeliverable`, `opened`, `suspended` or `refunded`."""
    if gift.state is OrderState.DISPUTED:
        return "suspended"
    if not gift.grants_access:
        return "refunded"
    if gift.is_opened:
        return "opened"
    if gift.is_undeliverable:
        return "undeliverable"
    return "delivered" if gift.delivered_at else "scheduled"


def describe_gift(gift: GivenGift, catalog: CourseCatalog) -> GiftAnswer:
    """A gift as its buyer sees it."""
    return {
        "order": gift.order,
        "course_title": catalog.title_of(*gift.course_ids),
        "recipient_name": gift.recipient_name,
        "recipient_email": gift.recipient_email,
        "message": gift.message,
        "state": gift_state(gift),
        "deliver_at": gift.deliver_at,
        "delivered_at": gift.delivered_at,
    }
