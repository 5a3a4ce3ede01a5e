"""Where a creator wrote what leaked. A page of the site is made of files, and it is those that one can mend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sitegen.leaks.find import Leak
from sitegen.leaks.words import Words, words_of

_ENOUGH = 4  # words in a row that say which place is meant


def traced(leaks: Iterable[Leak], sources: Mapping[str, Sequence[str]], root: Path) -> list[Leak]:
    """The leaks with the place in the school's files, where it is found.

    `sources` are the files that a file of the site is made of, below `root`; a file of the site may have none.
    """
    return [replace(leak, written=_place(leak, sources.get(leak.file.as_posix(), ()), root)) for leak in leaks]


def _place(leak: Leak, names: Sequence[str], root: Path) -> str:
    run = words_of(leak.words)[:_ENOUGH]
    for name in names if len(run) == _ENOUGH else ():
        line = _line_of(run, (root / name).read_text(encoding="utf-8", errors="replace"))
        if line:
            return f"{name}:{line}"
    return names[0] if len(names) == 1 else ""


def _line_of(run: Words, text: str) -> int:
    """The line where these words begin, which may go on in the next ones; 0 where they are not."""
    placed = [(word, number) for number, line in enumerate(text.split("\n"), 1) for word in words_of(line)]
    for start in range(len(placed) - len(run) + 1):
        if all(placed[start + offset][0] == word for offset, word in enumerate(run)):
            return placed[start][1]
    return 0
