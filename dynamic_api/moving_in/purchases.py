"""One purchase from elsewhere → an order that is paid, and waits for its owner or has one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import OPERATOR
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import ClaimLink, minute, queue_message
from dynamic_api.core.models import Gift, ImportedOrder, Installation, Order, OrderLine
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import make_public_order_id
from dynamic_api.orders import entitlements
from dynamic_api.orders.create import record_created


@dataclass(frozen=True)
class ImportedGift:
    """Whom a purchase was given to. `claimed` where they have it already."""

    recipient: Email
    recipient_name: str
    sender_name: str
    message: str


@dataclass(frozen=True)
class Purchase:
    """What somebody bought elsewhere. Amounts in minor units; `key` names it there, and is the same at every import.

    `owner_id` is an account that has it; without one, whoever proves the address gets it.
    """

    key: str
    buyer: Email
    course_ids: tuple[int, ...]
    amounts: tuple[int, ...]
    currency: str
    bought_at: datetime
    state: OrderState = OrderState.PAID
    refunded_amount: int = 0
    owner_id: int | None = None
    gift: ImportedGift | None = None
    receipt_url: str | None = None


async def import_purchase(db: AsyncSession, purchase: Purchase, source: str, *, now: datetime, invite: bool) -> bool:
    """Write an order, and grant what it opens. False where it was imported before.

    Nobody is emailed unless `invite`: then an owner without an account gets a link.
    """
    name = hashlib.sha256(f"{source}:{purchase.key}".encode()).hexdigest()
    if await db.get(ImportedOrder, name) is not None:
        return False
    order = await _order(db, purchase)
    db.add(ImportedOrder(key=name, order_id=order.id, imported_at=now))
    record_created(db, order, at=now, actor=OPERATOR, reason=f"import {source}")
    for line in order.lines:
        if order.owner_id is not None and order.state is not OrderState.REFUNDED:
            await entitlements.grant_line(db, order, line, at=purchase.bought_at, actor=OPERATOR)
    if invite and order.owner_id is None and order.state is not OrderState.REFUNDED:
        await queue_message(db, ClaimLink.about(order, minute(now)), now=now)
    await db.flush()
    return True


async def _order(db: AsyncSession, purchase: Purchase) -> Order:
    total = sum(purchase.amounts)
    is_refunded = purchase.state is OrderState.REFUNDED
    owner = purchase.gift.recipient if purchase.gift else purchase.buyer
    order = Order(
        public_id=make_public_order_id(),
        installation=(await db.get_one(Installation, 1)).key,
        buyer_email=purchase.buyer,
        owner_email=owner,
        owner_id=purchase.owner_id,
        buyer_id=purchase.owner_id if purchase.gift is None else None,
        is_gift=purchase.gift is not None,
        state=purchase.state,
        amount=total,
        currency=purchase.currency,
        total_amount=total,
        total_currency=purchase.currency,
        refunded_amount=total if is_refunded else purchase.refunded_amount,
        receipt_url=purchase.receipt_url,
        created_at=purchase.bought_at,
        paid_at=purchase.bought_at,
        refunded_at=purchase.bought_at if is_refunded else None,
        lines=_lines(purchase),
    )
    db.add(order)
    await db.flush()
    if purchase.gift is not None:
        gift = purchase.gift
        db.add(
            Gift(
                order_id=order.id,
                recipient_name=gift.recipient_name[:120],
                sender_name=gift.sender_name[:120],
                message=gift.message[:2000],
                deliver_at=purchase.bought_at,
                delivered_at=purchase.bought_at,
            )
        )
    return order


def _lines(purchase: Purchase) -> Sequence[OrderLine]:
    is_refunded = purchase.state is OrderState.REFUNDED
    return [
        OrderLine(
            position=number,
            course_id=course_id,
            amount=amount,
            currency=purchase.currency,
            total_amount=amount,
            refunded_amount=amount if is_refunded else 0,
            state=purchase.state,
        )
        for number, (course_id, amount) in enumerate(zip(purchase.course_ids, purchase.amounts, strict=True), 1)
    ]
