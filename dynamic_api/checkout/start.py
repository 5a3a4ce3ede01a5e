"""The beginning of an order: a row first, then the buyer leaves for Stripe."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import entitlements
from dynamic_api.accounts.addresses import email_key
from dynamic_api.audit import Action, record
from dynamic_api.catalog import LiveCourse
from dynamic_api.checkout.gifts import GiftRefused, GiftWishes, keep_wishes, same_wishes
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.promotion_codes import CodeRefused, find_code
from dynamic_api.checkout.reconcile import settle_access
from dynamic_api.database import Database
from dynamic_api.gateways.payments import CheckoutRequest, CodeTaken, Payments
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import Course, Order, User
from dynamic_api.tokens import hash_token, make_public_id
from sitegen import urls
from sitegen.catalog.model import Site

PAGE_LIFE = timedelta(minutes=31)  # Stripe's shortest is 30
STILL_ASKING = timedelta(seconds=45)
REUSE = timedelta(minutes=25)  # a page as young as this serves a second click, or a second tab


@dataclass(frozen=True)
class Buyer:
    """Who is buying: somebody signed in, or the holder of a browser's checkout cookie."""

    user: User | None
    browser: str
    email: str | None = None


@dataclass(frozen=True)
class Wishes:
    """What a buyer wants beyond the course itself: that it is a gift, a code that was typed into our own box."""

    gift: GiftWishes | None = None
    code: str = ""


class AlreadyOwned(Exception):
    """The buyer has this course; `order` names the purchase of a browser whose buyer is not signed in."""

    def __init__(self, order: str | None = None) -> None:
        super().__init__(order)
        self.order = order


class PaymentUnderWay(Exception):
    """The buyer has ordered a bank debit for this course, and it has not arrived yet."""


class EmailNeeded(Exception):
    """A guest took a free course and said no address."""


async def start_checkout(
    database: Database,
    payments: Payments,
    course: LiveCourse,
    buyer: Buyer,
    wishes: Wishes,
    *,
    site: Site,
    site_url: str,
    now: datetime,
) -> str:
    """The address to send the buyer to; the price is the catalogue's.

    Raises AlreadyOwned, PaymentUnderWay, GiftRefused, CodeRefused, PaymentsDown.
    """
    price = course.file.price
    if price is None:
        raise ValueError("a free course is not bought")
    async with database.reading() as db:
        if wishes.gift is None:
            await _refuse_owner(db, course, buyer)
            if await _is_under_way(db, course, buyer):
                raise PaymentUnderWay
        elif buyer.user and buyer.user.email_key == email_key(wishes.gift.recipient_email):
            raise GiftRefused("gift-to-yourself")
        has_bought = await _has_bought(db, buyer)
    code = None
    if wishes.code:
        code = await find_code(payments, wishes.code, price, _product_id(course), has_bought=has_bought, now=now)
    async with database.transaction() as db:
        # Two clicks at once take turns here, and the second finds the first one's order.
        await db.get(Course, course.id, with_for_update=True)
        for order in await _open_orders(db, course, buyer, now):
            as_before = (order.amount, order.currency, order.promotion_code_id) == (price.amount, price.currency, code)
            if as_before and await _is_same_wish(db, order, wishes.gift, site, now):
                if order.checkout_url:
                    return order.checkout_url
                if now - order.created_at < STILL_ASKING:
                    break  # another click is asking Stripe right now; the same question gets the same page
        else:
            order = await _new_order(db, course, buyer, amount=price.amount, currency=price.currency, now=now)
            order.promotion_code_id = code
            if wishes.gift is not None:
                keep_wishes(db, order, wishes.gift, timezone=site.timezone, now=now)
    try:
        page = await payments.open_checkout(_page_of(order, course, buyer, site, site_url))
    except CodeTaken:
        raise CodeRefused("code-expired") from None
    async with database.transaction() as db:
        saved = await db.get_one(Order, order.id)
        saved.session_id, saved.checkout_url = page.session_id, page.url
    return page.url


def _page_of(order: Order, course: LiveCourse, buyer: Buyer, site: Site, site_url: str) -> CheckoutRequest:
    """The payment page of an order; nothing of it depends on the moment, so that asking twice is asking once."""
    return CheckoutRequest(
        order_id=order.public_id,
        product_id=_product_id(course),
        product_name=course.file.title,
        amount=order.amount,
        currency=order.currency,
        success_url=f"{site_url}{urls.CHECKOUT_SUCCESS}?order={order.public_id}",
        cancel_url=f"{site_url}{(urls.gift if order.is_gift else urls.course)(course.file.slug)}#cancelled",
        email=buyer.user.email if buyer.user else None,
        expires_at=order.created_at + PAGE_LIFE,
        promotion_code_id=order.promotion_code_id,
        choose_code=site.promotion_codes == "stripe",
    )


def _product_id(course: LiveCourse) -> str:
    return f"coursewright_{course.file.id}"


async def take_free_course(db: AsyncSession, course: LiveCourse, buyer: Buyer, *, now: datetime) -> Order:
    """A free course: at once for somebody signed in; a guest gets a mailed link. Raises AlreadyOwned, EmailNeeded."""
    if course.file.price is not None:
        raise ValueError("this course has a price")
    await _refuse_owner(db, course, buyer)
    email = buyer.user.email if buyer.user else buyer.email
    if not email:
        raise EmailNeeded
    if buyer.user is None and (earlier := await _earlier_free_order(db, course, email)):
        # Asked for again: the same link once more, and no second order.
        await enqueue_mail(db, "claim", f"claim.{earlier.public_id}.{now:%Y%m%d%H%M}", now=now, order_id=earlier.id)
        return earlier
    order = await _new_order(db, course, buyer, amount=0, currency="EUR", now=now)
    order.email, order.email_key = order.owner_email, order.owner_email_key = email, email_key(email)
    order.state, order.paid_at, order.total_amount = "paid", now, 0
    # Nobody paid, so nothing proves the address: this purchase opens by its mailed link only.
    order.browser_hash = None
    await db.flush()
    await settle_access(db, order, now=now, actor=_actor(buyer))
    return order


async def _earlier_free_order(db: AsyncSession, course: LiveCourse, email: str) -> Order | None:
    return await db.scalar(
        select(Order)
        .where(Order.course_id == course.id, Order.email_key == email_key(email), Order.session_id.is_(None))
        .where(Order.amount == 0, Order.state == "paid")
        .limit(1)
    )


async def _refuse_owner(db: AsyncSession, course: LiveCourse, buyer: Buyer) -> None:
    if buyer.user and await entitlements.may_watch(db, buyer.user.id, course.id):
        raise AlreadyOwned
    bought_here = select(Order).where(
        Order.course_id == course.id, Order.browser_hash == hash_token(buyer.browser), Order.is_gift.is_(False)
    )
    for order in await db.scalars(bought_here):
        if buyer.user and order.user_id is not None:
            continue  # somebody else's, at the same machine
        if order.user_id is not None and not await entitlements.may_watch(db, order.user_id, course.id):
            continue
        if await opens(db, order):
            raise AlreadyOwned(order.public_id)


async def _is_under_way(db: AsyncSession, course: LiveCourse, buyer: Buyer) -> bool:
    whose = Order.browser_hash == hash_token(buyer.browser)
    if buyer.user:
        whose = or_(whose, Order.user_id == buyer.user.id)
    under_way = select(Order.id).where(
        Order.course_id == course.id, Order.state == "pending", Order.under_way, Order.is_gift.is_(False), whose
    )
    return (await db.scalar(under_way.limit(1))) is not None


async def _has_bought(db: AsyncSession, buyer: Buyer) -> bool:
    """Whether this buyer has paid for anything before, as far as we can know."""
    whose = Order.browser_hash == hash_token(buyer.browser)
    if buyer.user:
        whose = or_(whose, Order.buyer_id == buyer.user.id, Order.email_key == buyer.user.email_key)
    bought = select(Order.id).where(whose, Order.paid_at.is_not(None), Order.session_id.is_not(None))
    return (await db.scalar(bought.limit(1))) is not None


async def _open_orders(db: AsyncSession, course: LiveCourse, buyer: Buyer, now: datetime) -> list[Order]:
    """Payment pages of which a second click, or a second tab, should get one again; the newest first."""
    found = await db.scalars(
        select(Order)
        .where(
            Order.course_id == course.id,
            Order.state == "pending",
            Order.browser_hash == hash_token(buyer.browser),
            Order.buyer_id == buyer.user.id if buyer.user else Order.buyer_id.is_(None),
            Order.created_at > now - REUSE,
        )
        .order_by(Order.id.desc())
    )
    return list(found)


async def _is_same_wish(db: AsyncSession, order: Order, gift: GiftWishes | None, site: Site, now: datetime) -> bool:
    if gift is None or not order.is_gift:
        return gift is None and not order.is_gift
    return await same_wishes(db, order, gift, timezone=site.timezone, now=now)


async def _new_order(
    db: AsyncSession, course: LiveCourse, buyer: Buyer, *, amount: int, currency: str, now: datetime
) -> Order:
    order = Order(
        public_id=make_public_id("ord"),
        course_id=course.id,
        buyer_id=buyer.user.id if buyer.user else None,
        user_id=buyer.user.id if buyer.user else None,
        state="pending",
        amount=amount,
        currency=currency,
        browser_hash=hash_token(buyer.browser),
        created_at=now,
    )
    if buyer.user:
        order.email, order.email_key = buyer.user.email, buyer.user.email_key
        order.owner_email, order.owner_email_key = order.email, order.email_key
    db.add(order)
    await db.flush()
    record(
        db,
        Action.ORDER_CREATED,
        at=now,
        actor=_actor(buyer),
        course_id=course.id,
        user_id=order.user_id,
        order_id=order.id,
        order=order.public_id,
        amount=amount,
        currency=currency,
    )
    return order


def _actor(buyer: Buyer) -> str:
    return f"user:{buyer.user.id}" if buyer.user else "guest"
