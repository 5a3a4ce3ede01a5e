"""One log line for each request, without its query string, which may hold a signature."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from starlette.types import Scope

logger = logging.getLogger("coursewright.requests")

_DELAY = 0.1  # seconds a line may wait: a log record for each request would cost a fifth of an answer


class Entry(NamedTuple):
    """One request that was answered. `status` is 499 when the client went away before."""

    at: float
    method: str
    path: str
    status: int
    milliseconds: float
    client_ip: str
    request_id: str


class AccessLog:
    """What this process answered, passed on to the logger ten times a second."""

    def __init__(self, count: Callable[[list[Entry]], None]) -> None:
        """`count` is told what was answered as often as the logger."""
        self._count = count
        self._entries: list[Entry] = []

    def note(self, scope: Scope, status: int, started: float, request_id: str) -> None:
        """Note a request; `started` is `time.perf_counter()` when it arrived."""
        if not self._entries:
            asyncio.get_running_loop().call_later(_DELAY, self.flush)
        client = scope.get("client")
        self._entries.append(
            Entry(
                time.time(),
                scope["method"],
                scope["path"],
                status,
                (time.perf_counter() - started) * 1000,
                client[0] if client else "",
                request_id,
            )
        )

    def flush(self) -> None:
        """Pass on what is waiting; also called when the service stops."""
        entries, self._entries = self._entries, []
        if entries:
            self._count(entries)
            logger.info("%s requests", len(entries), extra={"requests": entries})
