"""Messages about an order: to its buyer, and to the person it is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from babel.dates import format_date

from dynamic_api.claims.claims import issue_claim_link
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import (
    AccessEnded,
    ClaimLink,
    GiftConfirmation,
    GiftDelivery,
    GiftUndeliverable,
    OrderMessage,
    PaidTwice,
    PaidTwiceNotice,
    PaymentFailed,
    Receipt,
    Refunded,
    queue_message,
)
from dynamic_api.core.models import Course, Gift, Order, OrderId, User
from dynamic_api.core.states import OrderState
from dynamic_api.mail import order_texts
from dynamic_api.mail.text import Text
from dynamic_api.orders.access import granting_lines
from dynamic_api.orders.doubles import earlier_payment
from dynamic_api.service import Service
from sitegen import urls
from sitegen.catalog.model import Site

Addressed = tuple[Email, Text] | None  # None when things changed and there is nothing to say any more


@dataclass(frozen=True)
class _Facts:
    """An order as it is when the email is written."""

    order: Order
    title: str  # of what was sold
    ended: str  # of what was sold and is gone with its money; empty when nothing is
    course_slug: str
    gift: Gift | None
    owner: User | None
    grants_access: bool  # false when it was disputed or refunded meanwhile; other messages tell that
    site: Site
    site_url: str

    @property
    def waits_for_owner(self) -> bool:
        """Whether it may still be claimed."""
        return self.grants_access and self.order.owner_id is None


async def _facts(service: Service, message: OrderMessage) -> _Facts:
    async with service.database.reading() as db:
        order = await db.get_one(Order, message.order_id)
        courses = [await db.get_one(Course, line.course_id) for line in order.lines]
        granting = await granting_lines(db, order)
        gift = await db.get(Gift, order.id) if order.is_gift else None
        owner = await db.get(User, order.owner_id) if order.owner_id is not None else None
    site, url = _site_of(service, courses), service.settings.site_url
    ended = [
        course
        for course, line in zip(courses, order.lines, strict=True)
        if line not in granting and line.state in (OrderState.REFUNDED, OrderState.PARTIALLY_REFUNDED)
    ]
    titles, gone = [" + ".join(each.title for each in some) for some in (courses, ended)]
    return _Facts(order, titles, gone, courses[0].slug, gift, owner, bool(granting), site, url)


def _site_of(service: Service, courses: Sequence[Course]) -> Site:
    """The school in the language of what was bought; in its own where that was courses in several."""
    catalog = service.catalog.current
    found = [catalog.find_course(course.slug) for course in courses]
    languages = {each.definition.language if each else None for each in found}
    return catalog.site.speaking(languages.pop()) if len(languages) == 1 else catalog.site


async def site_of(service: Service, message: OrderMessage) -> Site:
    """The school in the language of a message about an order; what the operator reads is in the school's own."""
    if isinstance(message, PaidTwiceNotice):
        return service.catalog.current.site
    async with service.database.reading() as db:
        order = await db.get_one(Order, message.order_id)
        return _site_of(service, [await db.get_one(Course, line.course_id) for line in order.lines])


async def receipt(service: Service, message: Receipt) -> Addressed:
    """The order is paid."""
    facts = await _facts(service, message)
    if not facts.grants_access or facts.order.buyer_email is None:
        return None
    claim_url = await _claim_url(service, facts.order) if facts.waits_for_owner else None
    library_url = facts.site_url + urls.LIBRARY
    text = order_texts.receipt(facts.site, facts.order, facts.title, claim_url=claim_url, library_url=library_url)
    return facts.order.buyer_email, text


async def claim(service: Service, message: ClaimLink) -> Addressed:
    """A new link, to the person the course is for."""
    facts = await _facts(service, message)
    if not facts.waits_for_owner or facts.order.owner_email is None:
        return None
    claim_url = await _claim_url(service, facts.order)
    return facts.order.owner_email, order_texts.claim(facts.site, facts.order, facts.title, claim_url=claim_url)


async def refunded(service: Service, message: Refunded) -> Addressed:
    """To the buyer: the money is on its way back. Not if the refund failed meanwhile, and the course is open again."""
    facts = await _facts(service, message)
    if facts.order.buyer_email is None or not facts.ended or not facts.order.refunded_amount:
        return None
    return facts.order.buyer_email, order_texts.refunded(facts.site, facts.order, facts.ended)


async def paid_twice(service: Service, message: PaidTwice) -> Addressed:
    """To the buyer, while both are paid."""
    facts, earlier = await _facts(service, message), await _earlier(service, message)
    if earlier is None or facts.order.buyer_email is None:
        return None
    return facts.order.buyer_email, order_texts.paid_twice(facts.site, facts.order, earlier, facts.title)


async def paid_twice_notice(service: Service, message: PaidTwiceNotice) -> Addressed:
    """To the operator, while both are paid."""
    facts, earlier = await _facts(service, message), await _earlier(service, message)
    if earlier is None:
        return None
    site = service.catalog.current.site
    text = order_texts.paid_twice_notice(site, facts.order, earlier, facts.title)
    return Email.lookup(facts.site.contact_email), text


async def _earlier(service: Service, message: OrderMessage) -> Order | None:
    async with service.database.reading() as db:
        return await earlier_payment(db, await db.get_one(Order, message.order_id))


async def payment_failed(service: Service, message: PaymentFailed) -> Addressed:
    """To the buyer: nothing was charged."""
    facts = await _facts(service, message)
    if facts.order.buyer_email is None or facts.order.state is not OrderState.FAILED:
        return None
    course_url = facts.site_url + urls.course(facts.course_slug)
    text = order_texts.payment_failed(facts.site, facts.order, facts.title, course_url=course_url)
    return facts.order.buyer_email, text


async def access_ended(service: Service, message: AccessEnded) -> Addressed:
    """To the person who had the course, or the link to it."""
    facts = await _facts(service, message)
    to = facts.owner.email if facts.owner else facts.order.owner_email
    if not facts.ended or to is None:
        return None
    return to, order_texts.access_ended(facts.site, facts.order, facts.ended)


async def gift(service: Service, message: GiftDelivery) -> Addressed:
    """To the recipient, once."""
    facts = await _facts(service, message)
    to = facts.order.owner_email
    if facts.gift is None or to is None or facts.gift.delivered_at is not None or not facts.waits_for_owner:
        return None
    claim_url = await _claim_url(service, facts.order)
    return to, order_texts.gift(facts.site, facts.order, facts.gift, facts.title, claim_url=claim_url)


async def gift_confirmation(service: Service, message: GiftConfirmation) -> Addressed:
    """To the buyer, and without a link that opens anything."""
    facts = await _facts(service, message)
    if facts.gift is None or not facts.grants_access or facts.order.buyer_email is None:
        return None
    day = ""
    if facts.gift.deliver_at > service.clock():
        local = facts.gift.deliver_at.astimezone(ZoneInfo(facts.site.timezone)).date()
        day = format_date(local, format="long", locale=facts.site.say.locale)
    text = order_texts.gift_confirmation(
        facts.site,
        facts.order,
        facts.gift,
        facts.title,
        gifts_url=facts.site_url + urls.GIFTS,
        day=day,
    )
    return facts.order.buyer_email, text


async def gift_undeliverable(service: Service, message: GiftUndeliverable) -> Addressed:
    """To the buyer: the recipient's address accepts no email."""
    facts = await _facts(service, message)
    is_stuck = facts.gift is not None and facts.gift.undeliverable_at is not None and facts.waits_for_owner
    if facts.gift is None or not is_stuck or facts.order.buyer_email is None:
        return None
    text = order_texts.gift_undeliverable(facts.site, facts.order, facts.gift, facts.title)
    return facts.order.buyer_email, text


async def mark_gift_undeliverable(service: Service, order_id: OrderId) -> None:
    """The recipient's mail server rejected the address permanently; the buyer is told, and may give another."""
    now = service.clock()
    async with service.database.transaction() as db:
        order, gift = await db.get_one(Order, order_id), await db.get_one(Gift, order_id)
        gift.undeliverable_at = now
        await queue_message(db, GiftUndeliverable.about(order, order.revision), now=now)


async def mark_gift_delivered(service: Service, order_id: OrderId) -> None:
    """The email was sent; from now on the recipient may ask for another link."""
    async with service.database.transaction() as db:
        gift = await db.get_one(Gift, order_id)
        gift.delivered_at = gift.delivered_at or service.clock()


async def _claim_url(service: Service, order: Order) -> str:
    async with service.database.transaction() as db:
        token = await issue_claim_link(db, await db.get_one(Order, order.id), now=service.clock())
    # The token follows the #, so that it never reaches a log, a proxy or a referrer.
    return f"{service.settings.site_url}{urls.CLAIM}#token={token}"
