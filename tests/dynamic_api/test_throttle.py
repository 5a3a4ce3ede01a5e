"""Limits: how many, for how long, and for whom; counted in memory, and by all processes together in Valkey."""

import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import pytest

from dynamic_api.core import throttle
from dynamic_api.core.errors import RateLimited
from dynamic_api.core.shared_throttle import SharedThrottle
from dynamic_api.core.throttle import Limit, Limits, Throttle
from tests.valkey import ValkeyServer, valkey_server


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


LIMIT = Limit("test", 3, 60)
MakeLimits = Callable[[Clock], Limits]


@pytest.fixture(params=["memory", "valkey"])
async def make_limits(request: pytest.FixtureRequest) -> AsyncIterator[MakeLimits]:
    """Either way of counting; nothing is known to it yet."""
    if request.param == "memory":
        yield Throttle
        return
    server: ValkeyServer = request.getfixturevalue("valkey")
    made = []

    def make(clock: Clock) -> Limits:
        made.append(SharedThrottle(server.url, secrets.token_hex(32), clock=clock))
        return made[-1]

    yield make
    for limits in made:
        await limits.close()


async def test_the_window_is_as_long_as_it_says(make_limits: MakeLimits) -> None:
    clock = Clock()
    limits = make_limits(clock)
    assert [await limits.hit(LIMIT, "ann") for _ in range(3)] == [2, 1, 0]
    clock.now += 59.9
    with pytest.raises(RateLimited) as refused:
        await limits.hit(LIMIT, "ann")
    assert refused.value.headers == {"Retry-After": "1"}
    clock.now += 0.1
    assert await limits.hit(LIMIT, "ann") == 2


async def test_the_window_moves_with_each_attempt(make_limits: MakeLimits) -> None:
    clock = Clock()
    limits = make_limits(clock)
    for _ in range(3):
        await limits.hit(LIMIT, "ann")
        clock.now += 25
    assert await limits.hit(LIMIT, "ann") == 0  # the first is 75 seconds old
    with pytest.raises(RateLimited) as refused:
        await limits.hit(LIMIT, "ann")
    assert refused.value.headers == {"Retry-After": "10"}


async def test_a_refused_attempt_does_not_count(make_limits: MakeLimits) -> None:
    clock = Clock()
    limits = make_limits(clock)
    for _ in range(3):
        await limits.hit(LIMIT, "ann")
    for _ in range(10):
        clock.now += 5
        with pytest.raises(RateLimited):
            await limits.hit(LIMIT, "ann")
    clock.now += 10
    assert await limits.hit(LIMIT, "ann") == 2


async def test_people_and_limits_are_counted_apart(make_limits: MakeLimits) -> None:
    limits = make_limits(Clock())
    assert await limits.hit(LIMIT, "ann") == 2
    assert await limits.hit(LIMIT, "bob") == 2
    assert await limits.hit(Limit("other", 3, 60), "ann") == 2
    assert await limits.hit(LIMIT, "ann") == 1
    await limits.forget(LIMIT, "ann")
    assert await limits.hit(LIMIT, "ann") == 2


async def test_forgetting_somebody_unknown_is_fine(make_limits: MakeLimits) -> None:
    await make_limits(Clock()).forget(LIMIT, "nobody")


async def test_what_is_over_is_forgotten() -> None:
    clock = Clock()
    limits = Throttle(clock)
    for number in range(1000):
        await limits.hit(LIMIT, str(number))
    await limits.hit(Limit("day", 3, 86400), "ann")
    clock.now += 61
    await limits.hit(LIMIT, "ann")
    assert len(limits._attempts) == 2


@pytest.mark.parametrize(
    ("limit", "attempts", "seconds"),
    [
        (throttle.SIGN_IN_FAILURES, 5, 60),
        (throttle.SIGN_IN_FAILURES_DAILY, 100, 86400),
        (throttle.SIGN_INS_BY_IP, 30, 60),
        (throttle.ACCOUNT_FORMS_BY_IP, 20, 60),
        (throttle.CHECKOUTS_BY_IP, 120, 60),
        (throttle.MESSAGES_BY_EMAIL, 2, 60),
        (throttle.MESSAGES_BY_EMAIL_DAILY, 20, 86400),
        (throttle.MESSAGES_BY_EMAIL_FROM_ALL, 60, 86400),
        (throttle.CODES_BY_EMAIL, 5, 60),
        (throttle.PREVIEWS_BY_IP, 60, 60),
        (throttle.ORDER_VIEWS_BY_IP, 120, 60),
        (throttle.PHONE_REQUESTS, 120, 60),  # the phone's contract
    ],
)
def test_the_limits_themselves(limit: Limit, attempts: int, seconds: int) -> None:
    assert (limit.attempts, limit.seconds) == (attempts, seconds)


GROWING = Limit("growing", 2, 60, grows=True)


async def test_a_growing_wait_doubles_up_to_an_hour_and_a_success_begins_anew(make_limits: MakeLimits) -> None:
    clock = Clock()
    limits = make_limits(clock)
    waits = []
    for _ in range(9):
        for _ in range(2):
            await limits.hit(GROWING, "ann", "198.51.100.7")
        with pytest.raises(RateLimited) as refused:
            await limits.hit(GROWING, "ann", "198.51.100.7")
        waits.append(refused.value.retry_after)
        clock.now += refused.value.retry_after
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    await limits.hit(GROWING, "ann", "203.0.113.1")  # from elsewhere, she may
    await limits.forget(GROWING, "ann", "198.51.100.7")
    await limits.hit(GROWING, "ann", "198.51.100.7")
    await limits.hit(GROWING, "ann", "198.51.100.7")
    with pytest.raises(RateLimited, match="in a minute"):
        await limits.hit(GROWING, "ann", "198.51.100.7")


async def test_a_day_without_attempts_begins_anew() -> None:
    clock = Clock()
    limits = Throttle(clock)
    for _ in range(3):
        await limits.hit(GROWING, "ann")
        await limits.hit(GROWING, "ann")
        clock.now += 3600
    clock.now += 24 * 3600
    await limits.hit(LIMIT, "somebody")  # cleans up
    await limits.hit(GROWING, "ann")
    await limits.hit(GROWING, "ann")
    with pytest.raises(RateLimited, match="in a minute"):
        await limits.hit(GROWING, "ann")


async def let_through(limits: Limits, networks: Iterable[str], *who: str) -> int:
    """How many of these networks may try once."""
    count = 0
    for network in networks:
        with contextlib.suppress(RateLimited):
            await limits.hit(LIMIT, *who, network)
            count += 1
    return count


async def test_networks_of_ipv6_are_counted_together(make_limits: MakeLimits) -> None:
    limits = make_limits(Clock())
    first = [f"2001:db8:1:{number:x}::/64" for number in range(256)]
    assert await let_through(limits, first) == 3 * 4, "a /56 has four times the allowance of one network"
    whole = [f"2001:db8:1:{number:x}::/64" for number in range(0, 65536, 64)]
    assert await let_through(limits, whole) == 3 * 16 - 3 * 4, "and a /48 sixteen times"
    assert await limits.hit(LIMIT, "2001:db8:2::/64") == 2, "the neighbours are not shut out"
    assert await let_through(limits, first, "ann") == 3 * 4, "who is counted by name and network is counted apart"
    assert await let_through(limits, first, "bob") == 3 * 4


async def test_a_success_counts_in_no_network(make_limits: MakeLimits) -> None:
    limits = make_limits(Clock())
    for number in range(200):
        await limits.hit(LIMIT, "ann", f"2001:db8:1:{number % 50:x}::/64")
        await limits.undo(LIMIT, "ann", f"2001:db8:1:{number % 50:x}::/64")
    await limits.hit(LIMIT, "ann", "2001:db8:1::/64")
    await limits.hit(LIMIT, "ann", "2001:db8:1::/64")
    await limits.undo(LIMIT, "ann", "2001:db8:1::/64")
    assert await limits.hit(LIMIT, "ann", "2001:db8:1::/64") == 1, "one attempt is taken back, and not the others"


async def test_nobody_is_known_at_the_start(make_limits: MakeLimits) -> None:
    assert await make_limits(Clock()).knows("ann", "198.51.100.7") is False


async def test_who_is_known_stays_so(make_limits: MakeLimits) -> None:
    limits = make_limits(Clock())
    await limits.remember("ann", "198.51.100.7")
    assert await limits.knows("ann", "198.51.100.7") is True
    assert await limits.knows("ann", "203.0.113.1") is False


async def test_processes_count_together(valkey: ValkeyServer) -> None:
    secret, clock = secrets.token_hex(32), Clock()
    first, second = (SharedThrottle(valkey.url, secret, clock=clock) for _ in range(2))
    assert [await each.hit(LIMIT, "ann") for each in (first, second, first)] == [2, 1, 0]
    with pytest.raises(RateLimited):
        await second.hit(LIMIT, "ann")
    await first.remember("ann", "198.51.100.7")
    assert await second.knows("ann", "198.51.100.7")
    assert [await each.hit(throttle.PHONE_REQUESTS, "7") for each in (first, second)] == [119, 119]
    stored = [key async for key in first._valkey.scan_iter()]
    assert stored
    assert not [key for key in stored if b"ann" in key], "names of people stay in this process"
    await first.close()
    await second.close()


async def test_while_valkey_is_away_each_process_counts_for_itself(tmp_path: Path) -> None:
    with valkey_server(tmp_path) as server:
        limits = SharedThrottle(server.url, secrets.token_hex(32))
        assert await limits.hit(LIMIT, "ann") == 2
        server.stop()
        assert [await limits.hit(LIMIT, "ann") for _ in range(3)] == [2, 1, 0]
        with pytest.raises(RateLimited):
            await limits.hit(LIMIT, "ann")
        await limits.undo(LIMIT, "ann")
        assert await limits.hit(LIMIT, "ann") == 0
        await limits.remember("ann", "198.51.100.7")
        assert await limits.knows("ann", "198.51.100.7")
        await limits.forget(LIMIT, "ann")
        server.start()
        limits._away_until = 0  # five seconds later
        assert await limits.hit(LIMIT, "ann") == 2
        await limits.close()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "a second"), (49, "49 seconds"), (50, "a minute"), (61, "2 minutes"), (3000, "50 minutes"), (3600, "an hour"),
     (3601, "2 hours")],
)  # fmt: skip
def test_a_refusal_says_how_long(seconds: int, said: str) -> None:
    assert str(RateLimited(seconds)) == f"Too many attempts. Please try again in {said}."
