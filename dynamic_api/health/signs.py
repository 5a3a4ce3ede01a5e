"""What can be measured of a running installation: read once, for `/readyz` and for `/metrics`."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.models import CatalogState, Job
from dynamic_api.core.outbox import EMAIL_KIND
from dynamic_api.core.states import JobState
from dynamic_api.jobs.clean_up import CleanUp
from dynamic_api.orders.jobs import Sweep
from dynamic_api.service import Service

EVENT_KIND = "stripe.event"


@dataclass(frozen=True)
class Waiting:
    """Jobs of a kind that are not done. `run_at` is when the next attempt of one is due, the earliest of all."""

    count: int
    due_at: datetime
    run_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Signs:
    """Moments are None where something has not happened yet."""

    schema: str | None
    dead_jobs: int
    waiting: Mapping[str, Waiting]
    mailed_at: datetime | None
    swept_at: datetime | None
    cleaned_at: datetime | None
    heartbeat_at: datetime | None  # of this process
    catalog_at: datetime | None
    free_bytes: int | None  # on the disk of an SQLite database

    @property
    def oldest_job(self) -> datetime | None:
        """Since when the job that waits longest could have been tried."""
        return min((each.run_at for each in self.waiting.values()), default=None)

    @property
    def oldest_event(self) -> datetime | None:
        """Since when the oldest event of Stripe waits."""
        found = self.waiting.get(EVENT_KIND)
        return found.due_at if found else None


async def read_signs(service: Service) -> Signs:
    """Write, take it back, and read. Raises what the database raises.

    The write comes first: SQLite lets it wait for other writers only in a transaction that has read nothing yet.
    """
    async with service.database.reading() as db:
        await db.execute(update(CatalogState).values(version=CatalogState.version))
        schema = await db.scalar(text("SELECT version_num FROM alembic_version"))
        dead = await db.scalar(select(func.count()).select_from(Job).where(Job.state == JobState.DEAD))
        waiting = await _waiting(db)
        mailed_at = await db.scalar(
            select(Job.finished_at)
            .where(Job.kind == EMAIL_KIND, Job.state == JobState.DONE)
            .order_by(Job.id.desc())
            .limit(1)
        )
        catalog_at = await db.scalar(select(CatalogState.synced_at))
        await db.rollback()
    return Signs(
        schema,
        dead or 0,
        waiting,
        mailed_at,
        # Each of these writes its successor when it runs.
        waiting[Sweep.kind].created_at if Sweep.kind in waiting else None,
        waiting[CleanUp.kind].created_at if CleanUp.kind in waiting else None,
        service.progress.written_at,
        catalog_at,
        free_bytes(service),
    )


async def _waiting(db: AsyncSession) -> dict[str, Waiting]:
    found = await db.execute(
        select(Job.kind, func.count(), func.min(Job.due_at), func.min(Job.run_at), func.max(Job.created_at))
        .where(Job.state.in_([JobState.WAITING, JobState.RUNNING]))
        .group_by(Job.kind)
    )
    return {row[0]: Waiting(row[1], row[2], row[3], row[4]) for row in found}


def sqlite_path(service: Service) -> Path | None:
    """The file of an SQLite database."""
    url = service.database.url
    return Path(url.database) if service.database.is_sqlite and url.database else None


def free_bytes(service: Service) -> int | None:
    """What is free on the disk of an SQLite database; None where another machine has the database."""
    path = sqlite_path(service)
    return shutil.disk_usage(path.parent).free if path is not None and path.parent.exists() else None
