"""The outbox: jobs are written in the transaction that causes them. Claims are one statement, with a lease."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.models import Job

LEASE = timedelta(minutes=2)
MAX_ATTEMPTS = 12
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class ClaimedJob:
    """A job this worker holds, until its lease runs out."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    lease: str


def insert_or_ignore(db: AsyncSession, table: type[Any]) -> Any:
    """An INSERT that does nothing where a unique key is taken, in this database's dialect."""
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


async def enqueue(
    db: AsyncSession, kind: str, key: str, payload: dict[str, Any], *, now: datetime, delay: timedelta = timedelta()
) -> bool:
    """Write a job in the caller's transaction. A second one with the same key is a no-op; True when it was new."""
    statement: Insert = insert_or_ignore(db, Job).values(
        kind=kind, key=key, payload=payload, state="waiting", attempts=0, run_at=now + delay, created_at=now
    )
    return bool((await db.execute(statement.returning(Job.id))).scalar())


async def claim(db: AsyncSession, *, now: datetime, limit: int) -> Sequence[ClaimedJob]:
    """Take jobs that are due, or whose worker died; `run_at` becomes the end of the lease.

    One UPDATE, so that no two workers can take the same row: select-then-update ran jobs twice when measured.
    """
    lease = uuid.uuid4().hex
    due = (
        select(Job.id)
        .where(or_(Job.state == "waiting", Job.state == "running"), Job.run_at <= now)
        .order_by(Job.run_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await db.execute(
        update(Job)
        .where(Job.id.in_(due.scalar_subquery()), Job.run_at <= now)
        .values(state="running", lease=lease, attempts=Job.attempts + 1, run_at=now + LEASE)
        .returning(Job.id, Job.kind, Job.payload, Job.attempts)
        .execution_options(synchronize_session=False)
    )
    jobs = [ClaimedJob(row.id, row.kind, row.payload, row.attempts, lease) for row in taken]
    return sorted(jobs, key=lambda job: job.id)


async def finish(db: AsyncSession, job: ClaimedJob, *, now: datetime) -> None:
    """Done; unless the lease passed to another worker meanwhile."""
    await _settle(db, job, state="done", finished_at=now, last_error=None)


async def postpone(db: AsyncSession, job: ClaimedJob, error: str, *, now: datetime, permanent: bool = False) -> bool:
    """Try again later, or give up after MAX_ATTEMPTS. True when it is given up."""
    dead = permanent or job.attempts >= MAX_ATTEMPTS
    wait = min(timedelta(seconds=2**job.attempts), LONGEST_WAIT)
    await _settle(
        db,
        job,
        state="dead" if dead else "waiting",
        run_at=now + wait,
        last_error=error[:2000],
        finished_at=now if dead else None,
    )
    return dead


async def _settle(db: AsyncSession, job: ClaimedJob, **values: Any) -> None:
    await db.execute(
        update(Job)
        .where(Job.id == job.id, Job.lease == job.lease)
        .values(lease=None, **values)
        .execution_options(synchronize_session=False)
    )
