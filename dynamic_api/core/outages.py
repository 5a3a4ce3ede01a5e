"""Which failures mean that the database cannot answer at the moment: worth another try, and no fault of the code."""

import asyncio
import logging
import socket
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

logger = logging.getLogger("coursewright.database")

_PAUSE = 1.0  # seconds
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,  # it starts, or recovers
    asyncpg.OperatorInterventionError,  # it is shut down, or the statement took too long
    asyncpg.InsufficientResourcesError,  # too many connections, a full disk
    asyncpg.InterfaceError,
    ConnectionError,
    socket.gaierror,
    TimeoutError,
    PoolTimeout,
)
_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_NOMEM,
    }
)
T = TypeVar("T")


async def wait_out(act: Callable[[], Awaitable[T]]) -> T:
    """What `act` returns, once the database answers: whoever starts before it waits, with a line for each attempt."""
    while True:
        try:
            return await act()
        except Exception as error:
            if not is_outage(error):
                raise
            logger.warning("the database cannot answer, and is waited for: %r", error)
        await asyncio.sleep(_PAUSE)


def is_outage(error: BaseException) -> bool:
    """Whether the same request may succeed in a minute, without anybody changing the code."""
    return any(_is_away(each) for each in _chain(error))


def _is_away(error: BaseException) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _SQLITE_AWAY
    return isinstance(error, _AWAY)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what caused it: SQLAlchemy wraps the driver's error, and that adapter the server's."""
    while error is not None:
        yield error
        error = (error.orig if isinstance(error, DBAPIError) else None) or error.__cause__
