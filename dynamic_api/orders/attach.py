"""Purchases find the account whose owner has proven their email address."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import by_user
from dynamic_api.core.models import Order, User
from dynamic_api.orders.access import grants_access
from dynamic_api.orders.gifts import is_delivered
from dynamic_api.orders.reconcile import settle_access


async def attach_waiting_orders(db: AsyncSession, user: User, *, now: datetime) -> None:
    """Attach to a verified account every order bought with or given to its address; gifts once delivered."""
    if user.email_verified_at is None:
        return
    theirs = or_(
        Order.owner_id.is_(None) & (Order.owner_email_key == user.email_key),
        Order.buyer_id.is_(None) & (Order.buyer_email_key == user.email_key),
    )
    for order in await db.scalars(select(Order).where(theirs).with_for_update()):
        order.revision += 1
        is_recipient = order.is_gift and order.owner_id is None and order.owner_email_key == user.email_key
        if is_recipient and await is_delivered(db, order) and await grants_access(db, order):
            order.owner_id = user.id
        await settle_access(db, order, now=now, actor=by_user(user.id))
