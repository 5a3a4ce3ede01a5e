"""Which files are in a folder; several times as fast as `Path.rglob`, for folders of thousands of files."""

import os
from collections.abc import Iterator
from pathlib import Path


def names_below(folder: Path) -> list[str]:
    """The names of all files below a folder, relative to it and with slashes, in order. None in one that is not there.

    A link to a file is a file; what a link to a folder has is not listed.
    """
    return sorted(_names(os.fspath(folder), "")) if folder.is_dir() else []


def _names(folder: str, before: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _names(entry.path, f"{before}{entry.name}/")
            elif entry.is_file():
                yield before + entry.name
