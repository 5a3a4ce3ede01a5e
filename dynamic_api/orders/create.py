"""The beginning of an order's row, whoever begins it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import Action, record
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Installation, Order, OrderLine
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import make_public_order_id


@dataclass(frozen=True)
class Item:
    """What is put into an order: a course, what it is called at Stripe, and its price in minor units."""

    course_id: int
    amount: int
    product_id: str | None = None


@dataclass(frozen=True)
class Person:
    """Whom an order is for, as far as that is known: an account, an address, or both."""

    user_id: int | None = None
    email: Email | None = None


async def create_order(
    db: AsyncSession,
    items: Sequence[Item],
    person: Person,
    *,
    currency: str,
    now: datetime,
    actor: str,
    paid: bool = False,
    **details: str | int | bool | None,
) -> Order:
    """An order of one line for each item: pending, or `paid` where it is free. `details` go to the audit log."""
    installation = await db.get_one(Installation, 1)
    state, total = (OrderState.PAID, 0) if paid else (OrderState.PENDING, None)
    amount = sum(item.amount for item in items)
    order = Order(
        public_id=make_public_order_id(),
        installation=installation.key,
        buyer_id=person.user_id,
        owner_id=person.user_id,
        buyer_email=person.email,
        owner_email=person.email,
        state=state,
        amount=amount,
        currency=currency,
        total_amount=total,
        created_at=now,
        paid_at=now if paid else None,
        lines=[
            OrderLine(
                position=number,
                course_id=item.course_id,
                product_id=item.product_id,
                amount=item.amount,
                currency=currency,
                total_amount=total,
                state=state,
            )
            for number, item in enumerate(items, 1)
        ],
    )
    db.add(order)
    await db.flush()
    record_created(db, order, at=now, actor=actor, **details)
    return order


def record_created(
    db: AsyncSession, order: Order, *, at: datetime, actor: str, **details: str | int | bool | None
) -> None:
    """Write each line of a new order into the audit log."""
    for line in order.lines:
        record(
            db,
            Action.ORDER_CREATED,
            at=at,
            actor=actor,
            course_id=line.course_id,
            user_id=order.owner_id,
            order_id=order.id,
            order=order.public_id,
            amount=line.amount,
            currency=line.currency,
            **details,
        )
