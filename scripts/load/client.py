"""Many connections that ask as fast as they are answered, or at a fixed rate. Plain sockets: the client must be quicker
than what it measures."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

Requests = Callable[[int], bytes]  # the nth request, as it goes over the wire


@dataclass
class Outcome:
    """What came of a run. Latencies in seconds, from the instant a request was due."""

    seconds: float = 0.0
    answered: int = 0
    refused: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """A latency that this share of the answers kept, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


class _Connection(asyncio.Protocol):
    """One request under way at a time."""

    def __init__(self, on_answer: Callable[["_Connection", bool], None]) -> None:
        self._on_answer = on_answer
        self._buffer = b""
        self._missing = -1
        self._fine = False
        self.due = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one, and does not say so

    def ask(self, request: bytes, due: float) -> None:
        """Send."""
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._missing < 0:
            head, separator, _ = self._buffer.partition(b"\r\n\r\n")
            if not separator:
                return
            self._fine = head.startswith(b"HTTP/1.1 200")
            _, _, rest = head.lower().partition(b"content-length: ")
            self._missing = len(head) + 4 + int(rest.partition(b"\r\n")[0])
        if len(self._buffer) >= self._missing:
            self._buffer, self._missing = b"", -1
            self._on_answer(self, self._fine)


async def as_fast_as_answered(port: int, requests: Requests, *, connections: int, seconds: float) -> Outcome:
    """Closed loop: each connection asks again when it was answered."""
    outcome, number, ending = Outcome(), 0, time.perf_counter() + seconds

    def again(connection: _Connection, fine: bool) -> None:
        nonlocal number
        outcome.answered += fine
        outcome.refused += not fine
        if time.perf_counter() < ending:
            number += 1
            connection.ask(requests(number), 0.0)

    open_ones = [await _connect(port, again) for _ in range(connections)]
    started = time.perf_counter()
    for connection in open_ones:
        number += 1
        connection.ask(requests(number), 0.0)
    # The client never sleeps: to wake it would cost the server, and a slow server more than a quick one.
    while time.perf_counter() < ending + 0.3:  # noqa: ASYNC110
        await asyncio.sleep(0)
    outcome.seconds = ending - started
    _close(open_ones)
    return outcome


async def at_a_rate(port: int, requests: Requests, *, rate: float, seconds: float, connections: int = 64) -> Outcome:
    """Open loop: a request is due at its instant, whether or not the last ones were answered."""
    outcome, free, waiting, number = Outcome(seconds=seconds), deque[_Connection](), deque[float](), 0

    def answered(connection: _Connection, fine: bool) -> None:
        outcome.answered += fine
        outcome.refused += not fine
        outcome.latencies.append(time.perf_counter() - connection.due)
        if waiting:
            start(connection, waiting.popleft())
        else:
            free.append(connection)

    def start(connection: _Connection, due: float) -> None:
        nonlocal number
        number += 1
        connection.ask(requests(number), due)

    free.extend([await _connect(port, answered) for _ in range(connections)])
    everyone = list(free)
    begun, sent, total = time.perf_counter() + 0.05, 0, int(rate * seconds)
    while sent < total:
        now = time.perf_counter()
        while sent < total and begun + sent / rate <= now:
            due = begun + sent / rate
            sent += 1
            if free:
                start(free.popleft(), due)
            else:
                waiting.append(due)
        await asyncio.sleep(0.0005)
    for _ in range(100):
        if len(outcome.latencies) >= total:
            break
        await asyncio.sleep(0.05)
    _close(everyone)
    return outcome


async def _connect(port: int, on_answer: Callable[[_Connection, bool], None]) -> _Connection:
    _, protocol = await asyncio.get_running_loop().create_connection(lambda: _Connection(on_answer), "127.0.0.1", port)
    return protocol


def _close(connections: list[_Connection]) -> None:
    for connection in connections:
        connection.transport.close()
