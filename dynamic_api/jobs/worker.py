"""Runs the jobs that are due. Any number of workers may run; each job is held by one at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dynamic_api.jobs import outbox
from dynamic_api.service import Service

logger = logging.getLogger("coursewright.worker")

Handler = Callable[[Service, dict[str, Any]], Awaitable[None]]

BATCH = 10
IDLE = 0.5  # seconds between looks when nothing is due


class GiveUp(Exception):
    """A job that cannot ever succeed; trying again would only repeat it."""


async def run_due(
    service: Service, handlers: Mapping[str, Handler], *, limit: int = BATCH, lane: outbox.Lane | None = None
) -> int:
    """Run what is due now, at most `limit` jobs, of one lane or of all. Returns how many were taken."""
    for taken in range(limit):
        async with service.database.transaction() as db:
            job = await outbox.claim(db, now=service.clock(), lane=lane)
        if job is None:
            return taken
        await _run(service, handlers, job)
    return limit


async def _run(service: Service, handlers: Mapping[str, Handler], job: outbox.ClaimedJob) -> None:
    try:
        if job.kind not in handlers:
            raise GiveUp("there is no handler for this kind of job")
        await asyncio.wait_for(handlers[job.kind](service, job.payload), outbox.LEASE.total_seconds() / 2)
    except Exception as error:  # a job may fail in any way; the row remembers how
        async with service.database.transaction() as db:
            dead = await outbox.postpone(
                db, job, f"{type(error).__name__}: {error}", now=service.clock(), permanent=isinstance(error, GiveUp)
            )
        if dead:
            logger.error("job %s (%s) was given up after %s attempts: %r", job.id, job.kind, job.attempts, error)
        else:
            logger.warning("job %s (%s) will be tried again: %r", job.id, job.kind, error)
        return
    async with service.database.transaction() as db:
        await outbox.finish(db, job, now=service.clock())


async def work(service: Service, handlers: Mapping[str, Handler]) -> None:
    """Run jobs, each lane for itself, and notice new manifests, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow_catalog(service))
        for lane in outbox.Lane:
            tasks.create_task(_work(service, handlers, lane))


async def follow_catalog(service: Service) -> None:
    """Notice new manifests, until cancelled."""
    while True:
        try:
            await service.catalog.refresh()
        except Exception:
            # A manifest that cannot be read must not stop payments and mail: the last good one serves.
            logger.exception("the new manifest could not be read; the last one goes on serving")
        await asyncio.sleep(IDLE)


async def _work(service: Service, handlers: Mapping[str, Handler], lane: outbox.Lane) -> None:
    while True:
        try:
            taken = await run_due(service, handlers, lane=lane)
        except Exception:
            # The database may be away for a while; the worker outlives that.
            logger.exception("the worker could not look for jobs")
            taken = 0
        await asyncio.sleep(0 if taken else IDLE)
