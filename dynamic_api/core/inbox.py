"""The inbox: what a partner reports is stored with the job that acts on it, before the partner is told that it arrived.

Stripe sends thousands of events within minutes after an outage; they are stored in groups.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from dynamic_api.core.groups import Groups
from dynamic_api.core.models import Job as JobRow
from dynamic_api.core.models import WebhookEvent
from dynamic_api.core.outbox import Job, job_values
from dynamic_api.core.postgres_pool import PostgresPool
from dynamic_api.core.reader import Prepared
from dynamic_api.core.sql import rows_from_arrays
from dynamic_api.core.sqlite_writer import SqliteWriter

_EVENT = ("id", "type", "livemode", "session_id", "payment_intent_id", "payload", "received_at")
_JOB = ("kind", "key", "payload", "state", "attempts", "created_at", "run_at", "due_at")


@dataclass(frozen=True)
class Arrival:
    """An event as it came, and the job that acts on it."""

    id: str
    type: str
    livemode: bool
    session_id: str | None
    payment_intent_id: str | None
    payload: str
    received_at: datetime
    job: Job

    def event_values(self) -> dict[str, object]:
        """The row of the event."""
        return {name: getattr(self, name) for name in _EVENT}

    def job_values(self) -> dict[str, object]:
        """The row of its job."""
        return job_values(self.job, f"event:{self.id}", now=self.received_at)


class Inbox:
    """Stores what arrives, once each."""

    def __init__(self, writer: SqliteWriter | PostgresPool) -> None:
        self._writer = writer
        self._groups: Groups[Arrival, bool] = Groups(self._write)

    async def store(self, arrival: Arrival) -> bool:
        """False when it was known. When this returns, event and job are committed."""
        return await self._groups.add(arrival)

    async def close(self) -> None:
        """Write what is waiting."""
        await self._groups.flush()

    async def _write(self, arrivals: Sequence[Arrival]) -> Sequence[bool]:
        if isinstance(self._writer, SqliteWriter):
            return await self._writer.write(lambda connection: _to_sqlite(connection, arrivals), rows=2 * len(arrivals))
        return await _to_postgresql(self._writer, arrivals)


_SQLITE_EVENT = Prepared(
    sqlite.insert(WebhookEvent).values({name: bindparam(name) for name in _EVENT}).on_conflict_do_nothing(), "sqlite"
)
_SQLITE_JOB = Prepared(
    sqlite.insert(JobRow).values({name: bindparam(name) for name in _JOB}).on_conflict_do_nothing(), "sqlite"
)


def _to_sqlite(connection: sqlite3.Connection, arrivals: Sequence[Arrival]) -> list[bool]:
    new = []
    for each in arrivals:
        is_new = connection.execute(_SQLITE_EVENT.text, _SQLITE_EVENT.values(each.event_values())).rowcount == 1
        if is_new:
            connection.execute(_SQLITE_JOB.text, _SQLITE_JOB.values(each.job_values()))
        new.append(is_new)
    return new


def _insert_many(table: type[WebhookEvent] | type[JobRow], names: Sequence[str]) -> postgresql.Insert:
    columns = [table.__table__.c[name] for name in names]
    given = select(*rows_from_arrays(columns).c)
    return postgresql.insert(table).from_select(columns, given).on_conflict_do_nothing()


_POSTGRESQL_EVENTS = Prepared(_insert_many(WebhookEvent, _EVENT).returning(WebhookEvent.id), "postgresql")
_POSTGRESQL_JOBS = Prepared(_insert_many(JobRow, _JOB), "postgresql")


async def _to_postgresql(pool: PostgresPool, arrivals: Sequence[Arrival]) -> list[bool]:
    by_id = {each.id: each for each in arrivals}
    async with pool.connection() as connection, connection.transaction():
        events = _arrays([each.event_values() for each in by_id.values()])
        stored = await connection.fetch(_POSTGRESQL_EVENTS.text, *_POSTGRESQL_EVENTS.values(events))
        new = {row[0] for row in stored}
        if new:
            jobs = _arrays([by_id[name].job_values() for name in new])
            await connection.execute(_POSTGRESQL_JOBS.text, *_POSTGRESQL_JOBS.values(jobs))
    # Of two copies in one group, the first is the new one.
    first = {each.id: number for number, each in reversed(list(enumerate(arrivals)))}
    return [each.id in new and first[each.id] == number for number, each in enumerate(arrivals)]


def _arrays(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    return {name: [row[name] for row in rows] for name in rows[0]}
