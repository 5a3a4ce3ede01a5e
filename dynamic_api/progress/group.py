"""What the writer writes at once: changed rows, and notes that no request waits for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from dynamic_api.progress.rules import COLUMNS, ProgressRow


class LessonKey(NamedTuple):
    """A learner in a lesson. Sorted like this, so that two processes lock rows in the same order."""

    user_id: int
    course_id: int
    lesson_id: int

    def parameters(self) -> dict[str, object]:
        """As the statements of `statements.py` take it."""
        return {"learner": self.user_id, "course": self.course_id, "lesson": self.lesson_id}


Rows = dict[LessonKey, ProgressRow]


def row_values(key: LessonKey, row: ProgressRow) -> dict[str, object]:
    """A row by the names of its columns."""
    values = {name: getattr(row, name) for name in COLUMNS}
    return {"user_id": key.user_id, "lesson_id": key.lesson_id, **values}


@dataclass
class Group:
    """One transaction of the writer. Every moment is when the request behind it arrived."""

    changes: dict[LessonKey, datetime] = field(default_factory=dict)  # rows to change; created at that time if missing
    views: dict[LessonKey, datetime] = field(default_factory=dict)
    phones: dict[int, datetime] = field(default_factory=dict)
    sessions: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)  # seen at, expires at


Change = Callable[[Rows], None]


class ProgressStore(Protocol):
    """Where a group is written."""

    async def write(self, group: Group, change: Change) -> None:
        """Write the notes; load the rows of `group.changes`, let `change` change them, save them, and bring their
        courses up to date. All of it or nothing, and durable when it returns."""


@dataclass
class Loaded:
    """The rows that a group changes, and how they were before."""

    rows: Rows = field(default_factory=dict)
    _begun: set[LessonKey] = field(default_factory=set)
    _completed: set[LessonKey] = field(default_factory=set)
    _last: set[LessonKey] = field(default_factory=set)

    def add(self, key: LessonKey, row: ProgressRow, *, is_last: bool) -> None:
        """A row that was stored. `is_last`: it is the lesson that was viewed last in its course."""
        self.rows[key] = row
        if row.is_completed:
            self._completed.add(key)
        if is_last:
            self._last.add(key)

    def begin(self, key: LessonKey, row: ProgressRow) -> None:
        """A new row."""
        self.rows[key] = row
        self._begun.add(key)

    def to_count(self) -> list[LessonKey]:
        """The rows whose course must be counted anew."""
        return sorted(
            key for key, row in self.rows.items() if key in self._begun or row.is_completed != (key in self._completed)
        )

    def to_point(self, views: Mapping[LessonKey, datetime]) -> dict[LessonKey, datetime]:
        """For each learner and course of a group, the lesson viewed last, and when; except those already stored."""
        latest: dict[tuple[int, int], tuple[datetime, LessonKey]] = {}
        for key, at in [*views.items(), *((key, row.last_viewed_at) for key, row in self.rows.items())]:
            latest[key[:2]] = max(latest.get(key[:2], (at, key)), (at, key))
        return {key: at for at, key in sorted(latest.values()) if key not in self._last}
