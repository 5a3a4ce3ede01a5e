"""Fuzzes every target in turn. Exit status 1 if something was found; it is kept in tests/corpus."""

import argparse
import asyncio
import hashlib
import logging
import random
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from scripts.fuzzing.mutations import mutated
from scripts.fuzzing.targets import LONGEST, REQUESTS, Requests, Target, offline_targets, scratch, settings_for_fuzzing
from scripts.installation import ROOT

CORPUS = ROOT / "tests" / "corpus"


def main() -> int:
    """See `--help`."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="for all targets together")
    parser.add_argument("--only", default="", metavar="TEXT", help="targets whose name contains this")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    logging.disable()  # refused requests are what is wanted here
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    luck = random.Random(seed)
    with scratch() as name:
        targets = [each for each in offline_targets(Path(name)) if options.only in each.name]
        asks = options.only in "requests"
        seconds = options.minutes * 60 / (len(targets) + asks)
        found = sum(_fuzz(each, seconds, luck) for each in targets)
        if asks:
            found += asyncio.run(_fuzz_requests(Path(name), seconds, luck))
    print(f"{found} found. Seed: {seed}")
    return 1 if found else 0


def _fuzz(target: Target, seconds: float, luck: random.Random) -> int:
    tried, found, until = 0, set[str](), time.monotonic() + seconds
    while time.monotonic() < until:
        data, tried = mutated(target.seeds, luck), tried + 1
        problem = try_one(target, data)
        if problem is not None:
            _keep(target.name, data, problem, found)
    print(f"{target.name}: {tried} inputs, {len(found)} found")
    return len(found)


def try_one(target: Target, data: bytes) -> str | None:
    """What is wrong with how the target takes this input; None when nothing is."""
    started = time.monotonic()
    try:
        target.read(data)
    except target.refusals:
        pass
    except Exception:
        return traceback.format_exc()
    seconds = time.monotonic() - started
    return f"it took {seconds:.1f} seconds" if seconds > LONGEST else None


async def _fuzz_requests(folder: Path, seconds: float, luck: random.Random) -> int:
    requests = Requests(settings_for_fuzzing(folder))
    await requests.open()
    tried, found, until = 0, set[str](), time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            data, tried = mutated(REQUESTS, luck), tried + 1
            problem = await try_request(requests.read, data)
            if problem is not None:
                _keep("requests", data, problem, found)
    finally:
        await requests.close()
    print(f"requests: {tried} inputs, {len(found)} found")
    return len(found)


async def try_request(read: Callable[[bytes], Awaitable[None]], data: bytes) -> str | None:
    """The same for a request."""
    started = time.monotonic()
    try:
        await read(data)
    except Exception:
        return traceback.format_exc()
    seconds = time.monotonic() - started
    return f"it took {seconds:.1f} seconds" if seconds > LONGEST else None


def _keep(name: str, data: bytes, problem: str, known: set[str]) -> None:
    """Write one input of each kind: the same line of code with the same error is the same find."""
    kind = " ".join(line for line in problem.splitlines() if line.startswith('  File "'))[-300:]
    if kind in known:
        return
    known.add(kind)
    folder = CORPUS / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(data).hexdigest()[:16]
    path.write_bytes(data)
    print(f"{path.relative_to(ROOT)}:\n{problem}")


if __name__ == "__main__":
    sys.exit(main())
