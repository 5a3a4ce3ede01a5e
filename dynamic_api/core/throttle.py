"""Limits on what can be tried, per network address and per email address. In memory: each process counts for itself.

These forty lines are ours because the libraries for it cost more than a whole playback request.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dynamic_api.core.errors import RateLimited

_CLEAN_UP_EVERY = 60.0  # seconds
_MOST_KNOWN = 50_000


@dataclass(frozen=True)
class Limit:
    """So many attempts in a window of so many seconds, counted under a name."""

    name: str
    attempts: int
    seconds: int = 60


SIGN_IN_FAILURES = Limit("sign-in-failure", 5)
# From all networks together, since a botnet has many. A learner who is locked out by it can still sign in by email.
SIGN_IN_FAILURES_DAILY = Limit("sign-in-failure-daily", 100, 24 * 3600)
SIGN_INS_BY_IP = Limit("sign-in-ip", 30)  # failures only
ACCOUNT_FORMS_BY_IP = Limit("account-form-ip", 20)  # claims, sign-up, sign-in links and codes, password resets
CHECKOUTS_BY_IP = Limit("checkout-ip", 120)  # a class room, or a company behind one address
# From one network. Counted for the address alone, a stranger could use up what its owner may ask for.
MESSAGES_BY_EMAIL = Limit("message-email", 2)
MESSAGES_BY_EMAIL_DAILY = Limit("message-email-daily", 20, 24 * 3600)
MESSAGES_BY_EMAIL_FROM_ALL = Limit("message-email-all", 60, 24 * 3600)
CODES_BY_EMAIL = Limit("code-email", 5)
PREVIEWS_BY_IP = Limit("preview-ip", 60)
ORDER_VIEWS_BY_IP = Limit("order-ip", 120)
PHONE_REQUESTS = Limit("phone", 120)

_Key = tuple[Limit, tuple[str, ...]]


class Throttle:
    """Counts attempts in moving windows."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._attempts: dict[_Key, deque[float]] = {}
        self._cleaned_at = clock()
        self._known: dict[tuple[str, ...], None] = {}

    def hit(self, limit: Limit, *who: str) -> int:
        """Count one attempt; returns how many are left. Raises RateLimited."""
        now = self._clock()
        if now - self._cleaned_at > _CLEAN_UP_EVERY:
            self._clean_up(now)
        attempts = self._attempts.setdefault((limit, who), deque())
        while attempts and attempts[0] <= now - limit.seconds:
            attempts.popleft()
        if len(attempts) >= limit.attempts:
            raise RateLimited(round(attempts[0] + limit.seconds - now))
        attempts.append(now)
        return limit.attempts - len(attempts)

    def undo(self, limit: Limit, *who: str) -> None:
        """Take one attempt back: it was a success, and only failures are to count."""
        attempts = self._attempts.get((limit, who))
        if attempts:
            attempts.pop()
            if not attempts:
                del self._attempts[limit, who]

    def remember(self, *who: str) -> None:
        """Somebody proved who they are here; guesses from elsewhere do not shut them out."""
        self._known.pop(who, None)
        self._known[who] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def knows(self, *who: str) -> bool:
        """Whether they were remembered."""
        return who in self._known

    def forget(self, limit: Limit, *who: str) -> None:
        """Reset a counter, after a successful sign-in."""
        self._attempts.pop((limit, who), None)

    def _clean_up(self, now: float) -> None:
        """Drop the counters whose windows are over."""
        self._cleaned_at = now
        for key in [key for key, attempts in self._attempts.items() if attempts[-1] <= now - key[0].seconds]:
            del self._attempts[key]
