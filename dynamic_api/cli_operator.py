"""The operator's questions and acts on the command line. Each takes `--json`, and says what it changed."""

import argparse
import asyncio
import json
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.checkout.reconcile import OrderBusy
from dynamic_api.checkout.sweep import Difference, differences
from dynamic_api.cli_letters import show_letters
from dynamic_api.cli_report import CommandRefused, Report
from dynamic_api.clock import timestamp
from dynamic_api.config import Settings
from dynamic_api.database import Database
from dynamic_api.errors import CourseNotFound
from dynamic_api.gateways.payments import PaymentsDown
from dynamic_api.gateways.stream_library import StreamLibrary, StreamRefused
from dynamic_api.models import Entitlement, Job, Order, User, WebhookEvent
from dynamic_api.operator import access, queues
from dynamic_api.operator.captions import bring_captions
from dynamic_api.operator.rebuild import replay_into_empty
from dynamic_api.operator.why import why
from dynamic_api.service import Service

Command = Callable[[Service, argparse.Namespace], Awaitable[Report]]


def add_operator_commands(commands: Any) -> None:
    """Add them all to the parser's sub-commands."""
    both = ["email", "course"]
    _add(commands, "why", _why, "why somebody can watch a course, or cannot", "ann@example.com sourdough", both)
    _add(
        commands,
        "grant",
        _grant,
        "give a course",
        "ann@example.com sourdough --reason 'won the raffle'",
        both,
        reason=True,
    )
    _add(
        commands, "revoke", _revoke, "take a course away", "ann@example.com sourdough --reason abuse", both, reason=True
    )
    _add(
        commands,
        "move",
        _move,
        "bring purchases to another account",
        "old@example.com new@example.com",
        ["email", "to"],
    )
    _add(
        commands,
        "readdress",
        _readdress,
        "send a gift that waits to another address",
        "ord_0123456789abcdef01234567 fran@example.com",
        ["order", "to"],
    )
    _add(commands, "orders", _orders, "the newest orders", "--limit 20", [])
    _add(commands, "learners", _learners, "everybody with an account, and what they have", "", [])
    _add(commands, "events", _events, "events of Stripe: stored, failed, waiting", "", [])
    replay = _add(commands, "replay", _replay, "handle events again; harmless", "--failed", [])
    which = replay.add_mutually_exclusive_group(required=True)
    which.add_argument("event", nargs="?", help="one event, evt_…")
    which.add_argument("--failed", action="store_true", help="those not handled yet: waiting or given up")
    which.add_argument("--all", action="store_true", help="every event ever stored")
    replay.add_argument(
        "--into-empty",
        action="store_true",
        help="with --all: shuffled and doubled, into an empty database, and compare; changes nothing here",
    )
    replay.add_argument("--seed", type=int, default=None, help="draw the same order again")
    mail = _add(commands, "mail", show_letters, "see every letter we write, filled with samples", "receipt", [])
    mail.add_argument("name", nargs="?", help="one letter; all names without")
    mail.add_argument("--folder", type=Path, help="write all of them there, as .html and .txt")
    _add(commands, "captions", _captions, "hand the captions of the course files to Stream's player", "", [])
    jobs = _add(commands, "jobs", _jobs, "jobs: waiting, running, dead", "--retry", [])
    jobs.add_argument("--retry", action="store_true", help="set the dead ones going again")
    reconcile = _add(
        commands, "reconcile", _reconcile, "hold our orders against Stripe", "--since 2026-11-01 --apply", []
    )
    reconcile.add_argument(
        "--since",
        type=datetime.fromisoformat,
        help="what was made at Stripe since this day; thirty days (disputes: 180) unless told",
    )
    reconcile.add_argument("--apply", action="store_true", help="mend the differences")


def _add(
    commands: Any, name: str, command: Command, purpose: str, example: str, words: list[str], *, reason: bool = False
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=f"Example: scripts/coursewright {name} {example}",
    )
    for word in words:
        parser.add_argument(word)
    if reason:
        parser.add_argument("--reason", required=True, help="kept in the audit log")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.add_argument("--limit", type=int, default=50, help="how many lines at most")
    parser.set_defaults(run=lambda options: asyncio.run(_run(command, options)), command=name)
    return parser


async def _run(command: Command, options: argparse.Namespace) -> int:
    from dynamic_api.app import create_service
    from dynamic_api.gateways import open_gateways

    settings = Settings.from_environ(os.environ)
    service = create_service(settings, open_gateways(settings))
    try:
        await service.catalog.refresh()
        report = await command(service, options)
        async with service.database.transaction() as db:  # of whom is not said: it would outlive their account
            record(db, Action.OPERATOR_ASKED, at=service.clock(), actor=access.ACTOR, command=options.command)
    except (CourseNotFound, access.NoSuchLearner, access.NoSuchGift, PaymentsDown, StreamRefused) as error:
        raise CommandRefused(str(error)) from error
    finally:
        await service.close()
    print(json.dumps(report.data, indent=2) if options.json else "\n".join(report.lines) or "Nothing.")
    return 1 if report.failed else 0


async def _why(service: Service, options: argparse.Namespace) -> Report:
    course = service.catalog.current.course(options.course)
    async with service.database.reading() as db:
        answer = await why(db, options.email, course)
    may = "may" if answer.may_watch else "may not"
    lines = [f"{options.email} {may} watch {course.file.title}.", ""]
    lines += [f"  {reason}" for reason in answer.reasons]
    lines += ["", *(f"  {fact.at:%Y-%m-%d %H:%M:%S}  {fact.sentence}" for fact in answer.history)]
    history = [{"at": timestamp(fact.at), "sentence": fact.sentence} for fact in answer.history]
    return Report(lines, {"may_watch": answer.may_watch, "reasons": answer.reasons, "history": history})


async def _grant(service: Service, options: argparse.Namespace) -> Report:
    course = service.catalog.current.course(options.course)
    async with service.database.transaction() as db:
        return _said(await access.grant(db, options.email, course, reason=options.reason, now=service.clock()))


async def _revoke(service: Service, options: argparse.Namespace) -> Report:
    course = service.catalog.current.course(options.course)
    async with service.database.transaction() as db:
        return _said(await access.revoke(db, options.email, course, reason=options.reason, now=service.clock()))


async def _move(service: Service, options: argparse.Namespace) -> Report:
    async with service.database.transaction() as db:
        return _said(await access.move(db, options.email, options.to, now=service.clock()))


async def _readdress(service: Service, options: argparse.Namespace) -> Report:
    async with service.database.transaction() as db:
        return _said(await access.readdress_gift(db, options.order, options.to, now=service.clock()))


async def _orders(service: Service, options: argparse.Namespace) -> Report:
    async with service.database.reading() as db:
        rows = list(await db.scalars(select(Order).order_by(Order.id.desc()).limit(options.limit)))
    titles = service.catalog.current
    data = [
        {
            "order": row.public_id, "state": row.state, "course": titles.title_of(row.course_id), "email": row.email,
            "total": row.total_amount, "currency": row.total_currency or row.currency,
            "claimed": row.user_id is not None, "created_at": timestamp(row.created_at),
        }
        for row in rows
    ]  # fmt: skip
    lines = [
        f"{row['created_at']}  {row['order']}  {row['state']:<18} {row['email'] or '-':<30} {row['course']}"
        for row in data
    ]
    return Report(lines, data)


async def _learners(service: Service, options: argparse.Namespace) -> Report:
    live = select(Entitlement.user_id, Entitlement.course_id).where(Entitlement.revoked_at.is_(None)).distinct()
    async with service.database.reading() as db:
        users = list(await db.scalars(select(User).order_by(User.id.desc()).limit(options.limit)))
        held: dict[int, list[str]] = {}
        for user_id, course_id in await db.execute(live):
            held.setdefault(user_id, []).append(service.catalog.current.title_of(course_id))
    data = [{"email": user.email, "name": user.name, "courses": sorted(held.get(user.id, []))} for user in users]
    return Report([f"{row['email']:<32} {', '.join(row['courses']) or 'no course'}" for row in data], data)


async def _events(service: Service, options: argparse.Namespace) -> Report:
    async with service.database.reading() as db:
        rows = list(
            await db.scalars(select(WebhookEvent).order_by(WebhookEvent.received_at.desc()).limit(options.limit))
        )
        dead = await db.scalars(select(Job.payload).where(Job.kind == "stripe.event", Job.state == "dead"))
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


async def _replay(service: Service, options: argparse.Namespace) -> Report:
    if options.into_empty:
        if not options.all:
            raise CommandRefused("--into-empty replays everything: write replay --all --into-empty")
        return await _replay_into_empty(service, options.seed)
    async with service.database.transaction() as db:
        count = await queues.replay(db, event_id=options.event, only_unhandled=options.failed, now=service.clock())
    if options.event and not count:
        raise CommandRefused(f"No event {options.event} was ever stored; `events` lists them.")
    return Report([f"{count} event(s) will be handled again."], {"events": count})


async def _replay_into_empty(service: Service, seed: int | None) -> Report:
    from dynamic_api.migrations import upgrade

    seed = secrets.randbelow(2**31) if seed is None else seed
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/replayed.sqlite3"
        await upgrade(url)
        empty = Database(url)
        try:
            outcome = await replay_into_empty(service, empty, seed=seed)
        finally:
            await empty.close()
    same = outcome.ours == outcome.replayed
    lines = [
        f"{outcome.events} event(s), each twice, in an order of chance (--seed {seed}), into an empty database.",
        *([f"{outcome.untold} order(s) of which no stored event tells are left out."] if outcome.untold else []),
        f"state here:     {outcome.ours}",
        f"state replayed: {outcome.replayed}",
        "They are the same." if same else "They differ. Run `reconcile`, then replay again.",
        *(f"  only here:     {line}" for line in outcome.only_ours),
        *(f"  only replayed: {line}" for line in outcome.only_replayed),
    ]
    return Report(lines, {"seed": seed, "same": same, **asdict(outcome)}, failed=not same)


async def _captions(service: Service, options: argparse.Namespace) -> Report:
    library = StreamLibrary(service.settings)
    try:
        brought = [each async for each in bring_captions(library, service.catalog.current.courses)]
    finally:
        await library.close()
    changed = [each for each in brought if each.changed]
    async with service.database.transaction() as db:
        record(db, Action.CAPTIONS_BROUGHT, at=service.clock(), actor=access.ACTOR, captions=len(changed))
    lines = [f"{each.course}/{each.lesson}: {each.language}" for each in changed]
    lines.append(f"{len(changed)} of {len(brought)} captions were new to Stream.")
    return Report(lines, {"captions": [asdict(each) for each in brought]})


async def _jobs(service: Service, options: argparse.Namespace) -> Report:
    if options.retry:
        async with service.database.transaction() as db:
            count = await queues.retry_dead(db, now=service.clock())
        return Report([f"{count} dead job(s) set going again."], {"jobs": count})
    async with service.database.reading() as db:
        counts = await _job_counts(db)
        open_jobs = select(Job).where(Job.state != "done").order_by(Job.run_at).limit(options.limit)
        rows = list(await db.scalars(open_jobs))
    data = [
        {"id": row.id, "kind": row.kind, "state": row.state, "attempts": row.attempts, "error": row.last_error}
        for row in rows
    ]
    lines = [", ".join(f"{count} {state}" for state, count in counts.items()) or "No jobs yet."]
    lines += [
        f"{row['id']:>6}  {row['kind']:<18} {row['state']:<8} {row['attempts']} tries  {row['error'] or ''}"
        for row in data
    ]
    return Report(lines, {"counts": counts, "jobs": data})


async def _job_counts(db: AsyncSession) -> dict[str, int]:
    counted = await db.execute(select(Job.state, func.count()).group_by(Job.state).order_by(Job.state))
    return {row[0]: row[1] for row in counted}


async def _reconcile(service: Service, options: argparse.Namespace) -> Report:
    since = options.since
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    found: list[Difference] = []
    stopped = ""
    try:
        async for each in differences(service, since=since, apply=options.apply):
            found.append(each)
    except (PaymentsDown, OrderBusy) as error:  # what was found so far is said all the same
        stopped = f"Stopped before the end: {error}. Run it again."
    lines = [str(each) for each in found]
    lines.append(
        f"{len(found)} difference(s)"
        + (", mended." if options.apply else "." if not found else "; --apply mends them.")
    )
    data = {"differences": [asdict(each) for each in found], "applied": options.apply, "stopped": stopped or None}
    return Report([*lines, *([stopped] if stopped else [])], data, failed=bool(stopped))


def _said(sentence: str) -> Report:
    return Report([sentence], {"message": sentence})
