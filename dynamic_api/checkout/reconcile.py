"""Brings an order to what Stripe knows: the one function that moves orders, whoever calls it and how often.

Stripe is asked outside any transaction. Two callers may hold facts of different ages, so each notes the order's
revision before it asks, and whoever finds another revision when it wants to write asks again.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api import entitlements
from dynamic_api.accounts.addresses import email_key
from dynamic_api.audit import Action, record
from dynamic_api.checkout import gifts
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.order_state import OrderState, is_lost, order_state, refunded_amount
from dynamic_api.database import Database
from dynamic_api.gateways.payment_facts import PaymentFacts
from dynamic_api.gateways.payments import Payments
from dynamic_api.jobs.outbox import enqueue, enqueue_mail
from dynamic_api.models import Order, User
from dynamic_api.service import Service

TRIES = 5
NEVER_PAID_AFTER = timedelta(days=1)  # as long as Stripe keeps a payment page open at most
_TAKEN_BACK = (OrderState.DISPUTED, OrderState.REFUNDED, OrderState.PARTIALLY_REFUNDED)


class OrderBusy(Exception):
    """Others kept moving the order while we asked; the job is tried again."""


async def reconcile_order(
    database: Database, payments: Payments, order_id: int, *, now: datetime, actor: str = "stripe"
) -> OrderState:
    """Ask Stripe, then bring order, access and mail in step, in one transaction. Raises PaymentsDown, OrderBusy."""
    for _ in range(TRIES):
        async with database.reading() as db:
            order = await db.get_one(Order, order_id)
        if order.session_id is None:
            return await _expire_unmade(database, order_id, now=now)
        facts = await payments.facts(order.session_id)
        async with database.transaction() as db:
            fresh = await locked_order(db, order_id)
            if fresh.revision == order.revision:
                await apply_facts(db, fresh, facts, now=now, actor=actor)
                return OrderState(fresh.state)
    raise OrderBusy(f"order {order_id}")


async def _expire_unmade(database: Database, order_id: int, *, now: datetime) -> OrderState:
    """An order for which no payment page was ever made: nobody can have paid it."""
    async with database.transaction() as db:
        order = await locked_order(db, order_id)
        never_paid = order.session_id is None and order.state == OrderState.PENDING
        if never_paid and now - order.created_at > NEVER_PAID_AFTER:
            order.revision += 1
            order.state = OrderState.EXPIRED.value
            _record_change(db, order, OrderState.PENDING, now=now, actor="system")
        return OrderState(order.state)


async def locked_order(db: AsyncSession, order_id: int) -> Order:
    """The order, held until the transaction ends."""
    held = select(Order).where(Order.id == order_id).with_for_update()
    # What was loaded before the wait may be old.
    return (await db.scalars(held.execution_options(populate_existing=True))).one()


async def apply_facts(db: AsyncSession, order: Order, facts: PaymentFacts, *, now: datetime, actor: str) -> None:
    """Write what the facts amount to, and everything that follows from it."""
    before, state, had = OrderState(order.state), order_state(facts), await opens(db, order)
    order.revision += 1
    order.reconciled_at = now
    order.state = state.value
    order.payment_intent_id = facts.payment_intent_id or order.payment_intent_id
    order.under_way = state is OrderState.PENDING and facts.session_status == "complete"
    order.total_amount = facts.total_amount
    order.total_currency = facts.currency
    order.refunded_amount = refunded_amount(facts)
    order.receipt_url = facts.receipt_url or order.receipt_url
    if facts.email and not order.email:
        order.email, order.email_key = facts.email, email_key(facts.email)
        if not order.is_gift:
            order.owner_email, order.owner_email_key = order.email, order.email_key
    if state.gives_access and order.paid_at is None:
        order.paid_at = facts.paid_at or now
    order.refunded_at = (order.refunded_at or now) if state is OrderState.REFUNDED else None
    if before is not state:
        _record_change(db, order, before, now=now, actor=actor)
    await settle_access(db, order, now=now, actor=actor)
    if state is OrderState.PAID and before is OrderState.PENDING:
        await _close_other_pages(db, order, now)
    has = await opens(db, order)
    if before in _TAKEN_BACK and has and not had and order.user_id is None:
        # Its receipt may have been held back meanwhile, and with it the only link.
        if not order.is_gift or await gifts.is_delivered(db, order):
            await enqueue_mail(db, "claim", f"claim.{order.public_id}.{order.revision}", now=now, order_id=order.id)
        else:
            await gifts.announce_again(db, order, now=now)
    if before is not state:
        for message in await _news(db, order, facts, ended=had and not has):
            identity = f"{message}.{order.public_id}.{order.revision}"
            await enqueue_mail(db, message, identity, now=now, order_id=order.id)


def _record_change(db: AsyncSession, order: Order, before: OrderState, *, now: datetime, actor: str) -> None:
    record(
        db,
        Action.ORDER_CHANGED,
        at=now,
        actor=actor,
        order_id=order.id,
        course_id=order.course_id,
        user_id=order.user_id,
        before=before.value,
        after=order.state,
    )


async def _news(db: AsyncSession, order: Order, facts: PaymentFacts, *, ended: bool) -> list[str]:
    """The letters about a payment that failed or went back: to the buyer, and to whoever has lost a gift by it."""
    state = OrderState(order.state)
    if not order.email:
        return []
    if state is OrderState.FAILED:
        return ["payment_failed"]
    if state is not OrderState.REFUNDED and not (ended and state is OrderState.PARTIALLY_REFUNDED):
        return []
    # Whose bank took the money back knows that, and is told what follows from it.
    by_bank = is_lost(facts)
    letters = [] if by_bank else ["refunded"]
    if order.is_gift:
        if order.user_id is not None or await gifts.is_delivered(db, order):
            letters.append("access_ended")
    elif by_bank:
        letters.append("access_ended")
    return letters


async def settle_access(db: AsyncSession, order: Order, *, now: datetime, actor: str) -> None:
    """Give or take what the order's state says, and write to the buyer once it is paid."""
    if order.buyer_id is None:
        order.buyer_id = await _proven_buyer(db, order)
    if not await opens(db, order):
        await entitlements.revoke_for_order(db, order, at=now, actor=actor, reason=order.state)
        return
    if order.user_id is None and not order.is_gift:
        order.user_id = order.buyer_id
    if order.user_id is not None:
        await entitlements.grant_for_order(db, order, at=now, actor=actor)
    if order.email:
        message = "gift_confirmation" if order.is_gift else "receipt"
        await enqueue_mail(db, message, f"{message}.{order.public_id}", now=now, order_id=order.id)
    if order.is_gift:
        await gifts.announce(db, order, now=now)


async def _proven_buyer(db: AsyncSession, order: Order) -> int | None:
    """Somebody who has proven that the buyer's address is theirs needs no claim link."""
    if order.email_key is None:
        return None
    return await db.scalar(
        select(User.id).where(User.email_key == order.email_key, User.email_verified_at.is_not(None))
    )


async def _close_other_pages(db: AsyncSession, order: Order, now: datetime) -> None:
    """Pages the same buyer left open for the same course: nobody shall pay twice."""
    same_buyer = Order.browser_hash == order.browser_hash
    if order.buyer_id is not None:
        same_buyer = or_(same_buyer, Order.buyer_id == order.buyer_id)
    others = await db.scalars(
        select(Order)
        .where(Order.course_id == order.course_id, Order.id != order.id, Order.state == "pending", same_buyer)
        .where(_same_receiver(order))
    )
    for other in others:
        if other.session_id is not None:
            payload = {"session_id": other.session_id}
            await enqueue(db, "checkout.close", f"close:{other.public_id}", payload, now=now)


def _same_receiver(order: Order) -> ColumnElement[bool]:
    """One may buy a course for oneself and give it to two friends; not twice to the same one."""
    if not order.is_gift:
        return Order.is_gift.is_(False)
    return Order.is_gift & (Order.owner_email_key == order.owner_email_key)


async def close_page_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `checkout.close`."""
    await service.gateways.payments.close_checkout(payload["session_id"])


async def reconcile_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `order.reconcile`."""
    await reconcile_order(service.database, service.gateways.payments, payload["order_id"], now=service.clock())
