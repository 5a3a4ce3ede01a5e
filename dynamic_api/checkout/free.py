"""Courses that cost nothing: taken for oneself, or given to somebody."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.checkout.buyer import Buyer, refuse_owner
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import ClaimLink, minute, queue_message
from dynamic_api.core.models import Course, Order
from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.core.states import OrderState
from dynamic_api.orders.create import Item, Person, create_order
from dynamic_api.orders.gifts import GiftDetails, make_gift
from dynamic_api.orders.reconcile import settle_access
from dynamic_api.service import Service


class SignInNeeded(Exception):
    """Only somebody who is signed in may do this."""


class EmailNeeded(Exception):
    """A guest asked for a free course without giving an address."""


async def take_free_course(service: Service, course: CatalogCourse, buyer: Buyer) -> None:
    """A free course: at once for somebody signed in; a guest gets an emailed link. Raises AlreadyOwned, EmailNeeded."""
    _check_free(course)
    now = service.clock()
    email = buyer.learner.email if buyer.learner else buyer.email
    async with service.database.transaction() as db:
        await refuse_owner(db, [course.id], buyer)
        if email is None:
            raise EmailNeeded
        if buyer.learner is None and (earlier := await _earlier_order(db, course, email)):
            # Asked for again: the same link once more, and no second order.
            await queue_message(db, ClaimLink.about(earlier, minute(now)), now=now)
            return
        # Nobody paid, so nothing proves the address: the order names no browser, and only its emailed link opens it.
        order = await _create(service, db, course, buyer, Person(buyer.person.user_id, email))
        await settle_access(db, order, now=now, actor=buyer.actor)


async def give_free_course(service: Service, course: CatalogCourse, buyer: Buyer, details: GiftDetails) -> None:
    """A free course for somebody else. Only for people who are signed in: it emails a message to a stranger, and costs
    nothing. Raises SignInNeeded, FormRefused.
    """
    _check_free(course)
    if buyer.learner is None:
        raise SignInNeeded
    if buyer.learner.email_key == details.recipient_email.key:
        raise FormRefused(Notice.GIFT_TO_YOURSELF)
    now = service.clock()
    async with service.database.transaction() as db:
        await db.get(Course, course.id, with_for_update=True)
        order = await _create(service, db, course, buyer, buyer.person)
        order.browser_hash = buyer.browser_hash
        make_gift(db, order, details, timezone=service.catalog.current.site.timezone, now=now)
        await db.flush()
        await settle_access(db, order, now=now, actor=buyer.actor)


def _check_free(course: CatalogCourse) -> None:
    if course.definition.price is not None:
        raise ValueError("this course has a price")


async def _create(service: Service, db: AsyncSession, course: CatalogCourse, buyer: Buyer, person: Person) -> Order:
    currency = service.catalog.current.currency
    items = [Item(course.id, amount=0)]
    return await create_order(db, items, person, currency=currency, now=service.clock(), actor=buyer.actor, paid=True)


async def _earlier_order(db: AsyncSession, course: CatalogCourse, email: Email) -> Order | None:
    return await db.scalar(
        select(Order)
        .where(Order.sells(course.id), Order.buyer_email_key == email.key, Order.session_id.is_(None))
        .where(Order.amount == 0, Order.state == OrderState.PAID)
        .limit(1)
    )
