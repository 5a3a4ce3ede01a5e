"""Letters about an order: to its buyer, and to whom it is for."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from dynamic_api.accounts.claims import issue_claim_link
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.order_state import OrderState
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.mail import messages
from dynamic_api.mail.messages import Letter
from dynamic_api.models import Course, Gift, Order, User
from dynamic_api.service import Service
from sitegen import urls
from sitegen.catalog.model import Site

Written = tuple[str, Letter] | None


@dataclass(frozen=True)
class About:
    """An order as it stands when the letter is made."""

    order: Order
    course: Course
    gift: Gift | None
    owner: User | None
    opens: bool  # False where it was disputed or refunded meanwhile; what follows has letters of its own
    site: Site
    site_url: str

    @property
    def waits(self) -> bool:
        """Whether it still looks for its owner."""
        return self.opens and self.order.user_id is None


async def _about(service: Service, payload: dict[str, Any]) -> About:
    async with service.database.reading() as db:
        order = await db.get_one(Order, int(payload["order_id"]))
        course = await db.get_one(Course, order.course_id)
        gift = await db.get(Gift, order.id) if order.is_gift else None
        owner = await db.get(User, order.user_id) if order.user_id is not None else None
        opens_now = await opens(db, order)
    return About(order, course, gift, owner, opens_now, service.catalog.current.site, service.settings.site_url)


async def receipt(service: Service, payload: dict[str, Any]) -> Written:
    """The purchase is paid."""
    about = await _about(service, payload)
    if not about.opens or about.order.email is None:
        return None
    claim_url = await _claim_url(service, about.order) if about.waits else None
    library = about.site_url + urls.LIBRARY
    letter = messages.receipt(about.site, about.order, about.course.title, claim_url=claim_url, library_url=library)
    return about.order.email, letter


async def claim(service: Service, payload: dict[str, Any]) -> Written:
    """A new link, for whoever it is for."""
    about = await _about(service, payload)
    if not about.waits or about.order.owner_email is None:
        return None
    claim_url = await _claim_url(service, about.order)
    return about.order.owner_email, messages.claim(about.site, about.order, about.course.title, claim_url=claim_url)


async def refunded(service: Service, payload: dict[str, Any]) -> Written:
    """To the buyer: the money is on its way back. Not where the refund failed meanwhile, and the course is open."""
    about = await _about(service, payload)
    if about.order.email is None or about.opens or not about.order.refunded_amount:
        return None
    return about.order.email, messages.refunded(about.site, about.order, about.course.title)


async def payment_failed(service: Service, payload: dict[str, Any]) -> Written:
    """To the buyer: nothing was charged."""
    about = await _about(service, payload)
    if about.order.email is None or about.order.state != OrderState.FAILED:
        return None
    course_url = about.site_url + urls.course(about.course.slug)
    return about.order.email, messages.payment_failed(
        about.site, about.order, about.course.title, course_url=course_url
    )


async def access_ended(service: Service, payload: dict[str, Any]) -> Written:
    """To whoever had the course, or the link to it."""
    about = await _about(service, payload)
    if about.opens:
        return None
    to = about.owner.email if about.owner else about.order.owner_email
    return (to, messages.access_ended(about.site, about.order, about.course.title)) if to else None


async def gift(service: Service, payload: dict[str, Any]) -> Written:
    """To the recipient, once."""
    about = await _about(service, payload)
    to = about.order.owner_email
    if about.gift is None or to is None or about.gift.delivered_at is not None or not about.waits:
        return None
    claim_url = await _claim_url(service, about.order)
    return to, messages.gift(about.site, about.order, about.gift, about.course.title, claim_url=claim_url)


async def gift_confirmation(service: Service, payload: dict[str, Any]) -> Written:
    """To the buyer, and without a link that opens anything."""
    about = await _about(service, payload)
    if about.gift is None or not about.opens or about.order.email is None:
        return None
    day = about.gift.deliver_at.astimezone(ZoneInfo(about.site.timezone)).date()
    later = about.gift.deliver_at > service.clock()
    letter = messages.gift_confirmation(
        about.site,
        about.order,
        about.gift,
        about.course.title,
        gifts_url=about.site_url + urls.GIFTS,
        deliver_on=f"on {format_date(day, format='long', locale=about.site.language.replace('-', '_'))}"
        if later
        else "now",
    )
    return about.order.email, letter


async def gift_undeliverable(service: Service, payload: dict[str, Any]) -> Written:
    """To the buyer: the address takes no mail."""
    about = await _about(service, payload)
    if about.gift is None or about.gift.undeliverable_at is None or about.order.email is None or not about.waits:
        return None
    return about.order.email, messages.gift_undeliverable(about.site, about.order, about.gift, about.course.title)


async def mark_gift_undeliverable(service: Service, order_id: int) -> None:
    """The recipient's mail server refused the address for good; whoever gave is told, and may give another."""
    async with service.database.transaction() as db:
        order, gift = await db.get_one(Order, order_id), await db.get_one(Gift, order_id)
        gift.undeliverable_at = service.clock()
        identity = f"gift_undeliverable.{order.public_id}.{order.revision}"
        await enqueue_mail(db, "gift_undeliverable", identity, now=service.clock(), order_id=order.id)


async def mark_gift_delivered(service: Service, order_id: int) -> None:
    """The letter has left; from now on the recipient may ask for another link."""
    async with service.database.transaction() as db:
        gift = await db.get_one(Gift, order_id)
        gift.delivered_at = gift.delivered_at or service.clock()


async def _claim_url(service: Service, order: Order) -> str:
    async with service.database.transaction() as db:
        token = await issue_claim_link(db, await db.get_one(Order, order.id), now=service.clock())
    # Behind the #: the token never reaches a log, a proxy or a referrer.
    return f"{service.settings.site_url}{urls.CLAIM}#token={token}"


ORDER_LETTERS = {
    "receipt": receipt,
    "claim": claim,
    "refunded": refunded,
    "payment_failed": payment_failed,
    "access_ended": access_ended,
    "gift": gift,
    "gift_confirmation": gift_confirmation,
    "gift_undeliverable": gift_undeliverable,
}
