"""Compares our orders with Stripe, and finds what no webhook delivered. Read-only unless told to fix.

Three of Stripe's lists say what may have changed: sessions, refunds and disputes. The sweep reads one page of one list
in each job, so that a busy school's sweep neither outlives its lease nor delays anybody's purchase.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from dynamic_api.core.models import Order, OrderId
from dynamic_api.core.outbox import enqueue
from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import PaymentFacts, PaymentList, PaymentReference, ReferencePage
from dynamic_api.orders.find import find_order
from dynamic_api.orders.jobs import ReconcileOrder, Sweep
from dynamic_api.orders.reconcile import NEVER_PAID_AFTER, reconcile_order
from dynamic_api.orders.silence import tell_of_silence
from dynamic_api.orders.state import PAID_STATES, order_state, returned_amount
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


async def find_differences(service: Service, *, since: datetime | None, fix: bool) -> AsyncIterator[Difference]:
    """Every order that differs, among what was created at Stripe since then; reconciled with `fix`.

    Raises PaymentsUnavailable, OrderBusy.
    """
    seen: set[OrderId] = set()
    payments = service.gateways.payments
    for kind, look_back in LOOK_BACK.items():
        start = since or service.clock() - look_back
        page: ReferencePage | None = None
        while page is None or page.next_after is not None:
            page = await payments.list_references(kind, start, after=page.next_after if page else None)
            for reference in page.references:
                order = await _order_of(service, reference, adopt=fix)
                if order is None or order.id in seen:
                    continue
                seen.add(order.id)
                facts = await payments.facts(order.session_id or reference.session_id or "")
                difference = _compare(order, facts)
                if difference is None:
                    continue
                if fix:
                    await reconcile_order(service, order.id, actor="reconcile")
                yield difference


async def _order_of(service: Service, reference: PaymentReference, *, adopt: bool) -> Order | None:
    if reference.session_id is not None and reference.order_id is None:
        return None  # something else made this session in the same Stripe account
    return await find_order(
        service,
        session_id=reference.session_id,
        payment_intent_id=reference.payment_intent_id,
        public_id=reference.order_id,
        adopt=adopt,
    )


def _compare(order: Order, facts: PaymentFacts) -> Difference | None:
    state, refunded = order_state(facts), returned_amount(facts)
    same_money = state not in PAID_STATES or order.total_amount == facts.total_amount
    known = order.session_id == facts.session_id
    if known and order.state is state and order.refunded_amount == refunded and same_money:
        return None
    ours = order.state.value if known else f"{order.state}, payment page unknown"
    return Difference(order.public_id, f"{ours}, refunded {order.refunded_amount}", f"{state}, refunded {refunded}")


async def run_sweep(service: Service, job: Sweep) -> None:
    """The job `orders.sweep`: one page of one list; a job for every order that may have changed, and the next page."""
    now, kind = service.clock(), PaymentList(job.list)
    await schedule_sweep(service)  # first, so that a sweep that fails is not the last
    if now >= _begin_of(job.interval + 1, now):
        return  # so late that the next sweep reads the same
    page = await service.gateways.payments.list_references(kind, now - LOOK_BACK[kind], after=job.after)
    for reference in page.references:
        order = await _order_of(service, reference, adopt=True)
        if order is not None and _may_have_changed(order, reference):
            await _reconcile_later(service, job.interval, order.id)
    if page.next_after is not None:
        async with service.database.transaction() as db:
            following = Sweep(job.interval, job.list, page.next_after)
            await enqueue(db, following, f"sweep:{job.interval}:{kind}:{page.next_after}", now=now)
    elif kind is PaymentList.SESSIONS:
        await _reconcile_unopened(service, job.interval, now)
        async with service.database.transaction() as db:
            await tell_of_silence(db, site_url=service.settings.site_url, now=now)


def _may_have_changed(order: Order, reference: PaymentReference) -> bool:
    """A listed session says whether it is paid or expired; what we know already need not be asked again."""
    if reference.is_paid and order.paid_at is not None:
        return False  # refunds and disputes have lists of their own
    return not (reference.is_expired and order.state is OrderState.EXPIRED)


async def _reconcile_unopened(service: Service, interval: int, now: datetime) -> None:
    """Orders for which Stripe never made a payment page."""
    old = select(Order.id).where(
        Order.state == OrderState.PENDING, Order.session_id.is_(None), Order.created_at < now - NEVER_PAID_AFTER
    )
    async with service.database.reading() as db:
        unopened = list(await db.scalars(old))
    for order_id in unopened:
        await _reconcile_later(service, interval, order_id)


async def _reconcile_later(service: Service, interval: int, order_id: OrderId) -> None:
    async with service.database.transaction() as db:
        await enqueue(db, ReconcileOrder(order_id), f"sweep:{interval}:order:{order_id}", now=service.clock())


async def schedule_sweep(service: Service) -> None:
    """One sweep of each list in each interval of EVERY, however many workers ask."""
    now = service.clock()
    interval = int(now.timestamp() // EVERY.total_seconds()) + 1
    async with service.database.transaction() as db:
        for kind in PaymentList:
            delay = _begin_of(interval, now) - now
            await enqueue(db, Sweep(interval, kind.value), f"sweep:{interval}:{kind}", now=now, delay=delay)


def _begin_of(interval: int, now: datetime) -> datetime:
    return datetime.fromtimestamp(interval * EVERY.total_seconds(), now.tzinfo)
