"""Whether the service can do its work, for whatever watches it: a load balancer, a monitor, an operator."""

import asyncio
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from dynamic_api.core.models import CatalogState, Job
from dynamic_api.core.states import JobState
from dynamic_api.service import Service
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse

FOR = 2.0  # seconds that an answer is good for: anybody may ask, and asking writes
LONGEST_WAIT = timedelta(minutes=15)  # of a job that is due
LEAST_FREE = 50 * 2**20  # bytes on the database's disk


@dataclass(frozen=True)
class Health:
    """`is_ready` is false when nothing can be written; `problems` are sentences for an operator."""

    is_ready: bool
    problems: tuple[str, ...]

    @property
    def status(self) -> str:
        """`ok`, `degraded` (it works, and somebody should look) or `unavailable`."""
        if not self.is_ready:
            return "unavailable"
        return "degraded" if self.problems else "ok"


class HealthCheck:
    """Asks the service, and remembers the answer for a moment."""

    def __init__(self) -> None:
        self._asking = asyncio.Lock()
        self._asked_at = -FOR
        self._health = Health(is_ready=False, problems=())

    async def ask(self, service: Service) -> Health:
        """The present answer."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= FOR:
                self._health, self._asked_at = await check_health(service), time.monotonic()
            return self._health

    async def show(self, request: Request) -> Response:
        """For anyone: 200 while the service can work, 503 while it cannot."""
        health = await self.ask(request.service)
        return JsonResponse(_body(request, health), 200 if health.is_ready else 503)

    async def explain(self, request: Request) -> Response:
        """For the operator: the same, with what somebody should look at. Proxies do not forward this path."""
        health = await self.ask(request.service)
        body = _body(request, health) | {"problems": list(health.problems)}
        return JsonResponse(body, 200 if health.is_ready else 503)


async def is_alive(_request: Request) -> Response:
    """For what restarts the service: it answers. A database that is away is no reason to restart it."""
    return JsonResponse({"status": "alive"}, 200)


def _body(request: Request, health: Health) -> dict[str, object]:
    return {"status": health.status, "catalog": request.service.catalog.current.version}


async def check_health(service: Service) -> Health:
    """Write to the database, and look for what an operator should know."""
    problems = [
        f"The course “{course.definition.title}” is not in the course files; its owners keep it as it was."
        for course in service.catalog.current.missing
    ]
    if service.catalog.problem is not None:
        problems.append(service.catalog.problem)
    if service.gateways.payments.problem is not None:
        problems.append(service.gateways.payments.problem)
    broken = _file_problem(service)
    if broken is None:
        try:
            async with asyncio.timeout(5), service.database.reading() as db:
                dead, waits_since = await _probe(db)
            if dead:
                problems.append(f"Jobs that were given up: {dead}; see “coursewright jobs”.")
            if waits_since is not None and waits_since < service.clock() - LONGEST_WAIT:
                problems.append(f"A job waits since {waits_since:%Y-%m-%d %H:%M} UTC: is “coursewright work” running?")
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            broken = f"The database cannot be written: {type(error).__name__}."
    return Health(is_ready=broken is None, problems=(*([broken] if broken else []), *problems))


async def _probe(db: AsyncSession) -> tuple[int, datetime | None]:
    """Write, and take it back; the number of dead jobs, and since when the oldest due one waits.

    The write comes first: SQLite lets it wait for other writers only in a transaction that has read nothing yet.
    """
    await db.execute(update(CatalogState).values(version=CatalogState.version))
    dead = await db.scalar(select(func.count()).select_from(Job).where(Job.state == JobState.DEAD))
    waits_since = await db.scalar(select(func.min(Job.run_at)).where(Job.state == JobState.WAITING))
    await db.rollback()
    return dead or 0, waits_since


def _file_problem(service: Service) -> str | None:
    """What only the file system knows of an SQLite database: a deleted file can still be written, and is lost."""
    url = service.database.url
    if not service.database.is_sqlite or not url.database:
        return None
    path = Path(url.database)
    if not path.exists():
        return "The database file is gone."
    if shutil.disk_usage(path.parent).free < LEAST_FREE:
        return "The disk of the database is full."
    return None
