"""Whether a build would change anything, told from sizes and times alone. Imports nothing that takes time to load.

After each build its inputs and outputs are remembered beside the manifest. If both are as they were, and nothing became
due in between, the build is done before it begins.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sitegen.school import LOCK, PACKAGE, School


@dataclass(frozen=True)
class State:
    """What a build depended on, what it wrote, until when that holds (seconds since 1970), and what it said."""

    inputs: str
    outputs: str
    until: float | None
    said: dict[str, object]


def state_of_build(manifest: Path) -> Path:
    """Where it is remembered what the last build did."""
    return manifest.parent / "state.json"


def state_of_check(manifest: Path) -> Path:
    """Where it is remembered that the files had no fault."""
    return manifest.parent / "checked.json"


def inputs_of(school: School, options: Iterable[str]) -> str:
    """A digest of everything a build reads: the school's files, the theme, the program, the options, the commit."""
    lock = str(school.course_data / LOCK)  # what a build writes itself is no input
    folders = (school.course_data, school.content, school.public, *school.themes, PACKAGE)
    head = school.root / ".git" / "logs" / "HEAD"  # a manifest names its commit
    return _digest(
        [*options, *(line for folder in (*folders, head) for line in stats(folder) if not line.startswith(lock))]
    )


def lock_of(school: School) -> str:
    """A digest of the lock file, which a build writes and a check reads."""
    return _digest(stats(school.course_data / LOCK))


def outputs_of(school: School, output: Path, manifest: Path) -> str:
    """A digest of what a build wrote, and of whatever else is there."""
    return _digest([*stats(output), *stats(manifest), *stats(school.course_data / LOCK)])


def remember(state: State, path: Path) -> None:
    """Write it down; a build that is interrupted before has none, and the next one runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(json.dumps(state.__dict__), encoding="utf-8")
    draft.replace(path)


def recall(path: Path) -> State | None:
    """What was remembered; None where there is nothing that can be read."""
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def stats(path: Path) -> Iterator[str]:
    """A line for each file: its path, size, moment of change and number on the disk."""
    try:
        status = os.stat(path)
    except OSError:
        return
    if not os.path.isdir(path):
        yield f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
        return
    folders = [os.fspath(path)]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda each: each.name)
        except OSError:
            continue
        for entry in found:
            if entry.name in ("__pycache__", ".git"):
                continue
            try:
                status = entry.stat()
                if entry.is_dir():
                    if not entry.is_symlink():  # a link may lead in a circle
                        folders.append(entry.path)
                    continue
            except OSError:  # a link that leads nowhere: Emacs makes one while it has unsaved changes
                yield f"{entry.path} leads nowhere"
                continue
            yield f"{entry.path} {status.st_size} {status.st_mtime_ns} {status.st_ino}"
