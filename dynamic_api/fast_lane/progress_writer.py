"""Every change of progress, written in groups: a flush begins as soon as the last one has ended.

A change is a pure function of a row. Changes of one learner and lesson are merged into one write; whoever asked gets
their answer only after the commit that holds it. What is written beside it, unasked, is when a phone was last seen,
and that a lesson somebody knows was opened once more.
"""

import asyncio
from collections.abc import Callable
from copy import copy
from datetime import datetime

from dynamic_api.database import Database
from dynamic_api.fast_lane.progress_store import CoreStore, Key, ProgressRow, ProgressStore
from dynamic_api.fast_lane.sqlite_progress import SqliteStore

MOST = 100  # rows in one flush: nobody should wait for a crowd


Change = Callable[[ProgressRow], None]


class ProgressWriter:
    """Gathers changes while a flush is on its way, and writes them with the next."""

    def __init__(self, database: Database) -> None:
        self._store: ProgressStore = SqliteStore(database) if database.is_sqlite else CoreStore(database)
        self._waiting: dict[Key, list[tuple[Change, datetime, asyncio.Future[ProgressRow]]]] = {}
        self._seen: dict[int, datetime] = {}
        self._opened: dict[Key, datetime] = {}
        self._flushing: asyncio.Task[None] | None = None

    async def apply(self, user_id: int, lesson_id: int, change: Change, *, now: datetime) -> ProgressRow:
        """The row after this change, committed. A row that is not there is begun."""
        done: asyncio.Future[ProgressRow] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((user_id, lesson_id), []).append((change, now, done))
        self._wake()
        return await done

    def opened_again(self, user_id: int, lesson_id: int, now: datetime) -> None:
        """Note, with the next flush, that a lesson that was opened before is open again. Nobody waits for it."""
        self._opened[user_id, lesson_id] = now
        self._wake()

    def phone_seen(self, token_id: int, now: datetime) -> None:
        """Note, with the next flush, that a phone was here. Nobody waits for it."""
        self._seen[token_id] = now
        self._wake()

    def _wake(self) -> None:
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_until_empty())

    async def close(self) -> None:
        """Wait for what is on its way, and close what was opened."""
        await self.rest()
        self._store.close()

    async def rest(self) -> None:
        """Wait for what is on its way."""
        if self._flushing is not None:
            await self._flushing

    async def _flush_until_empty(self) -> None:
        try:
            while self._waiting or self._seen or self._opened:
                await asyncio.sleep(0)  # whoever is at the door comes along
                keys = list(self._waiting)[:MOST]
                batch = {key: self._waiting.pop(key) for key in keys}
                seen, self._seen = self._seen, {}
                opened, self._opened = self._opened, {}
                await self._flush(batch, seen, opened)
        finally:
            self._flushing = None

    async def _flush(
        self,
        batch: dict[Key, list[tuple[Change, datetime, asyncio.Future[ProgressRow]]]],
        seen: dict[int, datetime],
        opened: dict[Key, datetime],
    ) -> None:
        answers: list[tuple[asyncio.Future[ProgressRow], ProgressRow]] = []
        try:

            def follow(rows: dict[Key, ProgressRow]) -> None:
                for key, changes in batch.items():
                    for change, _, done in changes:
                        change(rows[key])
                        # The row itself, where nobody changes it after this.
                        answers.append((done, rows[key] if done is changes[-1][2] else copy(rows[key])))

            await self._store.write({key: changes[0][1] for key, changes in batch.items()}, follow, seen, opened)
        except Exception as error:  # whoever waits is told, and the writer goes on
            for changes in batch.values():
                for _, _, done in changes:
                    if not done.done():
                        done.set_exception(error)
            return
        for done, row in answers:
            if not done.done():  # whoever asked may have gone meanwhile
                done.set_result(row)
