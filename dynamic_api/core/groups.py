"""Writes in groups: each write includes the items that arrived during the one before.

A durable commit costs as much for a hundred rows as for one, and a busy school writes thousands a second.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

logger = logging.getLogger("coursewright.groups")

MOST = 100  # items in one group, which caps how long a request waits

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Groups(Generic[Item, Answer]):
    """Collects items while a group is being written. `write` answers each item of a group, after the commit."""

    def __init__(self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]]) -> None:
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Answer] | None]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> Answer:
        """The answer, once the item is committed. Raises what the write raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._wake()
        return await answer

    def note(self, item: Item) -> None:
        """Write an item soon; no request waits for it."""
        self._waiting.append((item, None))
        self._wake()

    async def flush(self) -> None:
        """Wait until everything is written."""
        if self._writing is not None:
            await self._writing

    def _wake(self) -> None:
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write_until_empty())

    async def _write_until_empty(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # requests that are already queued join this group
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: Sequence[tuple[Item, "asyncio.Future[Answer] | None"]]) -> None:
        try:
            answers = await self._write([item for item, _ in group])
            answered = list(zip(group, answers, strict=True))
        except Exception as error:  # the callers of this group get the error, and the next group is tried
            logger.warning("a group could not be written: %r", error)
            for _, future in group:
                if future is not None and not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in answered:
            if future is not None and not future.done():  # its caller may have been cancelled
                future.set_result(answer)
