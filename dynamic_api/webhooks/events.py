"""Stored events: the job that acts on one, and handling them again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.models import WebhookEvent
from dynamic_api.core.outbox import Job, enqueue


@dataclass(frozen=True)
class HandleEvent(Job):
    """Act on a stored event."""

    kind = "stripe.event"

    event_id: str
    again: bool = False  # also where it was handled before


async def handle_again(db: AsyncSession, *, event_id: str | None, only_unhandled: bool, now: datetime) -> int:
    """Handle stored events again; harmless however often, since they are only hints. Returns how many."""
    wanted = select(WebhookEvent.id)
    if event_id is not None:
        wanted = wanted.where(WebhookEvent.id == event_id)
    if only_unhandled:
        wanted = wanted.where(WebhookEvent.handled_at.is_(None))
    events = list(await db.scalars(wanted))
    for name in events:
        await enqueue(db, HandleEvent(name, again=True), f"replay:{name}:{now.timestamp():.0f}", now=now)
    record(db, Action.EVENTS_REPLAYED, at=now, actor=OPERATOR, events=len(events))
    return len(events)
