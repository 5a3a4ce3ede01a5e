"""Stored events and waiting jobs: seen, and set going again."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import Job, WebhookEvent


async def replay(db: AsyncSession, *, event_id: str | None, only_unhandled: bool, now: datetime) -> int:
    """Handle events again; harmless as often as you like, since they are only hints. Returns how many."""
    wanted = select(WebhookEvent.id)
    if event_id is not None:
        wanted = wanted.where(WebhookEvent.id == event_id)
    if only_unhandled:
        wanted = wanted.where(WebhookEvent.handled_at.is_(None))
    events = list(await db.scalars(wanted))
    for name in events:
        await enqueue(db, "stripe.event", f"replay:{name}:{now.timestamp():.0f}", {"event_id": name}, now=now)
    record(db, Action.EVENTS_REPLAYED, at=now, actor="operator", events=len(events))
    return len(events)


async def retry_dead(db: AsyncSession, *, now: datetime) -> int:
    """Give the jobs that were given up another three days. Returns how many."""
    changed = await db.execute(
        update(Job)
        .where(Job.state == "dead")
        .values(state="waiting", run_at=now, due_at=now, attempts=0, finished_at=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    count = len(changed.all())
    record(db, Action.JOBS_RETRIED, at=now, actor="operator", jobs=count)
    return count
