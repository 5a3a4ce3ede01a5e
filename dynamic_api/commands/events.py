"""The commands about stored events and jobs: events, replay, jobs."""

import secrets
import tempfile
from dataclasses import asdict

import click
from sqlalchemy import func, select

from dynamic_api.commands.report import CommandRefused, Report, operator_command
from dynamic_api.core.clock import timestamp
from dynamic_api.core.database import Database
from dynamic_api.core.models import Job, WebhookEvent
from dynamic_api.core.states import JobState
from dynamic_api.jobs.retry import retry_dead_jobs
from dynamic_api.service import Service
from dynamic_api.webhooks.events import HandleEvent, handle_again
from dynamic_api.webhooks.replay import Comparison, replay_into_empty


@operator_command("--limit 20")
@click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
async def events(service: Service, limit: int) -> Report:
    """List Stripe's events, newest first: handled, failed, waiting."""
    async with service.database.reading() as db:
        newest = select(WebhookEvent).order_by(WebhookEvent.received_at.desc()).limit(limit)
        rows = list(await db.scalars(newest))
        dead = await db.scalars(select(Job.payload).where(Job.kind == HandleEvent.kind, Job.state == JobState.DEAD))
        given_up = {payload.get("event_id") for payload in dead}
    data = [
        {
            "event": row.id,
            "type": row.type,
            "received_at": timestamp(row.received_at),
            "outcome": row.outcome or ("failed, and given up" if row.id in given_up else "waiting"),
        }
        for row in rows
    ]
    return Report([f"{row['received_at']}  {row['event']}  {row['type']:<40} {row['outcome']}" for row in data], data)


@operator_command("--failed")
@click.argument("event", required=False)
@click.option("--failed", is_flag=True, help="Those that were not handled yet: waiting or given up.")
@click.option("--all", "everything", is_flag=True, help="Every event ever stored.")
@click.option(
    "--into-empty",
    is_flag=True,
    help="With --all: shuffled and doubled, into an empty database, and compare; changes nothing here.",
)
@click.option("--seed", type=int, help="Draw the same order again.")
async def replay(
    service: Service, event: str | None, failed: bool, everything: bool, into_empty: bool, seed: int | None
) -> Report:
    """Handle stored events again; harmless. EVENT is one event's id, evt_…"""
    if [event is not None, failed, everything].count(True) != 1:
        raise CommandRefused("Say which events: an event's id, --failed, or --all.")
    if into_empty:
        if not everything:
            raise CommandRefused("--into-empty replays everything: write replay --all --into-empty.")
        return await _replay_into_empty(service, secrets.randbelow(2**31) if seed is None else seed)
    async with service.database.transaction() as db:
        count = await handle_again(db, event_id=event, only_unhandled=failed, now=service.clock())
    if event and not count:
        raise CommandRefused(f"No event {event} was ever stored; `events` lists them.")
    counted = "1 event" if count == 1 else f"{count} events"
    return Report([f"{counted} will be handled again."], {"events": count})


async def _replay_into_empty(service: Service, seed: int) -> Report:
    from dynamic_api.migrations import upgrade

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/replayed.sqlite3"
        await upgrade(url)
        empty = Database(url)
        try:
            outcome = await replay_into_empty(service, empty, seed=seed)
        finally:
            await empty.close()
    same = outcome.ours == outcome.replayed
    return Report(_compared(outcome, seed), {"seed": seed, "same": same, **asdict(outcome)}, failed=not same)


def _compared(outcome: Comparison, seed: int) -> list[str]:
    events_ = "1 event" if outcome.events == 1 else f"{outcome.events} events"
    left_out = "1 order" if outcome.unmentioned == 1 else f"{outcome.unmentioned} orders"
    return [
        f"{events_}, each twice, in random order (--seed {seed}), into an empty database.",
        *([f"{left_out} that no stored event mentions are left out."] if outcome.unmentioned else []),
        f"state here:     {outcome.ours}",
        f"state replayed: {outcome.replayed}",
        "They are the same." if outcome.ours == outcome.replayed else "They differ. Run reconcile, then replay again.",
        *(f"  only here:     {line}" for line in outcome.only_ours),
        *(f"  only replayed: {line}" for line in outcome.only_replayed),
    ]


@operator_command("--retry")
@click.option("--retry", is_flag=True, help="Retry the jobs that were given up.")
@click.option("--limit", type=int, default=50, show_default=True, help="How many at most.")
async def jobs(service: Service, retry: bool, limit: int) -> Report:
    """List jobs that are not done, or retry those that failed."""
    if retry:
        async with service.database.transaction() as db:
            count = await retry_dead_jobs(db, now=service.clock())
        counted = "1 job" if count == 1 else f"{count} jobs"
        return Report([f"{counted} will be retried."], {"jobs": count})
    async with service.database.reading() as db:
        counted_rows = await db.execute(select(Job.state, func.count()).group_by(Job.state).order_by(Job.state))
        counts = {row[0].value: row[1] for row in counted_rows}
        rows = list(await db.scalars(select(Job).where(Job.state != JobState.DONE).order_by(Job.run_at).limit(limit)))
    data = [
        {
            "id": row.id,
            "kind": row.kind,
            "state": row.state.value,
            "attempts": row.attempts,
            "error": row.last_error,
        }
        for row in rows
    ]
    lines = [", ".join(f"{count} {state}" for state, count in counts.items()) or "No jobs yet."]
    lines += [
        f"{row['id']:>6}  {row['kind']:<18} {row['state']:<8} {row['attempts']} attempts  {row['error'] or ''}"
        for row in data
    ]
    return Report(lines, {"counts": counts, "jobs": data})
