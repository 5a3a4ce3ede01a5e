"""Limits on what can be tried, per address and per e-mail. In memory, so each process counts for itself.

Our own forty lines: a moving window is a queue of moments, and the libraries for it cost more than a playback.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dynamic_api.errors import RateLimited

_SWEEP = 60.0  # seconds between looks for counters that nobody uses any more


@dataclass(frozen=True)
class Limit:
    """So many tries in a window of so many seconds, counted under a name."""

    name: str
    tries: int
    seconds: int = 60


SIGN_IN_FAILURES = Limit("sign-in-failure", 5)
# From everywhere together: a botnet has many addresses. Whoever is locked out by it still signs in by mail.
SIGN_IN_FAILURES_DAILY = Limit("sign-in-failure-daily", 100, 24 * 3600)
SIGN_INS_BY_ADDRESS = Limit("sign-in-address", 30)
CLAIM_BY_ADDRESS = Limit("claim-address", 20)
CHECKOUT_BY_ADDRESS = Limit("checkout-address", 20)
MAIL_BY_EMAIL = Limit("mail-email", 2)
MAIL_BY_EMAIL_DAILY = Limit("mail-email-daily", 20, 24 * 3600)
CODES_BY_EMAIL = Limit("code-email", 5)
PREVIEW_BY_ADDRESS = Limit("preview-address", 60)
ORDER_LOOKS_BY_ADDRESS = Limit("order-address", 120)
MOBILE = Limit("mobile", 120)

_Key = tuple[Limit, tuple[str, ...]]


class Throttle:
    """Counts tries in moving windows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: dict[_Key, deque[float]] = {}
        self._swept = clock()

    def hit(self, limit: Limit, *who: str) -> int:
        """Count one try; returns how many are left. Raises RateLimited."""
        now = self._clock()
        if now - self._swept > _SWEEP:
            self._sweep(now)
        tries = self._tries.setdefault((limit, who), deque())
        while tries and tries[0] <= now - limit.seconds:
            tries.popleft()
        if len(tries) >= limit.tries:
            raise RateLimited(round(tries[0] + limit.seconds - now))
        tries.append(now)
        return limit.tries - len(tries)

    def forget(self, limit: Limit, *who: str) -> None:
        """Begin to count anew: this was no guessing."""
        self._tries.pop((limit, who), None)

    def _sweep(self, now: float) -> None:
        self._swept = now
        for key in [key for key, tries in self._tries.items() if not tries or tries[-1] <= now - key[0].seconds]:
            del self._tries[key]
