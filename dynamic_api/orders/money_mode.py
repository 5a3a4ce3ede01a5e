"""Real money and Stripe's test money never meet: only orders of the mode that the key has now grant access."""

import logging

from sqlalchemy import select

from dynamic_api.core.audit import SYSTEM
from dynamic_api.core.models import Installation, Order
from dynamic_api.orders.reconcile import lock_order, settle_access
from dynamic_api.service import Service

logger = logging.getLogger("coursewright.orders")


async def use_money_mode(service: Service) -> int:
    """Note which mode the key has. Where it changed, settle the access of every paid order anew; returns how many."""
    livemode = service.gateways.payments.livemode
    async with service.database.transaction() as db:
        installation = await db.get_one(Installation, 1, with_for_update=True)
        if installation.livemode == livemode:
            return 0
        installation.livemode = livemode
        await db.flush()
        paid = select(Order.id).where(Order.livemode.is_not(None), Order.paid_at.is_not(None))
        orders = list(await db.scalars(paid))
        for order_id in orders:
            await settle_access(db, await lock_order(db, order_id), now=service.clock(), actor=SYSTEM)
    if orders:
        logger.warning(
            "the key of Stripe is of %s mode now: %d orders were settled", "live" if livemode else "test", len(orders)
        )
    return len(orders)
