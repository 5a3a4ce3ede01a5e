"""HTTP as uvicorn speaks it, with ends: somebody will expose this server without a proxy in front.

httptools reads a head of any size for any time, and a connection that sends nothing is open for ever. The limits are of
the order of nginx's and Caddy's.
"""

import asyncio
from asyncio.events import TimerHandle
from collections import Counter
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dynamic_api.web.networks import network_of


class LimitedProtocol(HttpToolsProtocol):
    """Closes a connection whose head is too large, or that takes too long to say what it wants."""

    largest_head = 32 * 1024  # bytes; all cookies and headers of a browser fit four times
    most_fields = 100
    head_within = 10.0  # seconds from the connection, or the first byte of a further request, to the end of the head
    body_within = 30.0  # seconds from there to the end of the body
    read_within = 60.0  # seconds that a client may leave its answer unread
    most_connections = 200  # of one address, or one /64 of IPv6, unless it is a proxy that we trust

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the head."""
        super().connection_made(transport)
        self._timer: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._head: int | None = 0  # bytes of the head so far; None once it is whole
        self._wait(self.head_within)
        self._network: str | None = None
        if self.client is not None and not self.is_trusted(self.client[0]):
            self._network = network_of(self.client[0])
            self._counts[self._network] += 1
            if self._counts[self._network] > self.most_connections:
                transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        if self._network is not None:
            self._counts[self._network] -= 1
            if not self._counts[self._network]:
                del self._counts[self._network]
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read; for a while, that is waited for."""
        self._unread = self.loop.call_later(self.read_within, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """Count what comes while the head is not whole."""
        super().data_received(data)
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait(self.head_within)  # bytes that begin no request, such as an empty line
        if self._head is not None:
            self._head += len(data)
            if self._head > self.largest_head:
                self._refuse("The headers of the request are too large.")

    def on_message_begin(self) -> None:
        """Wait for the head of a further request as for that of the first."""
        super().on_message_begin()
        self._head = 0
        if self._timer is None:
            self._wait(self.head_within)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the fields."""
        super().on_header(name, value)
        if len(self.headers) > self.most_fields:
            self._refuse("The request has too many headers.")

    def on_headers_complete(self) -> None:
        """The head is whole; the body has a time of its own."""
        self._head = None
        self._wait(self.body_within)
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A refused request has no body."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there; the answer takes as long as it takes."""
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_message_complete()

    def is_trusted(self, address: str) -> bool:
        """Whether it is a proxy of ours, or this machine."""
        return is_trusted(address, self.config.forwarded_allow_ips)

    @property
    def _counts(self) -> Counter[str]:
        """Open connections by network, of this server."""
        counts: Counter[str] = self.server_state.__dict__.setdefault("connections_by_network", Counter())
        return counts

    def _refuse(self, why: str) -> None:
        if not self.transport.is_closing():
            self.send_400_response(why)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@cache
def _networks(trusted: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each.strip(), strict=False) for each in trusted.split(",") if each.strip())


def is_trusted(address: str, trusted: Iterable[str] | str | None) -> bool:
    """Whether it is a proxy of ours, or this machine."""
    trusted = trusted if isinstance(trusted, str) else ",".join(trusted or ())
    if trusted == "*":
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return True  # a socket file: only this machine's users reach it
    return found.is_loopback or any(found in network for network in _networks(trusted))
