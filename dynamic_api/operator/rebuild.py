"""Replays everything Stripe ever told us into an empty database, in any order and twice, and compares the outcome.

What people did here is copied: who has an account, which orders were begun and claimed, what the operator gave and
took. What Stripe decides (states, money, access) starts empty and must come out the same.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import Database
from dynamic_api.entitlements import is_by_operator
from dynamic_api.models import Base, Course, Entitlement, Gift, Order, User, WebhookEvent
from dynamic_api.service import Service
from dynamic_api.webhooks.handle import handle_event_job

_BEGINNING = {
    "state": "pending",
    "total_amount": None,
    "total_currency": None,
    "refunded_amount": 0,
    "under_way": False,
    "payment_intent_id": None,
    "receipt_url": None,
    "revision": 0,
    "paid_at": None,
    "refunded_at": None,
    "reconciled_at": None,
}


class NotEmpty(Exception):
    """The database that should be empty is not."""


@dataclass(frozen=True)
class Comparison:
    """Two states as hashes, and the lines that only one of them has."""

    events: int
    untold: int  # orders of which no stored event tells, since `reconcile` found what no webhook delivered
    ours: str
    replayed: str
    only_ours: tuple[str, ...]
    only_replayed: tuple[str, ...]


async def replay_into_empty(service: Service, empty: Database, *, seed: int) -> Comparison:
    """Stripe is asked anew for every event, in an order drawn from `seed`; no mail is sent.

    `empty` is a migrated database without a single order. Raises NotEmpty, PaymentsDown.
    """
    async with service.database.reading() as source, empty.transaction() as target:
        if await target.scalar(select(func.count()).select_from(Order)):
            raise NotEmpty("There are orders in that database already.")
        for table in (Course, User):
            await _copy(source, target, table)
        orders = {row["id"]: row for row in await _rows(source, Order)}
        await _put(target, Order, [row | _BEGINNING if row["session_id"] else row for row in orders.values()])
        await _copy(source, target, Gift)
        decided_here = [row for row in await _rows(source, Entitlement) if _is_ours(row, orders)]
        await _put(target, Entitlement, decided_here)
        await _copy(source, target, WebhookEvent)
        names = [*await target.scalars(select(WebhookEvent.id).order_by(WebhookEvent.id))] * 2
    random.Random(seed).shuffle(names)  # noqa: S311 - an order that can be drawn again
    replica = replace(service, database=empty)
    for name in names:
        await handle_event_job(replica, {"event_id": name})
    untold = await _untold(empty)
    ours, theirs = await state_lines(service.database, without=untold), await state_lines(empty, without=untold)
    return Comparison(
        len(names) // 2,
        len(untold),
        state_hash(ours),
        state_hash(theirs),
        tuple(sorted(set(ours) - set(theirs))),
        tuple(sorted(set(theirs) - set(ours))),
    )


def _is_ours(entitlement: dict[str, Any], orders: dict[int, dict[str, Any]]) -> bool:
    """Given or taken here, and not by a payment: by the operator, or for an order Stripe never saw."""
    order = orders.get(entitlement["order_id"] or 0)
    return order is None or order["session_id"] is None or is_by_operator(entitlement["reason"])


async def _rows(db: AsyncSession, table: type[Base]) -> list[dict[str, Any]]:
    columns = [column.key for column in inspect(table).column_attrs]
    return [{key: getattr(row, key) for key in columns} for row in await db.scalars(select(table))]


async def _put(db: AsyncSession, table: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        await db.execute(insert(table), rows)


async def _copy(source: AsyncSession, target: AsyncSession, table: type[Base]) -> None:
    await _put(target, table, await _rows(source, table))


async def _untold(replica: Database) -> frozenset[int]:
    """Orders that no event led to."""
    async with replica.reading() as db:
        found = await db.scalars(select(Order.id).where(Order.session_id.is_not(None), Order.reconciled_at.is_(None)))
        return frozenset(found)


async def state_lines(database: Database, *, without: frozenset[int] = frozenset()) -> list[str]:
    """What matters of a state, one line for each order and each course somebody may watch."""
    async with database.reading() as db:
        orders = [order for order in await db.scalars(select(Order)) if order.id not in without]
        lines = [
            f"order {order.public_id} {order.state} {order.total_amount} {order.total_currency} "
            f"refunded {order.refunded_amount} payment {order.payment_intent_id} buyer {order.buyer_id} "
            f"owner {order.user_id}"
            for order in orders
        ]
        live = select(Entitlement).where(Entitlement.revoked_at.is_(None))
        lines += [
            f"access {row.user_id} {row.course_id} {row.source}"
            for row in await db.scalars(live)
            if row.order_id not in without
        ]
    return sorted(lines)


def state_hash(lines: Sequence[str]) -> str:
    """One figure for a whole state."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
