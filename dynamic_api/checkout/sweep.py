"""Holds our orders against Stripe, and finds what no webhook delivered. Read-only unless told to mend.

Three lists of Stripe's say what may have moved: sessions, refunds and disputes. The sweep reads a page of one in each
job, so that a busy school's sweep neither outlives its lease nor holds up anybody's purchase.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from dynamic_api.checkout.find_order import find_order
from dynamic_api.checkout.order_state import OrderState, order_state, refunded_amount
from dynamic_api.checkout.reconcile import NEVER_PAID_AFTER, reconcile_order
from dynamic_api.gateways.payment_facts import Listed, Mark, PaymentFacts, PaymentList
from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import Order
from dynamic_api.service import Service

EVERY = timedelta(hours=6)
# How far back each list is read. A dispute comes up to 120 days after its payment, and takes months to be decided.
LOOK_BACK: Mapping[PaymentList, timedelta] = {
    PaymentList.SESSIONS: timedelta(days=30),
    PaymentList.REFUNDS: timedelta(days=30),
    PaymentList.DISPUTES: timedelta(days=180),
}


@dataclass(frozen=True)
class Difference:
    """An order that is not what Stripe says it is."""

    order: str
    ours: str
    stripe: str

    def __str__(self) -> str:
        return f"{self.order}: we have “{self.ours}”, Stripe says “{self.stripe}”"


async def differences(service: Service, *, since: datetime | None, apply: bool) -> AsyncIterator[Difference]:
    """Every order that differs, of what was made at Stripe since then; brought in step when `apply`.

    Raises PaymentsDown, OrderBusy.
    """
    seen: set[int] = set()
    for kind, back in LOOK_BACK.items():
        start = since or service.clock() - back
        page: Listed | None = None
        while page is None or page.next_after is not None:
            page = await service.gateways.payments.listed(kind, start, after=page.next_after if page else None)
            for mark in page.marks:
                order = await _order_of(service, mark, adopt=apply)
                if order is None or order.id in seen:
                    continue
                seen.add(order.id)
                facts = await service.gateways.payments.facts(order.session_id or mark.session_id or "")
                if (difference := _compare(order, facts)) is None:
                    continue
                if apply:
                    await reconcile_order(
                        service.database, service.gateways.payments, order.id, now=service.clock(), actor="reconcile"
                    )
                yield difference


async def _order_of(service: Service, mark: Mark, *, adopt: bool) -> Order | None:
    if mark.session_id is not None and mark.order_id is None:
        return None  # something else made this session on the same Stripe account
    return await find_order(
        service,
        session_id=mark.session_id,
        payment_intent_id=mark.payment_intent_id,
        public_id=mark.order_id,
        adopt=adopt,
    )


def _compare(order: Order, facts: PaymentFacts) -> Difference | None:
    state, refunded = order_state(facts), refunded_amount(facts)
    same_money = not OrderState(state).gives_access or order.total_amount == facts.total_amount
    known = order.session_id == facts.session_id
    if known and order.state == state and order.refunded_amount == refunded and same_money:
        return None
    ours = order.state if known else f"{order.state}, payment page unknown"
    return Difference(order.public_id, f"{ours}, refunded {order.refunded_amount}", f"{state}, refunded {refunded}")


async def sweep_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `orders.sweep`: one page of one list; a job for every order that may have moved, and the next page."""
    now, turn, kind = service.clock(), int(payload["turn"]), PaymentList(payload["list"])
    await schedule_sweep(service)  # first: a sweep that fails must not be the last
    if now >= _due(turn + 1, now):
        return  # so late that the next one looks at the same
    page = await service.gateways.payments.listed(kind, now - LOOK_BACK[kind], after=payload.get("after"))
    for mark in page.marks:
        order = await _order_of(service, mark, adopt=True)
        if order is not None and _may_have_moved(order, mark.is_paid, mark.is_expired):
            await _reconcile_later(service, turn, order.id)
    if page.next_after is not None:
        async with service.database.transaction() as db:
            key = f"sweep:{turn}:{kind}:{page.next_after}"
            await enqueue(
                db, "orders.sweep", key, {"turn": turn, "list": kind.value, "after": page.next_after}, now=now
            )
    elif kind is PaymentList.SESSIONS:
        await _look_at_unmade(service, turn, now)


def _may_have_moved(order: Order, is_paid: bool | None, is_expired: bool | None) -> bool:
    """A session tells whether it is paid or expired, and what we know by that need not be asked again."""
    state = OrderState(order.state)
    if is_paid and order.paid_at is not None:
        return False  # refunds and disputes have lists of their own
    return not (is_expired and state is OrderState.EXPIRED)


async def _look_at_unmade(service: Service, turn: int, now: datetime) -> None:
    """Orders for which Stripe never made a page."""
    old = select(Order.id).where(
        Order.state == "pending", Order.session_id.is_(None), Order.created_at < now - NEVER_PAID_AFTER
    )
    async with service.database.reading() as db:
        unmade = list(await db.scalars(old))
    for order_id in unmade:
        await _reconcile_later(service, turn, order_id)


async def _reconcile_later(service: Service, turn: int, order_id: int) -> None:
    now = service.clock()
    async with service.database.transaction() as db:
        await enqueue(db, "order.reconcile", f"sweep:{turn}:order:{order_id}", {"order_id": order_id}, now=now)


async def schedule_sweep(service: Service) -> None:
    """One sweep of each list for each stretch of EVERY, however many workers ask."""
    now = service.clock()
    turn = int(now.timestamp() // EVERY.total_seconds()) + 1
    async with service.database.transaction() as db:
        for kind in PaymentList:
            payload = {"turn": turn, "list": kind.value}
            await enqueue(db, "orders.sweep", f"sweep:{turn}:{kind}", payload, now=now, delay=_due(turn, now) - now)


def _due(turn: int, now: datetime) -> datetime:
    return datetime.fromtimestamp(turn * EVERY.total_seconds(), now.tzinfo)
