"""A few connections to PostgreSQL, opened when they are needed and kept.

asyncpg's own pool begins a task and two timers for each query, which takes 20 µs of the 60 that a small one needs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


class PostgresPool:
    """At most `size` connections at once; further callers wait."""

    def __init__(self, dsn: str, size: int) -> None:
        self._dsn = dsn
        self._slots = asyncio.Semaphore(size)
        self._free: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for this block."""
        async with self._slots:
            connection = self._free.pop() if self._free else await asyncpg.connect(self._dsn)
            try:
                yield connection
            finally:
                if connection.is_closed():
                    pass
                elif connection.is_in_transaction():  # the block was cancelled before it could roll back
                    connection.terminate()
                else:
                    self._free.append(connection)

    def forget(self) -> None:
        """Close what lies idle: the server may have been started anew."""
        while self._free:
            self._free.pop().terminate()

    async def close(self) -> None:
        """Close what lies idle, politely."""
        while self._free:
            await self._free.pop().close()
