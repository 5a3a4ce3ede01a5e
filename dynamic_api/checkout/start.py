"""The beginning of a purchase: a row first, then the buyer leaves for Stripe."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.checkout.buyer import Buyer, has_bought, is_processing, refuse_owner
from dynamic_api.checkout.offer import Offer
from dynamic_api.checkout.promotion_codes import find_code
from dynamic_api.core.models import Course, Installation, Order, User
from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.core.operator_notices import tell_operator
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import hash_token
from dynamic_api.gateways.checkout_page import CheckoutRequest
from dynamic_api.gateways.payment_errors import CodeTaken, CodeTooLarge, CustomerMissing, PaymentMissing
from dynamic_api.gateways.payments import CheckoutPage
from dynamic_api.orders.create import Item, create_order
from dynamic_api.orders.gifts import GiftDetails, is_same_gift, make_gift
from dynamic_api.orders.reconcile import OrderBusy, reconcile_order
from dynamic_api.service import Service
from dynamic_api.web.identity import Learner
from sitegen import urls

# Stripe takes 30 minutes to 24 hours: in the middle, neither a wrong clock nor slow attempts can be refused.
PAGE_LIFETIME = timedelta(hours=12)
REUSED_FOR = timedelta(hours=11)  # a payment page as young as this serves a second click, or a second tab
ASKED_AGAIN_AFTER = timedelta(seconds=5)  # before that, a second click is a double click
ASKING_STRIPE = timedelta(seconds=45)  # how long another click may still be waiting for Stripe's answer


@dataclass(frozen=True)
class Options:
    """What a buyer wants beyond the offer: that it is a gift, and a code that was typed into our own box."""

    gift: GiftDetails | None = None
    code: str = ""


class PaymentProcessing(Exception):
    """The buyer has ordered a bank debit for this course, and it has not arrived yet."""


async def start_checkout(service: Service, offer: Offer, buyer: Buyer, options: Options) -> str:
    """The address to send the buyer to; the price is the catalogue's.

    Raises AlreadyOwned, PaymentProcessing, FormRefused, PaymentsUnavailable.
    """
    now, payments = service.clock(), service.gateways.payments
    if options.gift is None:
        await _look_at_open_pages(service, offer, buyer, now)
    async with service.database.reading() as db:
        installation = (await db.get_one(Installation, 1)).key
        if options.gift is None:
            await refuse_owner(db, offer.course_ids, buyer)
            if await is_processing(db, offer.course_ids, buyer):
                raise PaymentProcessing
        elif buyer.learner and buyer.learner.email_key == options.gift.recipient_email.key:
            raise FormRefused(Notice.GIFT_TO_YOURSELF)
        is_first = not await has_bought(db, buyer)
        customer = (await db.get_one(User, buyer.learner.id)).customer_id if buyer.learner else None
    items = offer.items(installation)
    code = None
    if options.code:
        products = [each.product_id(installation) for each in offer.courses]
        code = await find_code(
            payments, options.code, offer.price, products, has_bought=not is_first, customer=customer, now=now
        )
    order = await _order_for(service, offer, items, buyer, options, code, now=now)
    if order.checkout_url:
        return order.checkout_url
    try:
        page = await _open_page(service, order, offer, buyer, customer)
    except CodeTaken:
        raise FormRefused(Notice.CODE_EXPIRED) from None
    except CodeTooLarge:
        raise FormRefused(Notice.CODE_TOO_LARGE) from None
    async with service.database.transaction() as db:
        saved = await db.get_one(Order, order.id)
        saved.session_id, saved.checkout_url = page.session_id, page.url
    return page.url


async def _look_at_open_pages(service: Service, offer: Offer, buyer: Buyer, now: datetime) -> None:
    """Ask Stripe about the buyer's own pages: one may be paid and its webhook lost. Raises PaymentsUnavailable."""
    unfinished = (
        select(Order.id)
        .where(Order.state == OrderState.PENDING, Order.is_gift.is_(False), buyer.orders)
        .where(*(Order.sells(course_id) for course_id in offer.course_ids))
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
    offer: Offer,
    items: Sequence[Item],
    buyer: Buyer,
    options: Options,
    code: str | None,
    *,
    now: datetime,
) -> Order:
    """A new order, or an open one that the same buyer began a moment ago with the same options."""
    timezone = service.catalog.current.site.timezone
    async with service.database.transaction() as db:
        # Two clicks at once take turns here, and the second finds the first one's order.
        for course_id in sorted(offer.course_ids):
            await db.get(Course, course_id, with_for_update=True)
        for order in await _open_orders(db, offer, buyer, now):
            if (order.currency, order.promotion_code_id) != (offer.price.currency, code):
                continue
            if [(line.course_id, line.amount) for line in order.lines] != [
                (each.course_id, each.amount) for each in items
            ]:
                continue
            if not await _is_same_wish(db, order, options.gift, timezone=timezone):
                continue
            # Without an address, another click is asking Stripe right now; the same question gets the same page.
            if order.checkout_url or now - order.created_at < ASKING_STRIPE:
                return order
        order = await create_order(db, items, buyer.person, currency=offer.price.currency, now=now, actor=buyer.actor)
        order.browser_hash = buyer.browser_hash
        order.promotion_code_id, order.livemode = code, service.gateways.payments.livemode
        if options.gift is not None:
            make_gift(db, order, options.gift, timezone=timezone, now=now)
    return order


async def _keep_customer(service: Service, learner: Learner, known: str | None, installation: str) -> str | None:
    """The buyer's customer at Stripe, which the account remembers."""
    email = learner.email_spelling
    key = f"customer-{installation}-{learner.id}-{known or 'first'}-{hash_token(email)[:16]}"
    customer = await service.gateways.payments.keep_customer(known, email, key=key)
    if customer is not None and customer == known:
        return customer
    async with service.database.transaction() as db:
        if customer is None:
            why = "The key may not write customers: codes for first purchases cannot tell who has bought before."
            await tell_operator(db, "customers", why, now=service.clock())
        else:
            (await db.get_one(User, learner.id)).customer_id = customer
    return customer


async def _open_page(service: Service, order: Order, offer: Offer, buyer: Buyer, known: str | None) -> CheckoutPage:
    """The payment page; with a new customer, where somebody deleted the old one in the dashboard meanwhile."""
    payments = service.gateways.payments
    if buyer.learner is None:
        return await payments.open_checkout(_page_of(service, order, offer, None, None))
    customer = await _keep_customer(service, buyer.learner, known, order.installation)
    try:
        return await payments.open_checkout(_page_of(service, order, offer, buyer.learner, customer))
    except CustomerMissing:
        customer = await _keep_customer(service, buyer.learner, customer, order.installation)
        return await payments.open_checkout(_page_of(service, order, offer, buyer.learner, customer))


def _page_of(
    service: Service, order: Order, offer: Offer, learner: Learner | None, customer: str | None
) -> CheckoutRequest:
    """The payment page of an order; nothing of it depends on the moment, so that asking twice is asking once."""
    site_url = service.settings.site_url
    back = (urls.gift if order.is_gift else urls.course)(offer.slug)
    return CheckoutRequest(
        order_id=order.public_id,
        installation=order.installation,
        lines=offer.checkout_lines(order.installation),
        currency=order.currency,
        success_url=f"{site_url}{urls.CHECKOUT_SUCCESS}?order={order.public_id}",
        cancel_url=f"{site_url}{back}#{Notice.PAYMENT_CANCELLED}",
        email=learner.email_spelling if learner else None,
        customer=customer,
        expires_at=order.created_at + PAGE_LIFETIME,
        promotion_code_id=order.promotion_code_id,
        choose_code=service.catalog.current.site.promotion_codes == "stripe",
    )


async def _open_orders(db: AsyncSession, offer: Offer, buyer: Buyer, now: datetime) -> list[Order]:
    """Orders whose payment page a second click, or a second tab, should get again; newest first."""
    found = await db.scalars(
        select(Order)
        .where(
            *(Order.sells(course_id) for course_id in offer.course_ids),
            Order.state == OrderState.PENDING,
            Order.browser_hash == buyer.browser_hash,
            Order.buyer_id == buyer.learner.id if buyer.learner else Order.buyer_id.is_(None),
            Order.created_at > now - REUSED_FOR,
        )
        .order_by(Order.id.desc())
    )
    return list(found)


async def _is_same_wish(db: AsyncSession, order: Order, gift: GiftDetails | None, *, timezone: str) -> bool:
    if gift is None or not order.is_gift:
        return gift is None and not order.is_gift
    return await is_same_gift(db, order, gift, timezone=timezone)
