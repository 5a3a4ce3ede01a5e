"""Changes as text for a terminal, and as Markdown for a pull request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sitegen.differences.compare import CourseChange

NOTHING = "Nothing changes in the courses."


@dataclass(frozen=True)
class People:
    """Who is affected by a change: how many own a course, and how many of them are in the middle of it."""

    owners: int
    learning: int

    def __str__(self) -> str:
        owners = f"{self.owners} owner" + "s" * (self.owners != 1)
        return f"{owners}, {self.learning} in the middle of it" if self.learning else owners


def as_text(changes: Sequence[CourseChange], people: Mapping[str, People]) -> str:
    """Several lines."""
    blocks = []
    for change in changes:
        head = f"{change.title} ({change.id})" + (f" — {people[change.id]}" if change.id in people else "")
        blocks.append("\n".join((head, *(f"  {sentence}" for sentence in change.sentences))))
    return "\n".join(blocks) or NOTHING


def as_markdown(changes: Sequence[CourseChange], people: Mapping[str, People]) -> str:
    """A list under each course's title. Titles cannot become Markdown."""
    blocks = []
    for change in changes:
        head = f"**{_plain(change.title)}**" + (f" — {people[change.id]}" if change.id in people else "")
        blocks.append("\n".join((head, "", *(f"- {_plain(sentence)}" for sentence in change.sentences))))
    return "\n\n".join(blocks) or NOTHING


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~@])", r"\\\1", text)
