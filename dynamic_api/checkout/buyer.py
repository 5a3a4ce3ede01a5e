"""Who is buying, and what they have and have begun already."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.claims.claims import is_buyers
from dynamic_api.core.audit import GUEST, by_user
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Order
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId, hash_token
from dynamic_api.orders import entitlements
from dynamic_api.orders.access import granting_lines
from dynamic_api.orders.create import Person
from dynamic_api.web.identity import Learner


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

    @property
    def browser_hash(self) -> str:
        """What an order keeps of the browser."""
        return hash_token(self.browser)

    @property
    def person(self) -> Person:
        """Whom an order of theirs is for."""
        return Person(self.learner.id, self.learner.email) if self.learner else Person()

    @property
    def orders(self) -> ColumnElement[bool]:
        """Orders that were begun in this browser, or by this account."""
        in_browser = Order.browser_hash == self.browser_hash
        return or_(in_browser, Order.buyer_id == self.learner.id) if self.learner else in_browser


class AlreadyOwned(Exception):
    """The buyer has this course; `order` names the purchase of a browser whose buyer is not signed in."""

    def __init__(self, order: PublicOrderId | None = None) -> None:
        super().__init__(order)
        self.order = order


async def refuse_owner(db: AsyncSession, course_ids: Sequence[int], buyer: Buyer) -> None:
    """Nobody pays for what they have. Raises AlreadyOwned when all of the courses are theirs."""
    wanted = set(course_ids)
    if buyer.learner:
        wanted -= await entitlements.courses_of(db, buyer.learner.id)
    if not wanted:
        raise AlreadyOwned
    bought_here = select(Order).where(
        or_(*(Order.sells(course_id) for course_id in course_ids)),
        Order.browser_hash == buyer.browser_hash,
        Order.is_gift.is_(False),
    )
    for order in await db.scalars(bought_here):
        if buyer.learner and not is_buyers(order, buyer.learner.email_key):
            continue  # somebody else bought it in this browser
        held = {line.course_id for line in await granting_lines(db, order)}
        if order.owner_id is not None:
            held &= await entitlements.courses_of(db, order.owner_id)
        wanted -= held
        if not wanted:
            raise AlreadyOwned(order.public_id)


async def is_processing(db: AsyncSession, course_ids: Sequence[int], buyer: Buyer) -> bool:
    """Whether they have ordered a bank debit for any of the courses that has not arrived."""
    processing = select(Order.id).where(
        or_(*(Order.sells(course_id) for course_id in course_ids)),
        Order.state == OrderState.PENDING,
        Order.is_processing,
        Order.is_gift.is_(False),
        buyer.orders,
    )
    return (await db.scalar(processing.limit(1))) is not None


async def has_bought(db: AsyncSession, buyer: Buyer) -> bool:
    """Whether they have paid for anything before, as far as we can know."""
    whose = buyer.orders
    if buyer.learner:
        whose = or_(whose, Order.buyer_email_key == buyer.learner.email_key)
    bought = select(Order.id).where(whose, Order.paid_at.is_not(None), Order.session_id.is_not(None))
    return (await db.scalar(bought.limit(1))) is not None
