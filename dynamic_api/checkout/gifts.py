"""Courses bought for somebody else: what the buyer wrote, when it is handed over, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key, is_address
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.order_state import OrderState
from dynamic_api.clock import timestamp
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import Gift, Order, User

Titles = Callable[[int], str]  # a course's id → its title

HOUR = time(8)  # a gift for a day arrives at this hour of the school's time zone
LATEST = timedelta(days=366)
LONGEST_MESSAGE = 2000


class GiftRefused(Exception):
    """What the buyer wrote will not do; `notice` names the sentence the course page shows."""

    def __init__(self, notice: str) -> None:
        super().__init__(notice)
        self.notice = notice


@dataclass(frozen=True)
class GiftWishes:
    """For whom a course is, from whom, with which words, and on which day."""

    recipient_email: str
    recipient_name: str
    sender_name: str
    message: str
    day: date | None

    def deliver_at(self, timezone: str, now: datetime) -> datetime:
        """The moment the recipient is written to: at once, or on the morning of the day."""
        if self.day is None:
            return now
        return max(now, datetime.combine(self.day, HOUR, ZoneInfo(timezone)).astimezone(now.tzinfo))


def read_wishes(form: dict[str, str], *, timezone: str, now: datetime) -> GiftWishes:
    """The fields of the gift form. Raises GiftRefused."""
    texts = {name: " ".join(form.get(name, "").split())[:120] for name in ("recipient_name", "sender_name")}
    email = form.get("recipient_email", "").strip()
    if not is_address(email):
        raise GiftRefused("gift-address")
    message = "".join(letter for letter in form.get("message", "") if letter >= " " or letter == "\n").strip()
    if len(message) > LONGEST_MESSAGE:
        raise GiftRefused("gift-message")
    return GiftWishes(email, texts["recipient_name"], texts["sender_name"], message, _day(form, timezone, now))


def _day(form: dict[str, str], timezone: str, now: datetime) -> date | None:
    if not (text := form.get("deliver_on", "").strip()):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise GiftRefused("gift-day") from None
    today = now.astimezone(ZoneInfo(timezone)).date()
    if not today <= day <= today + LATEST:
        raise GiftRefused("gift-day")
    return day


def keep_wishes(db: AsyncSession, order: Order, wishes: GiftWishes, *, timezone: str, now: datetime) -> None:
    """Make an order a gift: it waits for the recipient, and the buyer gets no access. The caller flushes."""
    order.is_gift, order.user_id = True, None
    order.owner_email, order.owner_email_key = wishes.recipient_email, email_key(wishes.recipient_email)
    db.add(
        Gift(
            order_id=order.id,
            recipient_name=wishes.recipient_name,
            sender_name=wishes.sender_name,
            message=wishes.message,
            deliver_at=wishes.deliver_at(timezone, now),
        )
    )


async def same_wishes(db: AsyncSession, order: Order, wishes: GiftWishes, *, timezone: str, now: datetime) -> bool:
    """Whether an order was begun with these very words: a second click, and not a second gift."""
    gift = await db.get_one(Gift, order.id)
    return (order.owner_email_key, gift.recipient_name, gift.sender_name, gift.message) == (
        email_key(wishes.recipient_email),
        wishes.recipient_name,
        wishes.sender_name,
        wishes.message,
    ) and (wishes.day is None or gift.deliver_at == wishes.deliver_at(timezone, now))


async def announce(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """Have the recipient written to on the day, once."""
    gift = await db.get_one(Gift, order.id)
    if gift.undeliverable_at is None:
        delay = max(gift.deliver_at - now, timedelta())
        await enqueue_mail(db, "gift", f"gift.{order.public_id}", now=now, delay=delay, order_id=order.id)


async def announce_again(db: AsyncSession, order: Order, *, now: datetime) -> None:
    """The day came while the money was in doubt, and the letter was held back."""
    gift = await db.get_one(Gift, order.id)
    if gift.delivered_at is None and gift.deliver_at <= now:
        await enqueue_mail(db, "gift", f"gift.{order.public_id}.{order.revision}", now=now, order_id=order.id)


async def is_delivered(db: AsyncSession, order: Order) -> bool:
    """Whether the recipient was written to."""
    return (await db.get_one(Gift, order.id)).delivered_at is not None


async def gifts_given(db: AsyncSession, user: User, titles: Titles) -> list[dict[str, Any]]:
    """What this person gave, the newest first, as they see it; pages that were left unpaid are none."""
    given = (
        select(Order, Gift)
        .join(Gift, Gift.order_id == Order.id)
        .where(Order.buyer_id == user.id, Order.paid_at.is_not(None))
        .order_by(Order.id.desc())
    )
    return [await describe_gift(db, order, gift, titles(order.course_id)) for order, gift in await db.execute(given)]


async def gift_state(db: AsyncSession, order: Order, gift: Gift) -> str:
    """`scheduled`, `delivered`, `undeliverable`, `opened`, `suspended` or `refunded`."""
    if order.state == OrderState.DISPUTED:
        return "suspended"
    if not await opens(db, order):
        return "refunded"
    if order.user_id is not None:
        return "opened"
    if gift.undeliverable_at is not None:
        return "undeliverable"
    return "scheduled" if gift.delivered_at is None else "delivered"


async def describe_gift(db: AsyncSession, order: Order, gift: Gift, course_title: str) -> dict[str, Any]:
    """A gift as its buyer sees it."""
    return {
        "order": order.public_id,
        "course_title": course_title,
        "recipient_name": gift.recipient_name,
        "recipient_email": order.owner_email,
        "message": gift.message,
        "state": await gift_state(db, order, gift),
        "deliver_at": timestamp(gift.deliver_at),
        "delivered_at": timestamp(gift.delivered_at),
    }
