"""Our own server against clients that never finish, and against heads without an end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from dynamic_api.web.networks import network_of
from dynamic_api.web.protocol import LimitedProtocol, is_trusted
from tests.ports import free_ports


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def server(limits: type[LimitedProtocol] = LimitedProtocol) -> AsyncIterator[int]:
    [port] = free_ports(1)
    config = uvicorn.Config(echo, port=port, http=limits, ws="none", lifespan="off", log_level="critical")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve())
    while not running.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        running.should_exit = True
        await task


async def say(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """What the server answers until it closes, or 1.5 seconds have passed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(1.5):
            while chunk := await reader.read(65536):
                answer += chunk
    writer.close()
    return answer


class Impatient(LimitedProtocol):
    """Waits for a third of a second."""

    head_within = body_within = 0.3


class Strange(LimitedProtocol):
    """Knows nobody, and lets each have three connections."""

    most_connections = 3

    def is_trusted(self, address: str) -> bool:
        """Nobody."""
        return False


GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


async def test_an_honest_client_is_served_and_serves_itself_again() -> None:
    async with server() as port:
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n"
        answer = await say(port, GET + b"\r\n", post + b"\r\n" + b"x" * 60_000, GET + b"Connection: close\r\n\r\n")
        assert answer.count(b"200 OK") == 3
        assert b"60000" in answer
        large = GET + b"Cookie: " + b"x" * 20_000 + b"\r\n"
        assert b"200 OK" in await say(port, large[:15_000], large[15_000:], b"Connection: close\r\n\r\n", pause=0.05)


async def test_a_head_has_an_end() -> None:
    async with server() as port:
        answer = await say(port, GET + b"X: ", *[b"x" * 8192] * 40, pause=0.001)
        assert b"400 Bad Request" in answer or answer == b""
        assert b"200" not in answer
        fields = b"".join(b"X-%d: 1\r\n" % number for number in range(150))
        assert b"too many headers" in await say(port, GET + fields + b"\r\n")


async def test_who_says_nothing_is_not_waited_for() -> None:
    loop = asyncio.get_running_loop()
    half = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"
    async with server(Impatient) as port:
        for said in (b"", b"GET / HT", GET, half):
            began = loop.time()
            answer = await say(port, *([said] if said else []))
            assert loop.time() - began < 1.2, said
            assert b"200" not in answer


async def test_an_empty_line_begins_no_request() -> None:
    loop = asyncio.get_running_loop()
    async with server(Impatient) as port:
        began = loop.time()
        assert b"200 OK" in await say(port, GET + b"\r\n", b"\r\n", pause=0.1)
        assert loop.time() - began < 1.2


def test_networks_are_what_one_customer_has() -> None:
    of = network_of
    assert of("198.51.100.7") == of("::ffff:198.51.100.7") == "198.51.100.7"
    assert of("2001:db8::1") == of("2001:db8::2") != of("2001:db9::1")


async def test_one_address_has_so_many_connections() -> None:
    async with server(Strange) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await say(port, GET + b"Connection: close\r\n\r\n") == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert b"200 OK" in await say(port, GET + b"Connection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("address", "trusted", "expected"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("10.1.2.3", "10.0.0.0/8, 192.0.2.1", True),
        ("192.0.2.1", "10.0.0.0/8, 192.0.2.1", True),
        ("192.0.2.2", "10.0.0.0/8, 192.0.2.1", False),
        ("192.0.2.2", "*", True),
    ],
)
def test_a_proxy_of_ours_may_have_any_number(address: str, trusted: str, expected: bool) -> None:
    assert is_trusted(address, trusted) is expected
