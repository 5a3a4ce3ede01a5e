"""What goes wrong, one thing after another, at random. Each fault is over when its function returns."""

import asyncio
import contextlib
import json
import random
import resource
import shutil
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import httpx

from scripts.soak.world import World

Fault = Callable[[World], Awaitable[None]]
DAY = 24 * 3600


@dataclass
class Chaos:
    """Runs faults. `happened` says what, from when to when."""

    world: World
    happened: list[tuple[str, float, float]] = field(default_factory=list)

    async def run(self, until: float) -> None:
        """One after the other, each kind once before any comes again."""
        waiting: list[tuple[str, Fault]] = []
        while time.monotonic() < until:
            waiting = waiting or random.sample(list(faults_of(self.world).items()), len(faults_of(self.world)))
            name, fault = waiting.pop()
            started = time.monotonic()
            await fault(self.world)
            self.happened.append((name, started, time.monotonic()))
            await asyncio.sleep(random.uniform(1, 4))


def faults_of(world: World) -> dict[str, Fault]:
    """The kinds that this world can have."""
    found: dict[str, Fault] = {
        "Stripe answers 500": _partner(status=500, left=15),
        "Stripe takes 25 seconds": _partner(seconds=25, left=3),
        "partners killed": _partners_killed,
        "webhooks doubled and late": _webhooks,
        "service killed with -9": _end("first", signal.SIGKILL),
        "service restarted": _end("first", signal.SIGTERM),
        "connections cut": _connections_cut,
        "clock a day ahead": _clock(DAY),
        "clock a day behind": _clock(-DAY),
        "manifest half-written": _half_manifest,
        "manifest older": _old_manifest,
        "output swapped": _output_swapped,
    }
    if world.has_worker:
        found |= {
            "worker killed with -9": _end("worker", signal.SIGKILL),
            "worker restarted": _end("worker", signal.SIGTERM),
            "other service killed with -9": _end("second", signal.SIGKILL),
        }
    if world.postgresql is not None:
        found |= {
            "database stopped": _database("fast"),
            "database without power": _database("immediate"),
            "tables locked": _tables_locked,
        }
    else:
        found |= {"database locked": _sqlite_locked, "disk full": _disk_full}
    return found


def _partner(**outage: float) -> Fault:
    async def fault(world: World) -> None:
        await _tell(world, "/dashboard/outage", {"status": 0, "seconds": 0, **outage})
        await asyncio.sleep(6)
        await _tell(world, "/dashboard/outage", {"status": 0, "seconds": 0, "left": 0})

    return fault


async def _webhooks(world: World) -> None:
    await _tell(world, "/dashboard/webhooks", {"double": 1, "delay": 3})
    await asyncio.sleep(8)
    await _tell(world, "/dashboard/webhooks", {"delay": 0})


async def _tell(world: World, path: str, form: dict[str, float]) -> None:
    async with httpx.AsyncClient(base_url=world.installation.sandbox, timeout=10) as dashboard:
        with contextlib.suppress(httpx.TransportError):
            await dashboard.post(path, data={name: str(value) for name, value in form.items()})


async def _partners_killed(world: World) -> None:
    """The sandbox keeps its state in a file that it writes after each change."""
    world.installation.kill("sandbox")
    await asyncio.sleep(3)
    await asyncio.to_thread(world.heal)


def _end(name: str, how: signal.Signals) -> Fault:
    async def fault(world: World) -> None:
        await asyncio.to_thread(world.kill, name, how)
        await asyncio.sleep(1)
        world.start(name)
        await asyncio.sleep(2)

    return fault


async def _connections_cut(world: World) -> None:
    world.cuts = True
    await asyncio.sleep(5)
    world.cuts = False


def _clock(seconds: int) -> Fault:
    async def fault(world: World) -> None:
        world.clock.write_text(str(seconds))
        await asyncio.sleep(5)
        world.clock.write_text("0")

    return fault


async def _half_manifest(world: World) -> None:
    manifest = world.installation.folder / "catalog.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[: len(whole) // 2])
    await asyncio.sleep(3)
    manifest.write_bytes(whole)


async def _old_manifest(world: World) -> None:
    manifest = world.installation.folder / "catalog.json"
    whole = manifest.read_text()
    older = json.loads(whole)
    for name in ("built_at", "committed_at"):
        if older.get(name):
            older[name] = "2020-01-01T00:00:00Z"
    manifest.write_text(json.dumps(older))
    await asyncio.sleep(3)
    manifest.write_text(whole)


async def _output_swapped(world: World) -> None:
    output = world.installation.folder / "output"
    fresh = output.with_name("output-fresh")
    await asyncio.to_thread(shutil.copytree, output, fresh)
    old = output.with_name("output-old")
    output.rename(old)
    fresh.rename(output)
    await asyncio.to_thread(shutil.rmtree, old)


def _database(mode: str) -> Fault:
    async def fault(world: World) -> None:
        assert world.postgresql is not None  # noqa: S101 - see faults_of
        await asyncio.to_thread(world.postgresql.stop, mode)
        await asyncio.sleep(3)
        await asyncio.to_thread(world.postgresql.start)

    return fault


async def _tables_locked(world: World) -> None:
    assert world.postgresql is not None  # noqa: S101 - see faults_of
    connection = await asyncpg.connect(world.postgresql.address().replace("+asyncpg", ""))
    async with connection.transaction():
        await connection.execute("LOCK TABLE orders, jobs, progress IN ACCESS EXCLUSIVE MODE")
        await asyncio.sleep(6)
    await connection.close()


async def _sqlite_locked(world: World) -> None:
    def lock() -> None:
        with contextlib.closing(sqlite3.connect(world.installation.database, isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout=10000")
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(6)
            connection.execute("ROLLBACK")

    await asyncio.to_thread(lock)


async def _disk_full(world: World) -> None:
    """No file of the service may grow: each write that would make one longer fails."""
    process = world.processes["first"]
    if process.poll() is None:
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024, hard))
        await asyncio.sleep(4)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
