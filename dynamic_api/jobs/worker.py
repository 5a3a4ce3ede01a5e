"""Runs the jobs that are due. Any number of workers may run; each job is held by one of them at a time."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dynamic_api.core import outbox
from dynamic_api.core.errors import WillNotHeal
from dynamic_api.core.models import Json
from dynamic_api.core.operator_notices import tell_operator
from dynamic_api.core.outages import is_outage
from dynamic_api.gateways.payment_errors import PaymentsMisconfigured
from dynamic_api.jobs.regular import schedule_regular_jobs
from dynamic_api.service import Service
from sitegen.catalog.manifest import ManifestRefused, ManifestUnreadable

logger = logging.getLogger("coursewright.worker")

BATCH = 10
SCHEDULED_EVERY = 3600.0  # seconds
_SILENCE = 30.0  # seconds between two lines about the same outage
IDLE = 0.5  # seconds between looks when nothing is due

J = TypeVar("J", bound=outbox.Job)


@dataclass(frozen=True)
class Handler(Generic[J]):
    """What runs a kind of job."""

    job: type[J]
    function: Callable[[Service, J], Awaitable[None]]

    async def run(self, service: Service, payload: Json) -> None:
        """Run a stored job. Raises WillNotHeal when it cannot be read."""
        try:
            job = self.job.parse(payload)
        except (TypeError, KeyError) as error:
            raise WillNotHeal(f"the job cannot be read: {error!r}") from error
        await self.function(service, job)


Handlers = Mapping[str, Handler[Any]]  # Any: each runs jobs of its own class


async def run_due(
    service: Service,
    handlers: Handlers,
    *,
    limit: int = BATCH,
    queue: outbox.Queue | None = None,
    newest_first: bool = False,
) -> int:
    """Run what is due now, at most `limit` jobs, of one queue or of all. Returns how many were run."""
    for count in range(limit):
        if is_told_to_stop():
            return count
        job = await _take(service, queue, newest_first=newest_first)
        if job is None:
            return count
        await _run(service, handlers, job)
    return limit


async def _take(service: Service, queue: outbox.Queue | None, *, newest_first: bool) -> outbox.LeasedJob | None:
    """The next job. Who is told to stop meanwhile gives it back: its lease may be committed already."""

    async def lease() -> outbox.LeasedJob | None:
        async with service.database.transaction() as db:
            return await outbox.lease_next(db, now=service.clock(), queue=queue, newest_first=newest_first)

    leasing = asyncio.create_task(lease())
    try:
        return await asyncio.shield(leasing)
    except asyncio.CancelledError:
        if (job := await leasing) is not None:
            await _hand_back(service, job)
        raise


async def _run(service: Service, handlers: Handlers, job: outbox.LeasedJob) -> None:
    try:
        if job.kind not in handlers:
            raise WillNotHeal("there is no handler for this kind of job")
        async with asyncio.timeout(outbox.LEASE.total_seconds() / 2):
            await handlers[job.kind].run(service, job.payload)
    except asyncio.CancelledError:  # the worker is told to stop
        await _hand_back(service, job)
        raise
    except Exception as error:  # a job may fail in any way; the row remembers how
        async with service.database.transaction() as db:
            dead = await outbox.postpone(
                db,
                job,
                f"{type(error).__name__}: {error}",
                now=service.clock(),
                permanent=isinstance(error, WillNotHeal),
            )
            if job.kind != outbox.EMAIL_KIND and (dead or isinstance(error, PaymentsMisconfigured)):
                sentence = f"The job {job.kind} was not done: {error}. “coursewright jobs” lists what waits."
                await tell_operator(db, f"job.{job.kind}", sentence, now=service.clock())
        if dead:
            logger.error("job %s (%s) was given up after %s attempts: %r", job.id, job.kind, job.attempts, error)
        else:
            logger.warning("job %s (%s) will be retried: %r", job.id, job.kind, error)
        return
    async with service.database.transaction() as db:
        await outbox.finish(db, job, now=service.clock())


async def _hand_back(service: Service, job: outbox.LeasedJob) -> None:
    async with service.database.transaction() as db:
        await outbox.hand_back(db, job, now=service.clock())


async def work(service: Service, handlers: Handlers) -> None:
    """Run jobs, each queue from both ends, and notice new manifests, until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(follow_catalog(service))
        tasks.create_task(_keep_schedule(service))
        for queue in outbox.Queue:
            for newest_first in (False, True):
                tasks.create_task(_work(service, handlers, queue, newest_first=newest_first))


async def _keep_schedule(service: Service) -> None:
    """Each regular job writes its successor; one that a wrong clock wrote far ahead is not waited for."""
    complaints = _Complaints()
    while True:
        await asyncio.sleep(SCHEDULED_EVERY)
        try:
            await schedule_regular_jobs(service)
        except Exception as error:
            complaints.tell("the regular jobs could not be scheduled", error)


async def follow_catalog(service: Service) -> None:
    """Notice new manifests, until cancelled."""
    complaints = _Complaints()
    while True:
        try:
            await service.catalog.refresh()
        except (ManifestUnreadable, ManifestRefused):
            pass  # the catalogue has logged why, and stays as it is
        except Exception as error:
            # A database that is away must not stop payments and email: the last good catalogue stays in use.
            complaints.tell("the new manifest could not be read; the last one stays in use", error)
        await asyncio.sleep(IDLE)


class _Complaints:
    """What one loop says of failures: the same one twice a minute at most; an outage in a line, all else with its
    traceback."""

    def __init__(self) -> None:
        self._told_at: dict[type[Exception], float] = {}

    def tell(self, what: str, error: Exception) -> None:
        """Say that something failed."""
        now = time.monotonic()
        if now - self._told_at.get(type(error), -_SILENCE) < _SILENCE:
            return
        self._told_at[type(error)] = now
        if is_outage(error):
            logger.warning("%s: the database cannot answer: %r", what, error)
        else:
            logger.error(what, exc_info=error)


def is_told_to_stop() -> bool:
    """Whether the task that runs was cancelled, also where the cancellation itself got lost."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _work(service: Service, handlers: Handlers, queue: outbox.Queue, *, newest_first: bool) -> None:
    # A library may have swallowed the request to stop: `wait_for` does on Python 3.11, when what it waits for is done.
    complaints = _Complaints()
    while not is_told_to_stop():
        try:
            # One at a time from the new end: what became due meanwhile is newer than the rest of a batch.
            limit = 1 if newest_first else BATCH
            count = await run_due(service, handlers, limit=limit, queue=queue, newest_first=newest_first)
        except Exception as error:
            # The database may be away for a while; the worker waits for it.
            complaints.tell("the worker could not look for jobs", error)
            count = 0
        await asyncio.sleep(0 if count else IDLE)
