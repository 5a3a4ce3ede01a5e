"""The beginning of an order: a row first, then the buyer leaves for Stripe."""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.checkout.promotion_codes import find_code
from dynamic_api.claims.claims import is_buyers
from dynamic_api.core.audit import GUEST, Action, by_user, record
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import ClaimLink, minute, queue_message
from dynamic_api.core.models import Course, Order
from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId, hash_token, make_public_order_id
from dynamic_api.gateways.payment_errors import CodeTaken, CodeTooLarge, PaymentMissing
from dynamic_api.gateways.payments import CheckoutRequest
from dynamic_api.orders import entitlements
from dynamic_api.orders.access import grants_access
from dynamic_api.orders.gifts import GiftDetails, is_same_gift, make_gift
from dynamic_api.orders.reconcile import OrderBusy, reconcile_order, settle_access
from dynamic_api.service import Service
from dynamic_api.web.identity import Learner
from sitegen import urls
from sitegen.catalog.model import Price

# Stripe takes 30 minutes to 24 hours: in the middle, neither a wrong clock nor slow attempts can be refused.
PAGE_LIFETIME = timedelta(hours=12)
REUSED_FOR = timedelta(hours=11)  # a payment page as young as this serves a second click, or a second tab
ASKED_AGAIN_AFTER = timedelta(seconds=5)  # before that, a second click is a double click
ASKING_STRIPE = timedelta(seconds=45)  # how long another click may still be waiting for Stripe's answer


@dataclass(frozen=True)
class Buyer:
    """Who is buying: somebody signed in, or the holder of a browser's checkout cookie."""

    learner: Learner | None
    browser: str
    email: Email | None = None

    @property
    def actor(self) -> str:
        """The buyer's name in the audit log."""
        return by_user(self.learner.id) if self.learner else GUEST


@dataclass(frozen=True)
class Options:
    """What a buyer wants beyond the course: that it is a gift, and a code that was typed into our own box."""

    gift: GiftDetails | None = None
    code: str = ""


class AlreadyOwned(Exception):
    """The buyer has this course; `order` names the purchase of a browser whose buyer is not signed in."""

    def __init__(self, order: PublicOrderId | None = None) -> None:
        super().__init__(order)
        self.order = order


class PaymentProcessing(Exception):
    """The buyer has ordered a bank debit for this course, and it has not arrived yet."""


class SignInNeeded(Exception):
    """Only somebody who is signed in may do this."""


class EmailNeeded(Exception):
    """A guest asked for a free course without giving an address."""


async def start_checkout(service: Service, course: CatalogCourse, buyer: Buyer, options: Options) -> str:
    """The address to send the buyer to; the price is the catalogue's.

    Raises AlreadyOwned, PaymentProcessing, FormRefused, PaymentsUnavailable.
    """
    price, now, payments = course.definition.price, service.clock(), service.gateways.payments
    if price is None:
        raise ValueError("a free course is not bought")
    if options.gift is None:
        await _look_at_open_pages(service, course, buyer, now)
    async with service.database.reading() as db:
        if options.gift is None:
            await _refuse_owner(db, course, buyer)
            if await _is_processing(db, course, buyer):
                raise PaymentProcessing
        elif buyer.learner and buyer.learner.email_key == options.gift.recipient_email.key:
            raise FormRefused(Notice.GIFT_TO_YOURSELF)
        has_bought = await _has_bought(db, buyer)
    code = None
    if options.code:
        code = await find_code(payments, options.code, price, _product_id(course), has_bought=has_bought, now=now)
    order = await _order_for(service, course, buyer, options, price, code, now=now)
    if order.checkout_url:
        return order.checkout_url
    try:
        page = await payments.open_checkout(_page_of(service, order, course, buyer))
    except CodeTaken:
        raise FormRefused(Notice.CODE_EXPIRED) from None
    except CodeTooLarge:
        raise FormRefused(Notice.CODE_TOO_LARGE) from None
    async with service.database.transaction() as db:
        saved = await db.get_one(Order, order.id)
        saved.session_id, saved.checkout_url = page.session_id, page.url
    return page.url


async def _look_at_open_pages(service: Service, course: CatalogCourse, buyer: Buyer, now: datetime) -> None:
    """Ask Stripe about the buyer's own pages: one may be paid and its webhook lost. Raises PaymentsUnavailable."""
    whose = Order.browser_hash == hash_token(buyer.browser)
    if buyer.learner:
        whose = or_(whose, Order.buyer_id == buyer.learner.id)
    unfinished = (
        select(Order.id)
        .where(Order.course_id == course.id, Order.state == OrderState.PENDING, Order.is_gift.is_(False), whose)
        .where(Order.session_id.is_not(None), Order.created_at <= now - ASKED_AGAIN_AFTER)
        .where(Order.created_at > now - PAGE_LIFETIME)
        .order_by(Order.id.desc())
        .limit(3)
    )
    async with service.database.reading() as db:
        orders = list(await db.scalars(unfinished))
    for order_id in orders:
        with contextlib.suppress(OrderBusy, PaymentMissing):
            await reconcile_order(service, order_id, actor="buy button")


async def _order_for(
    service: Service,
    course: CatalogCourse,
    buyer: Buyer,
    options: Options,
    price: Price,
    code: str | None,
    *,
    now: datetime,
) -> Order:
    """A new order, or an open one that the same buyer began a moment ago with the same options."""
    timezone = service.catalog.current.site.timezone
    async with service.database.transaction() as db:
        # Two clicks at once take turns here, and the second finds the first one's order.
        await db.get(Course, course.id, with_for_update=True)
        for order in await _open_orders(db, course, buyer, now):
            if (order.amount, order.currency, order.promotion_code_id) != (price.amount, price.currency, code):
                continue
            if not await _is_same_wish(db, order, options.gift, timezone=timezone, now=now):
                continue
            # Without an address, another click is asking Stripe right now; the same question gets the same page.
            if order.checkout_url or now - order.created_at < ASKING_STRIPE:
                return order
        order = await _new_order(db, course, buyer, amount=price.amount, currency=price.currency, now=now)
        order.promotion_code_id, order.livemode = code, service.gateways.payments.livemode
        if options.gift is not None:
            make_gift(db, order, options.gift, timezone=timezone, now=now)
    return order


def _page_of(service: Service, order: Order, course: CatalogCourse, buyer: Buyer) -> CheckoutRequest:
    """The payment page of an order; nothing of it depends on the moment, so that asking twice is asking once."""
    site_url, slug = service.settings.site_url, course.definition.slug
    return CheckoutRequest(
        order_id=order.public_id,
        product_id=_product_id(course),
        product_name=course.definition.title,
        amount=order.amount,
        currency=order.currency,
        success_url=f"{site_url}{urls.CHECKOUT_SUCCESS}?order={order.public_id}",
        cancel_url=f"{site_url}{(urls.gift if order.is_gift else urls.course)(slug)}#{Notice.PAYMENT_CANCELLED}",
        email=buyer.learner.email_spelling if buyer.learner else None,
        expires_at=order.created_at + PAGE_LIFETIME,
        promotion_code_id=order.promotion_code_id,
        choose_code=service.catalog.current.site.promotion_codes == "stripe",
    )


def _product_id(course: CatalogCourse) -> str:
    return f"coursewright_{course.definition.id}"


async def take_free_course(service: Service, course: CatalogCourse, buyer: Buyer) -> None:
    """A free course: at once for somebody signed in; a guest gets an emailed link. Raises AlreadyOwned, EmailNeeded."""
    if course.definition.price is not None:
        raise ValueError("this course has a price")
    now = service.clock()
    email = buyer.learner.email if buyer.learner else buyer.email
    async with service.database.transaction() as db:
        await _refuse_owner(db, course, buyer)
        if email is None:
            raise EmailNeeded
        if buyer.learner is None and (earlier := await _earlier_free_order(db, course, email)):
            # Asked for again: the same link once more, and no second order.
            await queue_message(db, ClaimLink.about(earlier, minute(now)), now=now)
            return
        order = await _new_order(db, course, buyer, amount=0, currency=service.catalog.current.currency, now=now)
        order.buyer_email = order.owner_email = email
        order.state, order.paid_at, order.total_amount = OrderState.PAID, now, 0
        # Nobody paid, so nothing proves the address: only its emailed link opens this purchase.
        order.browser_hash = None
        await db.flush()
        await settle_access(db, order, now=now, actor=buyer.actor)


async def give_free_course(service: Service, course: CatalogCourse, buyer: Buyer, details: GiftDetails) -> None:
    """A free course for somebody else. Only for people who are signed in: it emails a message to a stranger, and costs
    nothing. Raises SignInNeeded, FormRefused.
    """
    if course.definition.price is not None:
        raise ValueError("this course has a price")
    if buyer.learner is None:
        raise SignInNeeded
    if buyer.learner.email_key == details.recipient_email.key:
        raise FormRefused(Notice.GIFT_TO_YOURSELF)
    now, catalog = service.clock(), service.catalog.current
    async with service.database.transaction() as db:
        await db.get(Course, course.id, with_for_update=True)
        order = await _new_order(db, course, buyer, amount=0, currency=catalog.currency, now=now)
        order.state, order.paid_at, order.total_amount = OrderState.PAID, now, 0
        make_gift(db, order, details, timezone=catalog.site.timezone, now=now)
        await db.flush()
        await settle_access(db, order, now=now, actor=buyer.actor)


async def _earlier_free_order(db: AsyncSession, course: CatalogCourse, email: Email) -> Order | None:
    return await db.scalar(
        select(Order)
        .where(Order.course_id == course.id, Order.buyer_email_key == email.key, Order.session_id.is_(None))
        .where(Order.amount == 0, Order.state == OrderState.PAID)
        .limit(1)
    )


async def _refuse_owner(db: AsyncSession, course: CatalogCourse, buyer: Buyer) -> None:
    if buyer.learner and await entitlements.may_watch(db, buyer.learner.id, course.id):
        raise AlreadyOwned
    bought_here = select(Order).where(
        Order.course_id == course.id, Order.browser_hash == hash_token(buyer.browser), Order.is_gift.is_(False)
    )
    for order in await db.scalars(bought_here):
        if buyer.learner and not is_buyers(order, buyer.learner.email_key):
            continue  # somebody else bought it in this browser
        if order.owner_id is not None and not await entitlements.may_watch(db, order.owner_id, course.id):
            continue
        if await grants_access(db, order):
            raise AlreadyOwned(order.public_id)


async def _is_processing(db: AsyncSession, course: CatalogCourse, buyer: Buyer) -> bool:
    whose = Order.browser_hash == hash_token(buyer.browser)
    if buyer.learner:
        whose = or_(whose, Order.owner_id == buyer.learner.id)
    processing = select(Order.id).where(
        Order.course_id == course.id,
        Order.state == OrderState.PENDING,
        Order.is_processing,
        Order.is_gift.is_(False),
        whose,
    )
    return (await db.scalar(processing.limit(1))) is not None


async def _has_bought(db: AsyncSession, buyer: Buyer) -> bool:
    """Whether this buyer has paid for anything before, as far as we can know."""
    whose = Order.browser_hash == hash_token(buyer.browser)
    if buyer.learner:
        whose = or_(whose, Order.buyer_id == buyer.learner.id, Order.buyer_email_key == buyer.learner.email_key)
    bought = select(Order.id).where(whose, Order.paid_at.is_not(None), Order.session_id.is_not(None))
    return (await db.scalar(bought.limit(1))) is not None


async def _open_orders(db: AsyncSession, course: CatalogCourse, buyer: Buyer, now: datetime) -> list[Order]:
    """Orders whose payment page a second click, or a second tab, should get again; newest first."""
    found = await db.scalars(
        select(Order)
        .where(
            Order.course_id == course.id,
            Order.state == OrderState.PENDING,
            Order.browser_hash == hash_token(buyer.browser),
            Order.buyer_id == buyer.learner.id if buyer.learner else Order.buyer_id.is_(None),
            Order.created_at > now - REUSED_FOR,
        )
        .order_by(Order.id.desc())
    )
    return list(found)


async def _is_same_wish(
    db: AsyncSession, order: Order, gift: GiftDetails | None, *, timezone: str, now: datetime
) -> bool:
    if gift is None or not order.is_gift:
        return gift is None and not order.is_gift
    return await is_same_gift(db, order, gift, timezone=timezone, now=now)


async def _new_order(
    db: AsyncSession, course: CatalogCourse, buyer: Buyer, *, amount: int, currency: str, now: datetime
) -> Order:
    learner = buyer.learner
    order = Order(
        public_id=make_public_order_id(),
        course_id=course.id,
        buyer_id=learner.id if learner else None,
        owner_id=learner.id if learner else None,
        buyer_email=learner.email if learner else None,
        owner_email=learner.email if learner else None,
        state=OrderState.PENDING,
        amount=amount,
        currency=currency,
        browser_hash=hash_token(buyer.browser),
        created_at=now,
    )
    db.add(order)
    await db.flush()
    record(
        db,
        Action.ORDER_CREATED,
        at=now,
        actor=buyer.actor,
        course_id=course.id,
        user_id=order.owner_id,
        order_id=order.id,
        order=order.public_id,
        amount=amount,
        currency=currency,
    )
    return order
