"""The outbox: jobs are rows, written in the transaction that causes them, so that no crash can lose them.

A job is a dataclass. Its fields are stored as JSON beside the kind; `handlers.py` says which function runs which kind.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from sqlalchemy import ColumnElement, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.clock import SLACK
from dynamic_api.core.database import insert_or_ignore
from dynamic_api.core.models import Job as JobRow
from dynamic_api.core.models import Json
from dynamic_api.core.states import JobState

LEASE = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=3)  # as long as Stripe keeps retrying a webhook
LONGEST_WAIT = timedelta(hours=1)


class Job:
    """Base of all jobs: dataclasses whose fields say what is to be done. `kind` is stored, so it must never change."""

    kind: ClassVar[str]

    def payload(self) -> Json:
        """The fields, as they are stored."""
        return dict(vars(self))

    @classmethod
    def parse(cls, payload: Json) -> Self:
        """The job of a stored payload. Raises TypeError when the payload has other fields."""
        return cls(**payload)


@dataclass(frozen=True)
class LeasedJob:
    """A job that this worker holds until its lease expires."""

    id: int
    kind: str
    payload: Json
    attempts: int
    due_at: datetime
    lease: str


async def enqueue(db: AsyncSession, job: Job, key: str, *, now: datetime, delay: timedelta = timedelta()) -> bool:
    """Write a job in the caller's transaction. A second one with the same key is a no-op; True when it was new."""
    statement = insert_or_ignore(db, JobRow).values(job_values(job, key, now=now, delay=delay))
    return bool((await db.execute(statement.returning(JobRow.id))).scalar())


def job_values(job: Job, key: str, *, now: datetime, delay: timedelta = timedelta()) -> dict[str, object]:
    """The row of a new job."""
    due, waiting = now + delay, {"state": JobState.WAITING, "attempts": 0, "created_at": now}
    return {"kind": job.kind, "key": key, "payload": job.payload(), **waiting, "run_at": due, "due_at": due}


class Queue(StrEnum):
    """Email waits for a mail server, which may take its time; payments must not wait behind it."""

    EMAIL = "email"
    OTHERS = "others"


EMAIL_KIND = "mail.send"


async def lease_next(
    db: AsyncSession, *, now: datetime, queue: Queue | None = None, newest_first: bool = False
) -> LeasedJob | None:
    """Take the job that has been due longest, or whose worker died; `run_at` becomes the end of the lease.

    With `newest_first`, take the one that became due last: behind a thousand late events waits nobody, and before the
    page of a new purchase somebody does.

    One job at a time: a batch would outlive its lease while its first jobs are slow. And one UPDATE, so that no two
    workers can take the same row: select-then-update ran jobs twice when measured.
    """
    lease = uuid.uuid4().hex
    order = (JobRow.run_at.desc(), JobRow.id.desc()) if newest_first else (JobRow.run_at, JobRow.id)
    due = (
        select(JobRow.id)
        .where(_is_due(now), _belongs_to(queue))
        .order_by(*order)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = await db.execute(
        update(JobRow)
        .where(JobRow.id == due.scalar_subquery(), _is_due(now))  # with IN, PostgreSQL may run it once for each row
        .values(state=JobState.RUNNING, lease=lease, attempts=JobRow.attempts + 1, run_at=now + LEASE)
        .returning(JobRow.id, JobRow.kind, JobRow.payload, JobRow.attempts, JobRow.due_at)
        .execution_options(synchronize_session=False)
    )
    row = taken.one_or_none()
    return LeasedJob(row.id, row.kind, row.payload, row.attempts, row.due_at, lease) if row else None


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Whether a job's time has come, or cannot be right: a clock that ran ahead and was put right wrote it."""
    ahead = now + SLACK
    at_once = JobRow.due_at <= JobRow.created_at
    written_ahead = (JobRow.created_at > ahead) & at_once & (JobRow.run_at >= JobRow.created_at)
    retried_ahead = (JobRow.due_at <= now) & (JobRow.run_at > ahead + LONGEST_WAIT)
    waiting = (JobRow.state == JobState.WAITING) & or_(JobRow.run_at <= now, written_ahead, retried_ahead)
    running = (JobRow.state == JobState.RUNNING) & or_(JobRow.run_at <= now, JobRow.run_at > ahead + LEASE)
    return or_(waiting, running)


def _belongs_to(queue: Queue | None) -> ColumnElement[bool]:
    if queue is None:
        return true()
    return JobRow.kind == EMAIL_KIND if queue is Queue.EMAIL else JobRow.kind != EMAIL_KIND


async def finish(db: AsyncSession, job: LeasedJob, *, now: datetime) -> None:
    """Mark as done, unless another worker holds the lease by now. Clears the payload: it may contain personal data."""
    await _settle(db, job, state=JobState.DONE, finished_at=now, last_error=None, payload={})


async def postpone(db: AsyncSession, job: LeasedJob, error: str, *, now: datetime, permanent: bool = False) -> bool:
    """Try again later, or give up after GIVE_UP_AFTER. True when it is given up."""
    dead = permanent or now - job.due_at > GIVE_UP_AFTER
    wait = min(timedelta(seconds=2 ** min(job.attempts, 12)), LONGEST_WAIT)
    await _settle(
        db,
        job,
        state=JobState.DEAD if dead else JobState.WAITING,
        run_at=now + wait,
        last_error=error[:2000],
        finished_at=now if dead else None,
    )
    return dead


async def hand_back(db: AsyncSession, job: LeasedJob, *, now: datetime) -> None:
    """Give a job back that was interrupted, so that another worker begins it at once instead of after the lease."""
    await _settle(db, job, state=JobState.WAITING, run_at=now, attempts=job.attempts - 1)


async def _settle(db: AsyncSession, job: LeasedJob, **values: object) -> None:
    await db.execute(
        update(JobRow)
        .where(JobRow.id == job.id, JobRow.lease == job.lease)
        .values(lease=None, **values)
        .execution_options(synchronize_session=False)
    )
