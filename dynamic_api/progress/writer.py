"""Every change of progress, written in groups: each write takes along what arrived during the one before.

A change is a pure function of a row. Changes of one learner and lesson become one write; whoever asked is answered
only after the commit that holds it. Written along, without anybody waiting: that a lesson was opened once more, and
when a phone or a browser was last seen.
"""

import asyncio
import logging
from collections.abc import Callable
from copy import copy
from datetime import datetime, timedelta
from typing import NamedTuple

from dynamic_api.progress.group import Group, LessonKey, ProgressStore, Rows
from dynamic_api.progress.rules import ProgressRow

logger = logging.getLogger("coursewright.progress")

MOST_ROWS = 100  # in one group: nobody should wait for a crowd

Change = Callable[[ProgressRow], None]


class _Request(NamedTuple):
    change: Change
    at: datetime
    answer: "asyncio.Future[ProgressRow]"


class ProgressWriter:
    """Collects changes while a group is being written, and writes them with the next."""

    def __init__(self, store: ProgressStore, *, session_lifetime: timedelta) -> None:
        self._store = store
        self._session_lifetime = session_lifetime
        self._waiting: dict[LessonKey, list[_Request]] = {}
        self._notes = Group()
        self._writing: asyncio.Task[None] | None = None

    async def apply(self, key: LessonKey, change: Change, *, now: datetime) -> ProgressRow:
        """The row after this change, committed. A row that does not exist is begun."""
        answer: asyncio.Future[ProgressRow] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(_Request(change, now, answer))
        self._wake()
        return await answer

    def note_view(self, key: LessonKey, now: datetime) -> None:
        """Write, some time soon, that a lesson that was opened before is opened again."""
        self._notes.views[key] = now
        self._wake()

    def note_phone(self, token_id: int, now: datetime) -> None:
        """Write, some time soon, when a phone was last seen."""
        self._notes.phones[token_id] = now
        self._wake()

    def note_session(self, token_hash: str, now: datetime) -> None:
        """Write, some time soon, when a browser was last seen; it stays signed in from then on."""
        self._notes.sessions[token_hash] = now, now + self._session_lifetime
        self._wake()

    async def flush(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            await self._writing

    async def close(self) -> None:
        """Write what is waiting, and close the store."""
        await self.flush()
        await self._store.close()

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_until_empty())

    async def _write_until_empty(self) -> None:
        try:
            while self._waiting or self._notes:
                await asyncio.sleep(0)  # requests that are already queued join this group
                requests = {key: self._waiting.pop(key) for key in list(self._waiting)[:MOST_ROWS]}
                group, self._notes = self._notes, Group()
                group.changes = {key: each[0].at for key, each in requests.items()}
                await self._write(group, requests)
        finally:
            self._writing = None

    async def _write(self, group: Group, requests: dict[LessonKey, list[_Request]]) -> None:
        answers: list[tuple[asyncio.Future[ProgressRow], ProgressRow]] = []

        def change(rows: Rows) -> None:
            for key, each in requests.items():
                for request in each:
                    request.change(rows[key])
                    # A copy, unless nobody changes the row after this.
                    row = rows[key] if request is each[-1] else copy(rows[key])
                    answers.append((request.answer, row))

        try:
            await self._store.write(group, change)
        except Exception as error:  # whoever waits is told, and the writer goes on
            logger.warning("a group of progress could not be written: %r", error)
            for each in requests.values():
                for request in each:
                    if not request.answer.done():
                        request.answer.set_exception(error)
            return
        for answer, row in answers:
            if not answer.done():  # whoever asked may have gone away
                answer.set_result(row)
