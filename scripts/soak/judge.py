"""Whether nothing was lost. Each sentence is asked of the healed school, from outside as its people would."""

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from sqlalchemy import text

from dynamic_api.backups.drill import INVARIANTS
from dynamic_api.core.database import make_plain_engine
from scripts.installation import StartFailed
from scripts.soak.people import COURSE, LESSON, PASSWORD, Crowd, Learner
from scripts.soak.world import World

LONGEST_REST = 180  # seconds until every job is done
MEMORY_GROWTH = 1.15
WARM_UP = 25  # seconds


@dataclass(frozen=True)
class Verdict:
    """A sentence that must be true; `found` is what contradicts it, or the figure behind it."""

    sentence: str
    holds: bool
    found: str


async def judge(world: World, crowd: Crowd, memory: Mapping[str, list[tuple[float, float]]]) -> list[Verdict]:
    """Every verdict."""
    rest = await _rest(world)
    healed = await asyncio.to_thread(_reconcile, world)
    verdicts = [rest, *await _statements(world), healed, *await _people(world, crowd)]
    verdicts += [await _mails(world), _memory(memory), _log(world), _strangers(crowd)]
    return verdicts


async def _rest(world: World) -> Verdict:
    """Wait until every job is done and every event delivered."""
    started = time.monotonic()
    waiting = text("SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND kind NOT IN "
                   "('orders.sweep', 'service.tidy')")  # fmt: skip
    dead = text("SELECT count(*) FROM jobs WHERE state = 'dead'")
    engine = make_plain_engine(world.installation.environment()["COURSEWRIGHT_DATABASE_URL"])
    try:
        while True:
            async with engine.connect() as connection:
                left, given_up = await connection.scalar(waiting), await connection.scalar(dead)
            if not left or time.monotonic() - started > LONGEST_REST:
                break
            await asyncio.sleep(1)
    finally:
        await engine.dispose()
    seconds = time.monotonic() - started
    return Verdict(
        "every job is done, and none was given up",
        not left and not given_up,
        f"{left} wait and {given_up} were given up, {seconds:.0f} seconds after the last fault",
    )


def _reconcile(world: World) -> Verdict:
    """What the sweep would find six hours later; then nothing may differ."""
    try:
        found = json.loads(world.installation.ask("dynamic_api.commands", "reconcile", "--apply", "--json"))
    except StartFailed:
        found = {}
    try:
        again = world.installation.ask("dynamic_api.commands", "reconcile", "--json")
        differs = json.loads(again).get("differences", [])
    except StartFailed as error:
        return Verdict("no order differs from Stripe", holds=False, found=str(error))
    first = len(found.get("differences", []))
    return Verdict("no order differs from Stripe", not differs, f"{first} before the sweep, {len(differs)} after it")


async def _statements(world: World) -> list[Verdict]:
    engine = make_plain_engine(world.installation.environment()["COURSEWRIGHT_DATABASE_URL"])
    try:
        async with engine.connect() as connection:
            found = [(each, await connection.scalar(text(statement))) for each, statement in INVARIANTS.items()]
    finally:
        await engine.dispose()
    return [Verdict(sentence, not count, f"{count} do not") for sentence, count in found]


async def _people(world: World, crowd: Crowd) -> list[Verdict]:
    shut_out, let_in, lost = [], [], []
    claimed = [each for each in crowd.learners if each.claimed]
    for learner in claimed:
        answer = await _playback(crowd, learner)
        if learner.refunded:
            let_in += [learner.email] if answer.status_code != 403 else []
        elif answer.status_code != 200:
            shut_out.append(f"{learner.email}: {answer.status_code}")
        elif answer.json()["start_seconds"] < learner.acknowledged:
            lost.append(f"{learner.email}: {answer.json()['start_seconds']} of {learner.acknowledged}")
    owners = len([each for each in claimed if not each.refunded])
    beats = sum(each.acknowledged for each in claimed)
    return [
        Verdict("who paid can watch", not shut_out, "; ".join(shut_out) or f"{owners} people"),
        Verdict("who was refunded cannot", not let_in, "; ".join(let_in) or f"{len(claimed) - owners} people"),
        Verdict("every acknowledged heartbeat is there", not lost, "; ".join(lost) or f"{beats} seconds watched"),
    ]


async def _playback(crowd: Crowd, learner: Learner) -> httpx.Response:
    async with crowd.browser() as browser:
        login = {"email": learner.email, "password": PASSWORD}
        await crowd.insist(lambda: crowd.ask(browser, "sign in", "POST", "/api/session", json=login), good=(200, 204))
        address = f"/api/learn/{COURSE}/{LESSON}/playback"
        return await crowd.insist(lambda: crowd.ask(browser, "judge", "GET", address), good=(200, 403, 404))


def _strangers(crowd: Crowd) -> Verdict:
    """Who is signed in, in a browser or on a phone, is never taken for a stranger, whatever fails."""
    beats = [each for each in crowd.answers if each.what.startswith("beat")]
    refused = [each for each in beats if each.status == 401]
    phones = [each for each in beats if each.what == "beat of a phone" and each.status == 200]
    said = f"{len(refused)} of {len(beats)} heartbeats, {len(phones)} good ones of phones"
    return Verdict("nobody is signed out", not refused and bool(phones), said)


async def _mails(world: World) -> Verdict:
    async with httpx.AsyncClient(base_url=world.installation.sandbox, timeout=30) as inbox:
        mails = (await inbox.get("/inbox?json")).json()
    sent = Counter((mail["to"], mail["subject"]) for mail in mails if mail["to"].startswith("learner-"))
    doubled, more = [each for each in sent.values() if each == 2], [each for each in sent if sent[each] > 2]
    return Verdict(
        "no message came more than twice", not more, f"{len(sent)} messages, {len(doubled)} came twice {more}"
    )


def _memory(memory: Mapping[str, list[tuple[float, float]]]) -> Verdict:
    """The first half of each process's life against the second, once it has warmed up."""
    grown, said = [], []
    for name, points in memory.items():
        values = [value for _, value in points[WARM_UP:]]
        if len(values) < WARM_UP:
            continue
        half = len(values) // 2
        before, after = statistics.median(values[:half]), statistics.median(values[half:])
        said.append(f"{name.split()[0]} {before:.0f} → {after:.0f} MB")
        grown += [name] if after > before * MEMORY_GROWTH else []
    return Verdict("memory stays flat", not grown, ", ".join(said) or "the soak was too short to say")


def _log(world: World) -> Verdict:
    """Tracebacks in the log, by their last lines; an outage is a line, and no traceback."""
    found: Counter[str] = Counter()
    for line in world.log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            entry = json.loads(line)
            if "exception" in entry:
                found[f"{entry['message']}: {entry['exception'].strip().splitlines()[-1]}"[:200]] += 1
        elif line.startswith("Traceback"):
            found["a traceback outside the log"] += 1
    said = "; ".join(f"{count} × {what}" for what, count in found.most_common(8))
    return Verdict("no traceback is in the log", not found, said or "none")
