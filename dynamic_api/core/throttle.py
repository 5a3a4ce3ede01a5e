"""Limits on what can be tried, per network address and per email address.

`Throttle` counts in memory, each process for itself; `SharedThrottle` in Valkey, for all of them.

The counting is ours because the libraries for it cost more than a whole playback request.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import Protocol

from dynamic_api.core.emails import Email
from dynamic_api.core.errors import RateLimited

_CLEAN_UP_EVERY = 60.0  # seconds
_MOST_KNOWN = 50_000
_HOUR, _DAY = 3600.0, 24 * 3600.0


@dataclass(frozen=True)
class Limit:
    """So many attempts in a window of so many seconds, counted under a name."""

    name: str
    attempts: int
    seconds: int = 60
    # Each time it is reached, the wait doubles, up to an hour; a success, or a day without attempts, begins anew.
    grows: bool = False
    # Not so where asking another server would cost as much as the request: each process then counts for itself.
    is_shared: bool = True


SIGN_IN_FAILURES = Limit("sign-in-failure", 5, grows=True)
# From all networks together, since a botnet has many. A learner who is locked out by it can still sign in by email.
SIGN_IN_FAILURES_DAILY = Limit("sign-in-failure-daily", 100, 24 * 3600)
SIGN_INS_BY_IP = Limit("sign-in-ip", 30)  # failures only
ACCOUNT_FORMS_BY_IP = Limit("account-form-ip", 20)  # claims, sign-up, sign-in links and codes, password resets
CHECKOUTS_BY_IP = Limit("checkout-ip", 120)  # a class room, or a company behind one address
# From one network. Counted for the address alone, a stranger could use up what its owner may ask for.
MESSAGES_BY_EMAIL = Limit("message-email", 2)
MESSAGES_BY_EMAIL_DAILY = Limit("message-email-daily", 20, 24 * 3600)
MESSAGES_BY_EMAIL_FROM_ALL = Limit("message-email-all", 60, 24 * 3600)
MESSAGES_BY_EMAIL_FIRST = Limit("message-email-first", 300, 24 * 3600)  # the first of each network in a day
CODES_BY_EMAIL = Limit("code-email", 5)
PREVIEWS_BY_IP = Limit("preview-ip", 60)
NEWS_FORMS_BY_IP = Limit("news-form-ip", 10)
ORDER_VIEWS_BY_IP = Limit("order-ip", 120)
PHONE_REQUESTS = Limit("phone", 120, is_shared=False)


class Limits(Protocol):
    """What counts attempts, wherever it keeps them."""

    async def hit(self, limit: Limit, *who: str) -> int:
        """Count one attempt; returns how many are left. Raises RateLimited."""

    async def undo(self, limit: Limit, *who: str) -> None:
        """Take one attempt back: it was a success, and only failures are to count."""

    async def forget(self, limit: Limit, *who: str) -> None:
        """Reset a counter, after a successful sign-in."""

    async def remember(self, *who: str) -> None:
        """Somebody proved who they are here; guesses from elsewhere do not shut them out."""

    async def knows(self, *who: str) -> bool:
        """Whether they were remembered."""

    async def answers(self) -> bool:
        """Whether attempts are counted where they should be."""

    async def close(self) -> None:
        """Close what was opened."""


_Key = tuple[Limit, tuple[str, ...]]


class Throttle:
    """Counts attempts in moving windows, in the memory of this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: dict[_Key, deque[float]] = {}
        self._cleaned_at = clock()
        self._reached: dict[_Key, int] = {}  # how often a growing limit was
        self._known: dict[tuple[str, ...], None] = {}

    async def hit(self, limit: Limit, *who: str) -> int:
        """Count one attempt; returns how many are left. Raises RateLimited."""
        now = self._clock()
        if now - self._cleaned_at > _CLEAN_UP_EVERY:
            self._clean_up(now)
        rungs = [(limit, rung, limit.attempts * times) for rung, times in ladder(who)]
        left = min(self._left(limit, rung, allowed, now) for limit, rung, allowed in rungs)
        for limit, rung, allowed in rungs:
            attempts = self._attempts[limit, rung]
            attempts.append(now)
            if limit.grows and len(attempts) >= allowed:
                self._reached[limit, rung] = self._reached.get((limit, rung), 0) + 1
        return left - 1

    def _left(self, limit: Limit, who: tuple[str, ...], allowed: int, now: float) -> int:
        attempts = self._attempts.setdefault((limit, who), deque())
        window = min(limit.seconds * 2 ** max(0, self._reached.get((limit, who), 0) - 1), max(_HOUR, limit.seconds))
        while attempts and attempts[0] <= now - window:
            attempts.popleft()
        if len(attempts) >= allowed:
            raise RateLimited(round(attempts[0] + window - now))
        return allowed - len(attempts)

    async def undo(self, limit: Limit, *who: str) -> None:
        """Take one attempt back: it was a success, and only failures are to count."""
        for rung, _ in ladder(who):
            attempts = self._attempts.get((limit, rung))
            if attempts:
                attempts.pop()
                if not attempts:
                    del self._attempts[limit, rung]

    async def remember(self, *who: str) -> None:
        """Somebody proved who they are here; guesses from elsewhere do not shut them out."""
        self._known.pop(who, None)
        self._known[who] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    async def knows(self, *who: str) -> bool:
        """Whether they were remembered."""
        return who in self._known

    async def forget(self, limit: Limit, *who: str) -> None:
        """Reset a counter, after a successful sign-in."""
        for rung, _ in ladder(who):
            self._attempts.pop((limit, rung), None)
            self._reached.pop((limit, rung), None)

    async def answers(self) -> bool:
        """Always: it is memory."""
        return True

    async def close(self) -> None:
        """Nothing was opened."""

    def _clean_up(self, now: float) -> None:
        """Drop the counters whose windows are over."""
        self._cleaned_at = now
        over = [
            (limit, who)
            for (limit, who), attempts in self._attempts.items()
            if not attempts or attempts[-1] <= now - (_DAY if limit.grows else limit.seconds)
        ]
        for key in over:
            del self._attempts[key]
            self._reached.pop(key, None)


def ladder(who: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Who is counted, and how many times the allowance they have: a network of IPv6 also counts for the larger ones
    that it is in, since one customer may have a whole /48 (RFC 6177)."""
    yield who, 1
    if who and who[-1].endswith("/64"):
        try:
            network = IPv6Network(who[-1])
        except ValueError:  # a name that somebody typed
            return
        for length, times in ((56, 4), (48, 16)):
            yield (*who[:-1], str(network.supernet(new_prefix=length))), times


async def count_message(throttle: Limits, email: Email, client_ip: str) -> None:
    """Limits how many emails one address is sent, from one network and from all. Raises RateLimited."""
    await throttle.hit(MESSAGES_BY_EMAIL, email.key, client_ip)
    left = await throttle.hit(MESSAGES_BY_EMAIL_DAILY, email.key, client_ip)
    if await throttle.knows(email.key, client_ip):
        return  # whoever proved here that it is theirs is not shut out by what others ask for
    is_first = left == MESSAGES_BY_EMAIL_DAILY.attempts - 1
    await throttle.hit(MESSAGES_BY_EMAIL_FIRST if is_first else MESSAGES_BY_EMAIL_FROM_ALL, email.key)
