"""A line for each request, without its query. Lines are handed to the logger in groups: a record, a format and a write
for each cost a fifth of an answer.
"""

import asyncio
import logging
import time

from starlette.types import Scope

logger = logging.getLogger("coursewright.requests")

_DELAY = 0.1  # seconds a line may wait for others


class AccessLog:
    """What this process answered."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._second = 0
        self._clock = ""

    def note(self, scope: Scope, status: int, started: float, request_id: str) -> None:
        """One line; `started` is `time.perf_counter()` when the request came."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_DELAY, self.flush)
        moment = time.time()
        if int(moment) != self._second:
            self._second = int(moment)
            self._clock = time.strftime("%H:%M:%S", time.gmtime(moment))
        path = scope["path"]
        # A decoded address may hold anything, line breaks among it.
        shown = path if path.isprintable() else repr(path)
        milliseconds = (time.perf_counter() - started) * 1000
        self._lines.append(f"{self._clock} {scope['method']} {shown} {status} {milliseconds:.0f}ms {request_id}")

    def flush(self) -> None:
        """Hand over what gathered."""
        lines, self._lines = self._lines, []
        if lines:
            logger.info("%s", "\n".join(lines))
