"""The outbox: jobs are written in the transaction that causes them. Claims are one statement, with a lease."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import insert_or_ignore
from dynamic_api.models import Job

MAIL = "mail.send"
LEASE = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=3)  # as long as Stripe tries to deliver
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class ClaimedJob:
    """A job this worker holds, until its lease runs out."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int
    due_at: datetime
    lease: str


async def enqueue(
    db: AsyncSession, kind: str, key: str, payload: dict[str, Any], *, now: datetime, delay: timedelta = timedelta()
) -> bool:
    """Write a job in the caller's transaction. A second one with the same key is a no-op; True when it was new."""
    due = now + delay
    statement: Insert = insert_or_ignore(db, Job).values(
        kind=kind, key=key, payload=payload, state="waiting", attempts=0, run_at=due, due_at=due
    )
    return bool((await db.execute(statement.returning(Job.id))).scalar())


async def enqueue_mail(
    db: AsyncSession, message: str, identity: str, *, now: datetime, delay: timedelta = timedelta(), **about: Any
) -> None:
    """A mail, in the caller's transaction; one for each identity, which is its Message-ID too."""
    payload = {"message": message, "id": identity, **about}
    await enqueue(db, MAIL, f"mail:{identity}", payload, now=now, delay=delay)


class Lane(StrEnum):
    """Mail waits for a mail server, which may take its time; payments must not wait behind it."""

    MAIL = "mail"
    OTHERS = "others"


async def claim(db: AsyncSession, *, now: datetime, lane: Lane | None = None) -> ClaimedJob | None:
    """Take the job that is due longest, or whose worker died; `run_at` becomes the end of the lease.

    One at a time: a batch would outlive its lease while its first jobs are slow.

    One UPDATE, so that no two workers can take the same row: select-then-update ran jobs twice when measured.
    """
    lease = uuid.uuid4().hex
    due = (
        select(Job.id)
        .where(or_(Job.state == "waiting", Job.state == "running"), Job.run_at <= now, _of(lane))
        .order_by(Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    taken = await db.execute(
        update(Job)
        .where(Job.id.in_(due.scalar_subquery()), Job.run_at <= now)
        .values(state="running", lease=lease, attempts=Job.attempts + 1, run_at=now + LEASE)
        .returning(Job.id, Job.kind, Job.payload, Job.attempts, Job.due_at)
        .execution_options(synchronize_session=False)
    )
    row = taken.one_or_none()
    return ClaimedJob(row.id, row.kind, row.payload, row.attempts, row.due_at, lease) if row else None


def _of(lane: Lane | None) -> ColumnElement[bool]:
    if lane is None:
        return true()
    return Job.kind == MAIL if lane is Lane.MAIL else Job.kind != MAIL


async def finish(db: AsyncSession, job: ClaimedJob, *, now: datetime) -> None:
    """Done; unless the lease passed to another worker meanwhile. What it was about is forgotten: it may be a person."""
    await _settle(db, job, state="done", finished_at=now, last_error=None, payload={})


async def postpone(db: AsyncSession, job: ClaimedJob, error: str, *, now: datetime, permanent: bool = False) -> bool:
    """Try again later, or give up after GIVE_UP_AFTER. True when it is given up."""
    dead = permanent or now - job.due_at > GIVE_UP_AFTER
    wait = min(timedelta(seconds=2 ** min(job.attempts, 12)), LONGEST_WAIT)
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
