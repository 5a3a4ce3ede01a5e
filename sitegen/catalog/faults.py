"""What is wrong with a course file, in words that help its author fix it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path


@dataclass(frozen=True, order=True)
class Fault:
    """One mistake, at one place. `line` and `column` count from 1, as editors do."""

    file: Path
    line: int
    column: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.problem}\n    {self.remedy}"


class CatalogInvalid(Exception):
    """The course files have faults; every one of them is in `faults`, in reading order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A sentence that offers the nearest known word, or lists what is known when none is near."""
    candidates = sorted(known)
    near = get_close_matches(word, candidates, n=1, cutoff=0.6)
    if near:
        return f"Did you mean “{near[0]}”?"
    return "Allowed: " + ", ".join(candidates) + "." if candidates else "There is none yet."
