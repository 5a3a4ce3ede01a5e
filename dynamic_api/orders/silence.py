"""Stripe's webhooks that stay away although somebody paid. The sweep keeps access right meanwhile, hours late."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.models import Order, WebhookEvent
from dynamic_api.core.operator_notices import tell_operator
from sitegen import urls

DAY = timedelta(days=1)  # Stripe repeats what it could not deliver many times within it
_CLOCKS_DIFFER = timedelta(minutes=10)  # a payment has Stripe's time, an event has ours


async def is_silent(db: AsyncSession, *, now: datetime) -> bool:
    """Whether a day has passed since a payment, and no event came after it. Who sells nothing hears nothing."""
    paid_at = await db.scalar(select(func.max(Order.paid_at)).where(Order.paid_at <= now - DAY))
    if paid_at is None:
        return False
    heard_at = await db.scalar(select(func.max(WebhookEvent.received_at)))
    return heard_at is None or heard_at < paid_at - _CLOCKS_DIFFER


async def tell_of_silence(db: AsyncSession, *, site_url: str, now: datetime) -> None:
    """Write to the operator while webhooks stay away."""
    if not await is_silent(db, now=now):
        return
    sentence = (
        "Somebody paid more than a day ago, and since then no webhook of Stripe has arrived. Buyers may wait hours for "
        f"their course. Look in Stripe's dashboard whether the endpoint {site_url}{urls.STRIPE_WEBHOOK} exists and is "
        "enabled; “coursewright doctor” says what is wrong with it."
    )
    await tell_operator(db, "webhooks", sentence, now=now)
