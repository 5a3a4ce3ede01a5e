"""What the writer writes at once: changed rows, and notes that nobody waits for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from dynamic_api.progress.rules import ProgressRow


class LessonKey(NamedTuple):
    """A learner in a lesson. Sorted like this, so that two processes lock rows in the same order."""

    user_id: int
    course_id: int
    lesson_id: int


Rows = dict[LessonKey, ProgressRow]


@dataclass
class Group:
    """One transaction of the writer. Every moment is when the request behind it arrived."""

    changes: dict[LessonKey, datetime] = field(default_factory=dict)  # rows to change, begun then where there are none
    views: dict[LessonKey, datetime] = field(default_factory=dict)
    phones: dict[int, datetime] = field(default_factory=dict)
    sessions: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)  # seen at, expires at

    def __bool__(self) -> bool:
        return bool(self.changes or self.views or self.phones or self.sessions)


Change = Callable[[Rows], None]


class ProgressStore(Protocol):
    """Where a group is written."""

    async def write(self, group: Group, change: Change) -> None:
        """Write the notes; load the rows of `group.changes`, let `change` change them, save them, and bring their
        courses up to date. All of it or nothing, and durable when it returns."""

    async def close(self) -> None:
        """Close what was opened."""


@dataclass(frozen=True)
class Before:
    """How rows were when they were loaded: which were begun by this group, and which were complete."""

    begun: frozenset[LessonKey]
    completed: frozenset[LessonKey]

    @classmethod
    def of(cls, rows: Rows, begun: Iterable[LessonKey]) -> "Before":
        """Note it, before the rows are changed in place."""
        return cls(frozenset(begun), frozenset(key for key, row in rows.items() if row.is_completed))

    def to_count(self, rows: Rows) -> list[LessonKey]:
        """The rows whose course must be counted anew."""
        return sorted(
            key for key, row in rows.items() if key in self.begun or row.is_completed != (key in self.completed)
        )


def last_viewed(rows: Rows, views: dict[LessonKey, datetime]) -> dict[LessonKey, datetime]:
    """For each learner and course of a group, the lesson viewed last, and when."""
    latest: dict[tuple[int, int], tuple[datetime, LessonKey]] = {}
    for key, at in [*views.items(), *((key, row.last_viewed_at) for key, row in rows.items())]:
        latest[key[:2]] = max(latest.get(key[:2], (at, key)), (at, key))
    return {key: at for at, key in sorted(latest.values())}
