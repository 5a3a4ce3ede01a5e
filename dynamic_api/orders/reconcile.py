"""Brings an order to what Stripe knows. Only this changes an order's state, and it may run any number of times.

Stripe is asked outside any transaction. Two callers may hold facts of different ages, so each remembers the order's
revision before it asks; a caller that finds another revision when it is about to write asks again.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import SYSTEM, Action, record
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import (
    AccessEnded,
    ClaimLink,
    GiftConfirmation,
    OrderMessage,
    PaymentFailed,
    Receipt,
    Refunded,
    queue_message,
)
from dynamic_api.core.models import Order, OrderId, User
from dynamic_api.core.outbox import enqueue
from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import PaymentFacts
from dynamic_api.orders import entitlements, gifts
from dynamic_api.orders.access import granting_lines
from dynamic_api.orders.doubles import tell_of_double
from dynamic_api.orders.jobs import CloseCheckout, ReconcileOrder
from dynamic_api.orders.lines import money_of_lines
from dynamic_api.orders.state import UNPAID_STATES, order_state, returned_amount
from dynamic_api.service import Service

ATTEMPTS = 5
NEVER_PAID_AFTER = timedelta(days=1)  # the longest that Stripe keeps a payment page open
_MONEY_GONE = (OrderState.REFUNDED, OrderState.PARTIALLY_REFUNDED)
_MONEY_RETURNED = (OrderState.DISPUTED, OrderState.REFUNDED, OrderState.PARTIALLY_REFUNDED)


class OrderBusy(Exception):
    """Others kept changing the order while we asked Stripe; the job is retried."""


async def reconcile_order(service: Service, order_id: OrderId, *, actor: str = "stripe") -> OrderState:
    """Ask Stripe, then update order, access and emails in one transaction. Raises PaymentsUnavailable, OrderBusy."""
    for _ in range(ATTEMPTS):
        async with service.database.reading() as db:
            order = await db.get_one(Order, order_id)
        if order.session_id is None:
            return await _expire_unopened(service, order_id)
        facts = await service.gateways.payments.facts(order.session_id)
        async with service.database.transaction() as db:
            locked = await lock_order(db, order_id)
            if locked.revision == order.revision:
                await apply_facts(db, locked, facts, now=service.clock(), actor=actor)
                return locked.state
    raise OrderBusy(f"Order {order_id} kept changing while Stripe was asked. What was done stands; look again soon.")


async def _expire_unopened(service: Service, order_id: OrderId) -> OrderState:
    """An order for which no payment page was ever made: nobody can have paid it."""
    now = service.clock()
    async with service.database.transaction() as db:
        order = await lock_order(db, order_id)
        never_paid = order.session_id is None and order.state is OrderState.PENDING
        if never_paid and now - order.created_at > NEVER_PAID_AFTER:
            order.revision += 1
            before = [line.state for line in order.lines]
            order.state = OrderState.EXPIRED
            for line in order.lines:
                line.state = OrderState.EXPIRED
            _record_change(db, order, before, now=now, actor=SYSTEM)
        return order.state


async def lock_order(db: AsyncSession, order_id: OrderId) -> Order:
    """The order, locked until the transaction ends."""
    locked = select(Order).where(Order.id == order_id).with_for_update()
    # What was loaded before waiting for the lock may be old.
    return (await db.scalars(locked.execution_options(populate_existing=True))).one()


async def apply_facts(db: AsyncSession, order: Order, facts: PaymentFacts, *, now: datetime, actor: str) -> None:
    """Write what the facts amount to, and everything that follows from it."""
    before, granted_before = order.state, await granting_lines(db, order)
    lines_before = [line.state for line in order.lines]
    by_bank = _copy_facts(order, facts, now)
    _record_change(db, order, lines_before, now=now, actor=actor)
    await settle_access(db, order, now=now, actor=actor)
    if order.state is OrderState.PAID and before is OrderState.PENDING:
        await _close_other_pages(db, order, now)
    granted = await granting_lines(db, order)
    if before in _MONEY_RETURNED and granted and not granted_before and order.owner_id is None:
        await _send_link_again(db, order, now)
    # Told once, when the money is gone for good; before that, a dispute may have suspended it.
    ended = [
        bank
        for line, was, bank in zip(order.lines, lines_before, by_bank, strict=True)
        if line.state is not was and line.state in _MONEY_GONE and line not in granted
    ]
    if ended or (order.state is OrderState.FAILED and before is not OrderState.FAILED):
        for message in await _news(db, order, by_bank=ended):
            await queue_message(db, message.about(order, order.revision), now=now)


def _copy_facts(order: Order, facts: PaymentFacts, now: datetime) -> list[bool]:
    """Write what Stripe says; for each line, whether it was a bank that took its money."""
    state = order_state(facts)
    order.revision += 1
    order.reconciled_at = now
    order.state = state
    order.livemode = facts.livemode
    order.payment_intent_id = facts.payment_intent_id or order.payment_intent_id
    order.is_processing = state is OrderState.PENDING and facts.session_status == "complete"
    order.total_amount = facts.total_amount
    order.total_currency = facts.currency
    order.refunded_amount = returned_amount(facts)
    order.invoice_id = facts.invoice_id or order.invoice_id
    order.receipt_url = facts.receipt_url or order.receipt_url
    # Stripe knows the address of whoever left the page, too; we need it from those who paid.
    if facts.email and not order.buyer_email and state is not OrderState.EXPIRED:
        order.buyer_email = Email.lookup(facts.email)
        if not order.is_gift:
            order.owner_email = order.buyer_email
    if state not in UNPAID_STATES and order.paid_at is None:
        order.paid_at = facts.paid_at or now
    order.refunded_at = (order.refunded_at or now) if state is OrderState.REFUNDED else None
    found = money_of_lines(facts, [line.product_id for line in order.lines])
    for line, money in zip(order.lines, found, strict=True):
        line.state, line.total_amount, line.refunded_amount = money.state, money.total, money.returned
    return [money.by_bank for money in found]


def _record_change(db: AsyncSession, order: Order, before: list[OrderState], *, now: datetime, actor: str) -> None:
    for line, was in zip(order.lines, before, strict=True):
        if line.state is was:
            continue
        record(
            db,
            Action.ORDER_CHANGED,
            at=now,
            actor=actor,
            order_id=order.id,
            course_id=line.course_id,
            user_id=order.owner_id,
            before=was.value,
            after=line.state.value,
        )


async def _send_link_again(db: AsyncSession, order: Order, now: datetime) -> None:
    """The order's email may have been held back while the money was in doubt, and with it the only link."""
    if not order.is_gift or await gifts.is_delivered(db, order):
        await queue_message(db, ClaimLink.about(order, order.revision), now=now)
    else:
        await gifts.deliver_overdue(db, order, now=now)


async def _news(db: AsyncSession, order: Order, *, by_bank: list[bool]) -> list[type[OrderMessage]]:
    """The emails about a payment that failed or went back: to the buyer, and to the recipient of a gift that ends.

    `by_bank`: for each line that has ended, whether a bank took its money.
    """
    if not order.buyer_email:
        return []
    if order.state is OrderState.FAILED:
        return [PaymentFailed]
    # A buyer who won a chargeback knows about the money; tell them only that access has ended.
    messages: list[type[OrderMessage]] = [] if all(by_bank) else [Refunded]
    if order.is_gift:
        if order.owner_id is not None or await gifts.is_delivered(db, order):
            messages.append(AccessEnded)
    elif any(by_bank):
        messages.append(AccessEnded)
    return messages


async def settle_access(db: AsyncSession, order: Order, *, now: datetime, actor: str) -> None:
    """Grant or revoke what the order's state says, and email the buyer once it is paid."""
    if order.buyer_id is None:
        order.buyer_id = await _verified_buyer(db, order)
    granting = await granting_lines(db, order)
    for line in order.lines:
        if line not in granting:
            await entitlements.revoke_line(db, line, at=now, actor=actor, reason=line.state.value)
    if not granting:
        return
    if order.owner_id is None and not order.is_gift:
        order.owner_id = order.buyer_id
    if order.owner_id is not None:
        for line in granting:
            await entitlements.grant_line(db, order, line, at=now, actor=actor)
    await tell_of_double(db, order, now=now)
    if order.buyer_email:
        confirmation = GiftConfirmation if order.is_gift else Receipt
        await queue_message(db, confirmation.about(order), now=now)
    if order.is_gift:
        await gifts.schedule_delivery(db, order, now=now)


async def _verified_buyer(db: AsyncSession, order: Order) -> int | None:
    """Somebody who has proven that the buyer's address is theirs needs no claim link."""
    if order.buyer_email_key is None:
        return None
    return await db.scalar(
        select(User.id).where(User.email_key == order.buyer_email_key, User.email_verified_at.is_not(None))
    )


async def _close_other_pages(db: AsyncSession, order: Order, now: datetime) -> None:
    """Close the pages that the same buyer left open for the same courses, so that nobody pays twice."""
    same_buyer = Order.browser_hash == order.browser_hash
    if order.buyer_id is not None:
        same_buyer = or_(same_buyer, Order.buyer_id == order.buyer_id)
    others = await db.scalars(
        select(Order)
        .where(and_(*(Order.sells(line.course_id) for line in order.lines)))
        .where(Order.id != order.id, Order.state == OrderState.PENDING)
        .where(same_buyer, _same_recipient(order))
    )
    for other in others:
        if other.session_id is not None:
            await enqueue(db, CloseCheckout(other.session_id), f"close:{other.public_id}", now=now)


def _same_recipient(order: Order) -> ColumnElement[bool]:
    """One may buy a course for oneself and give it to two friends, but not twice to the same one."""
    if not order.is_gift:
        return Order.is_gift.is_(False)
    return Order.is_gift & (Order.owner_email_key == order.owner_email_key)


async def close_checkout(service: Service, job: CloseCheckout) -> None:
    """The job `checkout.close`."""
    await service.gateways.payments.close_checkout(job.session_id)


async def run_reconcile(service: Service, job: ReconcileOrder) -> None:
    """The job `order.reconcile`."""
    await reconcile_order(service, job.order_id)
