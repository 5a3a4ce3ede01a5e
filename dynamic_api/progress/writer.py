"""Every change of progress, written in groups.

A change is a pure function of a row. Changes of one learner and lesson become one write; a request is answered
only after the commit that holds it. Also written, with no request waiting: that a lesson was opened once more, and when
a phone or a browser was last seen.
"""

from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import NamedTuple

from dynamic_api.core.groups import Groups
from dynamic_api.progress.group import Group, LessonKey, ProgressStore, Rows
from dynamic_api.progress.rules import ProgressRow

Change = Callable[[ProgressRow], None]


class _Request(NamedTuple):
    key: LessonKey
    change: Change
    at: datetime


class _View(NamedTuple):
    key: LessonKey
    at: datetime


class _Phone(NamedTuple):
    token_id: int
    at: datetime


class _Session(NamedTuple):
    token_hash: str
    at: datetime


_Item = _Request | _View | _Phone | _Session


class ProgressWriter:
    """Writes what learners and their players do."""

    def __init__(self, store: ProgressStore, *, session_lifetime: timedelta) -> None:
        self._store = store
        self._session_lifetime = session_lifetime
        self._groups: Groups[_Item, ProgressRow | None] = Groups(self._write)
        self.written_at: datetime | None = None  # the newest change that is durable
        self.failed = False  # whether the last group could not be written

    async def apply(self, key: LessonKey, change: Change, *, now: datetime) -> ProgressRow:
        """The row after this change, committed. A row that does not exist is begun."""
        row = await self._groups.add(_Request(key, change, now))
        assert row is not None  # noqa: S101 - a request is answered with its row, see `_write`
        return row

    def note_view(self, key: LessonKey, now: datetime) -> None:
        """Write, some time soon, that a lesson that was opened before is opened again."""
        self._groups.note(_View(key, now))

    def note_phone(self, token_id: int, now: datetime) -> None:
        """Write, some time soon, when a phone was last seen."""
        self._groups.note(_Phone(token_id, now))

    def note_session(self, token_hash: str, now: datetime) -> None:
        """Write, some time soon, when a browser was last seen; it stays signed in from then on."""
        self._groups.note(_Session(token_hash, now))

    async def flush(self) -> None:
        """Wait until everything is written."""
        await self._groups.flush()

    async def _write(self, items: Sequence[_Item]) -> Sequence[ProgressRow | None]:
        group = Group()
        last: dict[LessonKey, _Request] = {}
        for each in items:
            match each:
                case _Request(key, _, at):
                    group.changes.setdefault(key, at)
                    last[key] = each
                case _View(key, at):
                    group.views[key] = at
                case _Phone(token_id, at):
                    group.phones[token_id] = at
                case _:
                    group.sessions[each.token_hash] = each.at, each.at + self._session_lifetime
        answers: list[ProgressRow | None] = []

        def change(rows: Rows) -> None:
            for each in items:
                if not isinstance(each, _Request):
                    answers.append(None)
                    continue
                row = rows[each.key]
                each.change(row)
                # A copy, unless nobody changes the row after this.
                answers.append(row if each is last[each.key] else copy(row))

        self.failed = True
        await self._store.write(group, change)
        self.failed, self.written_at = False, max(each.at for each in items)
        return answers
