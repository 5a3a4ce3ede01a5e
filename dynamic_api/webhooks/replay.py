"""Replays everything Stripe ever told us into an empty database, in any order and twice, and compares the outcome.

What people did here is copied: who has an account, which orders were begun and claimed, what the operator granted and
revoked. What Stripe decides (states, money, access) starts empty and must come out the same.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.database import Database
from dynamic_api.core.models import (
    Base,
    Course,
    Entitlement,
    Gift,
    Installation,
    Json,
    Order,
    OrderId,
    OrderLine,
    User,
    WebhookEvent,
)
from dynamic_api.core.states import OrderState
from dynamic_api.orders.entitlements import is_by_operator
from dynamic_api.service import Service
from dynamic_api.webhooks.events import HandleEvent
from dynamic_api.webhooks.handle import handle_event

# An order as it was before Stripe said anything about it.
_UNPAID: Json = {
    "state": OrderState.PENDING,
    "total_amount": None,
    "total_currency": None,
    "refunded_amount": 0,
    "is_processing": False,
    "payment_intent_id": None,
    "receipt_url": None,
    "revision": 0,
    "paid_at": None,
    "refunded_at": None,
    "reconciled_at": None,
}
_UNPAID_LINE: Json = {"state": OrderState.PENDING, "total_amount": None, "refunded_amount": 0}


class NotEmpty(Exception):
    """The database that should be empty is not."""


@dataclass(frozen=True)
class Comparison:
    """Two states as hashes, and the lines that only one of them has."""

    events: int
    unmentioned: int  # orders that no stored event mentions: `reconcile` found what no webhook delivered
    ours: str
    replayed: str
    only_ours: tuple[str, ...]
    only_replayed: tuple[str, ...]


async def replay_into_empty(service: Service, empty: Database, *, seed: int) -> Comparison:
    """Stripe is asked again for every event, in an order drawn from `seed`; no email is sent.

    `empty` is a migrated database without a single order. Raises NotEmpty, PaymentsUnavailable.
    """
    async with service.database.reading() as source, empty.transaction() as target:
        if await target.scalar(select(func.count()).select_from(Order)):
            raise NotEmpty("There are orders in that database already.")
        for table in (Course, User):
            await _copy(source, target, table)
        installation = await target.get_one(Installation, 1)
        installation.key = (await source.get_one(Installation, 1)).key
        installation.livemode = service.gateways.payments.livemode
        orders = {row["id"]: row for row in await _rows(source, Order)}
        await _insert(target, Order, [row | _UNPAID if row["session_id"] else row for row in orders.values()])
        lines = {row["id"]: row for row in await _rows(source, OrderLine)}
        by_stripe = {number for number, row in lines.items() if orders[row["order_id"]]["session_id"]}
        await _insert(
            target, OrderLine, [row | _UNPAID_LINE if number in by_stripe else row for number, row in lines.items()]
        )
        await _copy(source, target, Gift)
        decided_here = [row for row in await _rows(source, Entitlement) if _is_ours(row, by_stripe)]
        await _insert(target, Entitlement, decided_here)
        await _copy(source, target, WebhookEvent)
        names = [*await target.scalars(select(WebhookEvent.id).order_by(WebhookEvent.id))] * 2
    random.Random(seed).shuffle(names)  # noqa: S311 - an order that can be drawn again
    replica = replace(service, database=empty)
    for name in names:
        await handle_event(replica, HandleEvent(name, again=True))
    unmentioned = await _unmentioned(empty)
    ours = await state_lines(service.database, without=unmentioned)
    theirs = await state_lines(empty, without=unmentioned)
    return Comparison(
        len(names) // 2,
        len(unmentioned),
        state_hash(ours),
        state_hash(theirs),
        tuple(sorted(set(ours) - set(theirs))),
        tuple(sorted(set(theirs) - set(ours))),
    )


def _is_ours(entitlement: Json, by_stripe: set[object]) -> bool:
    """Granted or revoked here, and not by a payment: by the operator, or for an order Stripe never saw."""
    reason = entitlement["reason"]
    return entitlement["line_id"] not in by_stripe or is_by_operator(reason if isinstance(reason, str) else None)


async def _rows(db: AsyncSession, table: type[Base]) -> list[Json]:
    columns = [column.key for column in inspect(table).column_attrs]
    return [{key: getattr(row, key) for key in columns} for row in await db.scalars(select(table))]


async def _insert(db: AsyncSession, table: type[Base], rows: list[Json]) -> None:
    if rows:
        await db.execute(insert(table), rows)


async def _copy(source: AsyncSession, target: AsyncSession, table: type[Base]) -> None:
    await _insert(target, table, await _rows(source, table))


async def _unmentioned(replica: Database) -> frozenset[OrderId]:
    """Orders that no event led to."""
    async with replica.reading() as db:
        found = await db.scalars(select(Order.id).where(Order.session_id.is_not(None), Order.reconciled_at.is_(None)))
        return frozenset(found)


async def state_lines(database: Database, *, without: frozenset[OrderId] = frozenset()) -> list[str]:
    """What matters of a state: one line for each order, and for each course somebody may watch."""
    async with database.reading() as db:
        orders = [order for order in await db.scalars(select(Order)) if order.id not in without]
        lines = [
            f"order {order.public_id} {order.state} {order.total_amount} {order.total_currency} "
            f"refunded {order.refunded_amount} payment {order.payment_intent_id} buyer {order.buyer_id} "
            f"owner {order.owner_id}"
            for order in orders
        ]
        sold = [line for order in orders for line in order.lines]
        lines += [f"line {line.order_id}.{line.position} {line.state} refunded {line.refunded_amount}" for line in sold]
        known = {None, *(line.id for line in sold)}
        active = select(Entitlement).where(Entitlement.revoked_at.is_(None))
        lines += [
            f"access {row.user_id} {row.course_id} {row.source}"
            for row in await db.scalars(active)
            if row.line_id in known
        ]
    return sorted(lines)


def state_hash(lines: Sequence[str]) -> str:
    """A hash of the whole state."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
