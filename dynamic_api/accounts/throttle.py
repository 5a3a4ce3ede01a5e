"""Limits on what can be tried, per address and per e-mail. In memory, so each process counts for itself."""

import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from dynamic_api.errors import RateLimited


@dataclass(frozen=True)
class Limit:
    """So many tries a minute, counted under a name."""

    name: str
    per_minute: int


SIGN_IN_FAILURES = Limit("sign-in-failure", 5)
SIGN_INS_BY_ADDRESS = Limit("sign-in-address", 30)
CLAIM_BY_ADDRESS = Limit("claim-address", 20)
CHECKOUT_BY_ADDRESS = Limit("checkout-address", 20)
MAIL_BY_EMAIL = Limit("mail-email", 2)
PREVIEW_BY_ADDRESS = Limit("preview-address", 60)
ORDER_LOOKS_BY_ADDRESS = Limit("order-address", 120)
MOBILE = Limit("mobile", 120)


class Throttle:
    """Counts tries in a moving window of a minute."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, limit: Limit, *who: str) -> int:
        """Count one try; returns how many are left. Raises RateLimited."""
        item = RateLimitItemPerMinute(limit.per_minute)
        allowed = await self._limiter.hit(item, limit.name, *who)
        if not allowed:
            raise RateLimited(await self._wait(item, limit, who))
        return (await self._limiter.get_window_stats(item, limit.name, *who)).remaining

    async def forget(self, limit: Limit, *who: str) -> None:
        """Begin to count anew: this was no guessing."""
        await self._limiter.clear(RateLimitItemPerMinute(limit.per_minute), limit.name, *who)

    async def _wait(self, item: RateLimitItemPerMinute, limit: Limit, who: tuple[str, ...]) -> int:
        stats = await self._limiter.get_window_stats(item, limit.name, *who)
        return round(stats.reset_time - time.time())
