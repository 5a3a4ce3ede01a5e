"""Jobs that were given up, tried again."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.models import Job
from dynamic_api.core.states import JobState


async def retry_dead_jobs(db: AsyncSession, *, now: datetime) -> int:
    """Give the dead jobs another three days. Returns how many."""
    changed = await db.execute(
        update(Job)
        .where(Job.state == JobState.DEAD)
        .values(state=JobState.WAITING, run_at=now, due_at=now, attempts=0, finished_at=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    count = len(changed.all())
    record(db, Action.JOBS_RETRIED, at=now, actor=OPERATOR, jobs=count)
    return count
