"""Once a day, what has served its time goes: ended sessions, tokens and links, and jobs that were done long ago.

The keys of mail and of events stay for good: they are what makes a repeat a no-op.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete

from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import AccessToken, Job, OneTimeLink, WebSession
from dynamic_api.service import Service

KEPT_FOR = timedelta(days=30)
ANEW_EACH_TIME = ("order.reconcile", "orders.sweep", "claims.reissue", "service.tidy")


async def tidy_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `service.tidy`."""
    await schedule_tidy(service)
    now = service.clock()
    long_ago = now - KEPT_FOR
    async with service.database.transaction() as db:
        await db.execute(delete(WebSession).where(WebSession.expires_at < now))
        await db.execute(delete(AccessToken).where(AccessToken.expires_at < now))
        await db.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < long_ago))
        done = (Job.state == "done") & Job.kind.in_(ANEW_EACH_TIME)
        await db.execute(delete(Job).where(done, Job.finished_at < long_ago))


async def schedule_tidy(service: Service) -> None:
    """One for each day, however many workers ask."""
    now = service.clock()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    async with service.database.transaction() as db:
        key = f"tidy:{tomorrow:%Y%m%d}"
        await enqueue(db, "service.tidy", key, {}, now=now, delay=tomorrow - now)
