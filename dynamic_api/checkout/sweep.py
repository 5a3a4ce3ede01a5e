"""Holds our orders against Stripe, and finds what no webhook delivered. Read-only unless told to mend."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from dynamic_api.checkout.order_state import OrderState, order_state, refunded_amount
from dynamic_api.checkout.reconcile import reconcile_order
from dynamic_api.gateways.payments import PaymentFacts
from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import Order
from dynamic_api.service import Service

EVERY = timedelta(hours=6)
LOOK_BACK = timedelta(days=30)  # beyond this nothing but a refund or a dispute moves, and both send events for days


@dataclass(frozen=True)
class Difference:
    """An order that is not what Stripe says it is."""

    order: str
    ours: str
    stripe: str

    def __str__(self) -> str:
        return f"{self.order}: we have “{self.ours}”, Stripe says “{self.stripe}”"


async def differences(service: Service, *, since: datetime, apply: bool) -> AsyncIterator[Difference]:
    """Every order since then that differs; brought in step when `apply`. Raises PaymentsDown."""
    async for session_id, public_id in service.gateways.payments.sessions_since(since):
        order = await _order(service, session_id, public_id)
        if order is None:
            continue  # a session that something else made on this Stripe account
        facts = await service.gateways.payments.facts(session_id)
        if (difference := _compare(order, facts)) is None:
            continue
        if apply:
            await _adopt(service, order, session_id)
            await reconcile_order(
                service.database, service.gateways.payments, order.id, now=service.clock(), actor="reconcile"
            )
        yield difference


def _compare(order: Order, facts: PaymentFacts) -> Difference | None:
    state, refunded = order_state(facts), refunded_amount(facts)
    same_money = not OrderState(state).gives_access or order.total_amount == facts.total_amount
    if (
        order.session_id == facts.session_id
        and order.state == state
        and order.refunded_amount == refunded
        and same_money
    ):
        return None
    ours = order.state if order.session_id else f"{order.state}, payment page unknown"
    return Difference(order.public_id, f"{ours}, refunded {order.refunded_amount}", f"{state}, refunded {refunded}")


async def _order(service: Service, session_id: str, public_id: str | None) -> Order | None:
    async with service.database.reading() as db:
        known = await db.scalar(select(Order).where(Order.session_id == session_id))
        if known is not None or public_id is None:
            return known
        return await db.scalar(select(Order).where(Order.public_id == public_id, Order.session_id.is_(None)))


async def _adopt(service: Service, order: Order, session_id: str) -> None:
    """The service died between Stripe's answer and our second write."""
    if order.session_id is None:
        async with service.database.transaction() as db:
            (await db.get_one(Order, order.id)).session_id = session_id


async def sweep_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `orders.sweep`: a job for every order of the last weeks, and the next sweep."""
    now = service.clock()
    async for session_id, public_id in service.gateways.payments.sessions_since(now - LOOK_BACK):
        order = await _order(service, session_id, public_id)
        if order is not None:
            await _adopt(service, order, session_id)
            async with service.database.transaction() as db:
                key = f"sweep:{payload['turn']}:{order.public_id}"
                await enqueue(db, "order.reconcile", key, {"order_id": order.id}, now=now)
    await schedule_sweep(service)


async def schedule_sweep(service: Service) -> None:
    """One sweep for each stretch of EVERY, however many workers ask."""
    now = service.clock()
    turn = int(now.timestamp() // EVERY.total_seconds()) + 1
    due = datetime.fromtimestamp(turn * EVERY.total_seconds(), now.tzinfo)
    async with service.database.transaction() as db:
        await enqueue(db, "orders.sweep", f"sweep:{turn}", {"turn": turn}, now=now, delay=due - now)
