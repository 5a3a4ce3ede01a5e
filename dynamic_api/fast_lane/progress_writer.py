"""Every change of progress, written in groups: a flush begins as soon as the last one has ended.

A change is a pure function of a row. Changes of one learner and lesson are merged into one write; whoever asked gets
their answer only after the commit that holds it. What is written beside it, unasked, is when a phone was last seen.
"""

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.database import Database, insert_or_ignore
from dynamic_api.fast_lane.statements import PROGRESS_COLUMNS
from dynamic_api.models import AccessToken, Progress

Key = tuple[int, int]  # learner, lesson
MOST = 500  # rows in one flush: SQLite takes only so many parameters, and nobody should wait for a crowd


@dataclass(slots=True)
class ProgressRow:
    """A row of `progress` as the rules see it."""

    status: str
    position_seconds: int
    duration_seconds: int | None
    percent: int
    auto_complete: bool
    opened_at: datetime
    beaten_at: datetime | None
    last_viewed_at: datetime
    completed_at: datetime | None
    updated_at: datetime

    @classmethod
    def begun(cls, now: datetime) -> "ProgressRow":
        """A lesson that is opened for the first time."""
        return cls("in_progress", 0, None, 0, True, now, None, now, None, now)


Change = Callable[[ProgressRow], None]


class ProgressWriter:
    """Gathers changes while a flush is on its way, and writes them with the next."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[Key, list[tuple[Change, datetime, asyncio.Future[ProgressRow]]]] = {}
        self._seen: dict[int, datetime] = {}
        self._flushing: asyncio.Task[None] | None = None

    async def apply(self, user_id: int, lesson_id: int, change: Change, *, now: datetime) -> ProgressRow:
        """The row after this change, committed. A row that is not there is begun."""
        done: asyncio.Future[ProgressRow] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault((user_id, lesson_id), []).append((change, now, done))
        self._wake()
        return await done

    def phone_seen(self, token_id: int, now: datetime) -> None:
        """Note, with the next flush, that a phone was here. Nobody waits for it."""
        self._seen[token_id] = now
        self._wake()

    def _wake(self) -> None:
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self._flush_until_empty())

    async def close(self) -> None:
        """Wait for what is on its way."""
        if self._flushing is not None:
            await self._flushing

    async def _flush_until_empty(self) -> None:
        try:
            while self._waiting or self._seen:
                keys = list(self._waiting)[:MOST]
                batch = {key: self._waiting.pop(key) for key in keys}
                seen, self._seen = self._seen, {}
                await self._flush(batch, seen)
        finally:
            self._flushing = None

    async def _flush(
        self, batch: dict[Key, list[tuple[Change, datetime, asyncio.Future[ProgressRow]]]], seen: dict[int, datetime]
    ) -> None:
        answers: list[tuple[asyncio.Future[ProgressRow], ProgressRow]] = []
        try:
            async with self._database.transaction() as db:
                rows = await _load(db, {key: changes[0][1] for key, changes in batch.items()})
                for key, changes in batch.items():
                    for change, _, done in changes:
                        change(rows[key])
                        answers.append((done, copy(rows[key])))
                await _save(db, rows)
                await _touch(db, seen)
        except Exception as error:  # whoever waits is told, and the writer goes on
            for changes in batch.values():
                for _, _, done in changes:
                    if not done.done():
                        done.set_exception(error)
            return
        for done, row in answers:
            if not done.done():  # whoever asked may have gone meanwhile
                done.set_result(row)


_NAMES = [column.key for column in PROGRESS_COLUMNS]
_LOAD = select(Progress.user_id, Progress.lesson_id, *PROGRESS_COLUMNS).order_by(Progress.user_id, Progress.lesson_id)
_SAVE = (
    update(Progress.__table__)  # type: ignore[arg-type]
    .where(Progress.user_id == bindparam("its_user"), Progress.lesson_id == bindparam("its_lesson"))
    .values({name: bindparam(f"new_{name}") for name in _NAMES})
)
_SEEN = (
    update(AccessToken.__table__)  # type: ignore[arg-type]
    .where(AccessToken.id == bindparam("its_id"))
    .values(last_used_at=bindparam("seen"))
)


async def _load(db: AsyncSession, keys: dict[Key, datetime]) -> dict[Key, ProgressRow]:
    """The rows, held until the transaction ends; begun where there are none."""
    wanted = tuple_(Progress.user_id, Progress.lesson_id).in_(list(keys))
    found = await db.execute(_LOAD.where(wanted).with_for_update())
    rows = {(row[0], row[1]): _row(row[2:]) for row in found}
    if missing := sorted(keys.keys() - rows.keys()):
        fresh = [_columns(ProgressRow.begun(keys[key])) | {"user_id": key[0], "lesson_id": key[1]} for key in missing]
        await db.execute(insert_or_ignore(db, Progress), fresh)
        # Another process may have been a moment faster: what counts is what is there now.
        again = tuple_(Progress.user_id, Progress.lesson_id).in_(missing)
        for row in await db.execute(_LOAD.where(again).with_for_update()):
            rows[row[0], row[1]] = _row(row[2:])
    return rows


async def _save(db: AsyncSession, rows: dict[Key, ProgressRow]) -> None:
    if rows:
        connection = await db.connection()
        values = [
            {"its_user": key[0], "its_lesson": key[1]} | {f"new_{n}": v for n, v in _columns(row).items()}
            for key, row in sorted(rows.items())
        ]
        await connection.execute(_SAVE, values)


async def _touch(db: AsyncSession, seen: dict[int, datetime]) -> None:
    if seen:
        connection = await db.connection()
        await connection.execute(_SEEN, [{"its_id": key, "seen": moment} for key, moment in sorted(seen.items())])


def _row(values: Sequence[Any]) -> ProgressRow:
    return ProgressRow(*values)


def _columns(row: ProgressRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _NAMES}
