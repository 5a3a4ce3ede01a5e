"""Which git commit course files are at."""

import subprocess
from datetime import datetime
from pathlib import Path
from typing import NamedTuple


class Commit(NamedTuple):
    """A commit, and when it was made."""

    id: str
    at: datetime


def find_commit(folder: Path) -> Commit | None:
    """The newest commit of the repository that `folder` is in; None without git, a repository or a commit."""
    command = ["git", "-C", str(folder), "log", "-1", "--format=%H %cI"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.split()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return Commit(said[0], datetime.fromisoformat(said[1])) if len(said) == 2 else None


def is_committed(folder: Path) -> bool:
    """Whether everything below `folder` is as the commit has it; True without git."""
    command = ["git", "-C", str(folder), "status", "--porcelain", "--", "."]
    try:
        return not subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return True
