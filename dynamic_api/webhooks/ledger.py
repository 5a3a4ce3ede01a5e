"""Events are stored once, together with the job that acts on them; only then is Stripe told 200."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import insert_or_ignore
from dynamic_api.gateways.payment_facts import EventFacts
from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import WebhookEvent


async def record_event(db: AsyncSession, event: EventFacts, body: bytes, *, now: datetime) -> bool:
    """Keep an event and its job, in the caller's transaction. False when it was known."""
    statement = insert_or_ignore(db, WebhookEvent).values(
        id=event.id, type=event.type, livemode=event.livemode, payload=body.decode(), received_at=now
    )
    if (await db.execute(statement.returning(WebhookEvent.id))).scalar() is None:
        return False
    await enqueue(db, "stripe.event", f"event:{event.id}", {"event_id": event.id}, now=now)
    return True
