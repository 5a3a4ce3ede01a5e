"""A few connections to PostgreSQL, opened when they are needed and kept.

asyncpg's own pool begins a task and two timers for each query, which takes 20 µs of the 60 that a small one needs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

CONNECT_SECONDS = 5.0


class PostgresPool:
    """At most `size` connections at once; further callers wait, for as long as one may take to be opened."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]], size: int) -> None:
        self._connect = connect
        self._slots = asyncio.Semaphore(size)
        self._free: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for this block. Raises TimeoutError when none becomes free."""
        if self._slots.locked():
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._slots.acquire()
        else:
            await self._slots.acquire()  # does not wait
        try:
            connection = self._take() or await self._connect()
            try:
                yield connection
            finally:
                if connection.is_closed():
                    pass
                elif connection.is_in_transaction():  # the block was cancelled before it could roll back
                    connection.terminate()
                else:
                    self._free.append(connection)
        finally:
            self._slots.release()

    def _take(self) -> asyncpg.Connection | None:
        """One that lies idle; the server may have closed it meanwhile."""
        while self._free:
            connection = self._free.pop()
            if not connection.is_closed():
                return connection
        return None

    def forget(self) -> None:
        """Close what lies idle: the server may have been started anew."""
        while self._free:
            self._free.pop().terminate()

    async def close(self) -> None:
        """Close what lies idle, politely."""
        while self._free:
            await self._free.pop().close()
