"""Once a day: expired sessions, tokens and links are deleted, and jobs that were done long ago.

The keys of emails and of events stay for good: they are what makes a repeat a no-op.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete

from dynamic_api.core.models import AccessToken, OneTimeLink, WebSession
from dynamic_api.core.models import Job as JobRow
from dynamic_api.core.outbox import Job, enqueue
from dynamic_api.core.states import JobState
from dynamic_api.service import Service
from dynamic_api.web.sessions import LONGEST_SESSION

KEPT_FOR = timedelta(days=30)
_REPEATED_KINDS = ("order.reconcile", "orders.sweep", "claims.reissue", "service.tidy")


@dataclass(frozen=True)
class CleanUp(Job):
    """Delete what has expired."""

    kind = "service.tidy"


async def clean_up(service: Service, _job: CleanUp) -> None:
    """The job `service.tidy`."""
    await schedule_clean_up(service)
    now = service.clock()
    long_ago = now - KEPT_FOR
    async with service.database.transaction() as db:
        ended = (WebSession.expires_at < now) | (WebSession.created_at < now - LONGEST_SESSION)
        await db.execute(delete(WebSession).where(ended))
        await db.execute(delete(AccessToken).where(AccessToken.expires_at < now))
        await db.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < long_ago))
        done = (JobRow.state == JobState.DONE) & JobRow.kind.in_(_REPEATED_KINDS)
        await db.execute(delete(JobRow).where(done, JobRow.finished_at < long_ago))


async def schedule_clean_up(service: Service) -> None:
    """One for each day, however many workers ask."""
    now = service.clock()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    async with service.database.transaction() as db:
        await enqueue(db, CleanUp(), f"tidy:{tomorrow:%Y%m%d}", now=now, delay=tomorrow - now)
