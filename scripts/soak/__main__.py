"""A soak: visitors, learners, phones, purchases and refunds for some minutes, while faults come at random.

Exit status 1 if anything that must hold does not. Writes a page with charts.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from scripts.soak.faults import Chaos
from scripts.soak.judge import Verdict, judge
from scripts.soak.people import Crowd
from scripts.soak.report import page
from scripts.soak.world import World, world

VISITORS, LEARNERS = 3, 6
LONGEST_JUDGEMENT = 400  # seconds


def main() -> int:
    """See `--help`."""
    parser = argparse.ArgumentParser(prog="scripts/bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, help="of the faults; another each time, unless told")
    parser.add_argument("--report", type=Path, default=Path("var/soak.html"))
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    random.seed(seed)
    with tempfile.TemporaryDirectory(prefix="coursewright-soak-") as name:
        folder = Path(name)
        with world(options.database, folder) as made:
            verdicts, text = asyncio.run(_soak(made, options.minutes * 60, f"{options.database}, seed {seed}"))
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(text, encoding="utf-8")
        kept = options.report.with_suffix(".log")
        kept.write_bytes(made.log.read_bytes())
    for each in verdicts:
        print(f"{'✓' if each.holds else '✗'} {each.sentence}: {each.found}")
    print(f"Report: {options.report}, log: {kept}. Again: scripts/bench soak --seed {seed}")
    return 0 if all(each.holds for each in verdicts) else 1


async def _soak(made: World, seconds: float, title: str) -> tuple[list[Verdict], str]:
    begun = time.monotonic()
    crowd, chaos = Crowd(made, ends_at=begun + seconds), Chaos(made)
    memory: dict[str, list[tuple[float, float]]] = {}
    balancing = asyncio.create_task(made.balance())
    watching = asyncio.create_task(_watch(made, memory))
    people = [asyncio.create_task(crowd.visit()) for _ in range(VISITORS)]
    people += [asyncio.create_task(crowd.learn()) for _ in range(LEARNERS)]
    await asyncio.sleep(min(5.0, seconds / 4))
    await chaos.run(crowd.ends_at)
    await asyncio.to_thread(made.heal)
    done, late = await asyncio.wait(people, timeout=90)
    for task in late:
        task.cancel()
    for task in done:
        task.result()
    watching.cancel()
    verdicts = await asyncio.wait_for(judge(made, crowd, memory), LONGEST_JUDGEMENT)
    verdicts.append(Verdict("nobody waits for an answer for ever", not late, f"{len(late)} people still insist"))
    balancing.cancel()
    return verdicts, page(f"Soak: {title}", crowd.answers, chaos.happened, memory, verdicts, begun)


async def _watch(made: World, memory: dict[str, list[tuple[float, float]]]) -> None:
    """Memory by process, each second: one that was started anew is another."""
    while True:
        for name, megabytes in made.memory().items():
            life = f"{name} {made.processes[name].pid}"
            memory.setdefault(life, []).append((time.monotonic(), megabytes))
        await asyncio.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
