"""When files last changed, from git: the one honest source for “last updated”."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_SECONDS = 30
_MOMENT = "@"  # begins the line of a commit; no name in the list begins with it, since all are below two folders
_FOLDERS = ("course_data", "content")


class Dates(NamedTuple):
    """The moment of the first and of the last commit of a file, or of anything in a folder."""

    first: datetime
    last: datetime


@dataclass(frozen=True)
class History:
    """Dates by the name of a file or folder below the school's. Empty without git, and in a shallow clone."""

    dates: Mapping[str, Dates] = field(default_factory=dict)

    def of(self, name: str) -> Dates | None:
        """None for what was never committed."""
        return self.dates.get(name)


def read_history(root: Path, cache: Path) -> History:
    """The history of a school; read again only after a new commit. `cache` is a file of ours."""
    head = _git(root, "rev-parse", "HEAD", "--is-shallow-repository", "--show-prefix").splitlines()
    if len(head) < 2 or head[1] != "false":
        return History()
    key = f"{head[0]} {head[2] if len(head) > 2 else ''}"
    try:
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if kept["head"] == key:
            return History({name: Dates(*map(datetime.fromisoformat, pair)) for name, pair in kept["dates"].items()})
    except (OSError, ValueError, KeyError, TypeError):
        pass
    dates = dict(_read(root))
    cache.parent.mkdir(parents=True, exist_ok=True)
    written = {name: [pair.first.isoformat(), pair.last.isoformat()] for name, pair in dates.items()}
    cache.write_text(json.dumps({"head": key, "dates": written}), encoding="utf-8")
    return History(dates)


def _read(root: Path) -> Iterator[tuple[str, Dates]]:
    found: dict[str, Dates] = {}
    said = _git(
        root, "-c", "core.quotePath=false", "log", "--no-renames", "--name-only", "--relative",
        f"--format={_MOMENT}%cI", "--", *_FOLDERS,
    )  # fmt: skip
    moment: datetime | None = None
    for line in said.splitlines():
        if line.startswith(_MOMENT):
            moment = datetime.fromisoformat(line[1:])
        elif line and moment is not None:
            for name in (line, *(str(parent) for parent in PurePosixPath(line).parents)):
                known = found.get(name, Dates(moment, moment))
                found[name] = Dates(min(known.first, moment), max(known.last, moment))
    yield from found.items()


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
