"""What is wrong, in sentences for an operator, and whether the service can work nevertheless."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from dynamic_api.health.signs import Signs, free_bytes, read_signs, sqlite_path
from dynamic_api.migrations.schema import newest_schema
from dynamic_api.service import Service

LONGEST_WAIT = timedelta(minutes=15)  # of a job that is due
LONGEST_WITHOUT_SWEEP = timedelta(hours=24)  # it comes every six hours
LEAST_FREE = 50 * 2**20  # bytes on the database's disk


@dataclass(frozen=True)
class Health:
    """`is_ready` is false when nothing can be written; `problems` are sentences for an operator."""

    is_ready: bool
    problems: tuple[str, ...]
    signs: Signs | None = None

    @property
    def status(self) -> str:
        """`ok`, `degraded` (it works, and somebody should look) or `unavailable`."""
        if not self.is_ready:
            return "unavailable"
        return "degraded" if self.problems else "ok"


async def check_health(service: Service) -> Health:
    """Write to the database, and look for what an operator should know."""
    broken, signs = _file_problem(service), None
    if broken is None:
        try:
            async with asyncio.timeout(5):
                signs = await read_signs(service)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            broken = f"The database cannot be written: {type(error).__name__}."
    if signs is not None and signs.schema != newest_schema():
        broken = "The database has another schema than this program: see “coursewright migrate”."
    problems = [*_of_catalog(service), *(_of_signs(service, signs) if signs else [])]
    if service.gateways.payments.problem is not None:
        problems.append(service.gateways.payments.problem)
    if not await service.throttle.answers():
        problems.append("Valkey does not answer: each process counts limits on attempts for itself.")
    if service.progress.failed:
        problems.append("The last progress of learners could not be saved; players repeat it.")
    return Health(is_ready=broken is None, problems=(*([broken] if broken else []), *problems), signs=signs)


def _of_catalog(service: Service) -> Iterator[str]:
    for course in service.catalog.current.missing:
        yield f"The course “{course.definition.title}” is not in the course files; its owners keep it as it was."
    if service.catalog.problem is not None:
        yield service.catalog.problem


def _of_signs(service: Service, signs: Signs) -> Iterator[str]:
    now = service.clock()
    if signs.dead_jobs:
        yield f"Jobs that were given up: {signs.dead_jobs}; see “coursewright jobs”."
    if signs.oldest_job is not None and signs.oldest_job < now - LONGEST_WAIT:
        yield f"A job waits since {signs.oldest_job:%Y-%m-%d %H:%M} UTC: is “coursewright work” running?"
    if signs.swept_at is not None and signs.swept_at < now - LONGEST_WITHOUT_SWEEP:
        yield f"Orders were last compared with Stripe on {signs.swept_at:%Y-%m-%d %H:%M} UTC; it happens every 6 hours."


def _file_problem(service: Service) -> str | None:
    """What only the file system knows of an SQLite database: a deleted file can still be written, and is lost."""
    path = sqlite_path(service)
    if path is None:
        return None
    if not path.exists():
        return "The database file is gone."
    if (free := free_bytes(service)) is not None and free < LEAST_FREE:
        return "The disk of the database is full."
    return None
