"""Limits on what can be tried, per address and per e-mail. In memory, so each process counts for itself."""

import time
from dataclasses import dataclass

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from dynamic_api.errors import RateLimited


@dataclass(frozen=True)
class Limit:
    """So many tries in a window of so many seconds, counted under a name."""

    name: str
    tries: int
    seconds: int = 60

    @property
    def item(self) -> RateLimitItemPerSecond:
        """As the library has it."""
        return RateLimitItemPerSecond(self.tries, self.seconds)


SIGN_IN_FAILURES = Limit("sign-in-failure", 5)
SIGN_INS_BY_ADDRESS = Limit("sign-in-address", 30)
CLAIM_BY_ADDRESS = Limit("claim-address", 20)
CHECKOUT_BY_ADDRESS = Limit("checkout-address", 20)
MAIL_BY_EMAIL = Limit("mail-email", 2)
MAIL_BY_EMAIL_DAILY = Limit("mail-email-daily", 20, 24 * 3600)
CODES_BY_EMAIL = Limit("code-email", 5)
PREVIEW_BY_ADDRESS = Limit("preview-address", 60)
ORDER_LOOKS_BY_ADDRESS = Limit("order-address", 120)
MOBILE = Limit("mobile", 120)


class Throttle:
    """Counts tries in moving windows."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, limit: Limit, *who: str) -> int:
        """Count one try; returns how many are left. Raises RateLimited."""
        if not await self._limiter.hit(limit.item, limit.name, *who):
            raise RateLimited(await self._wait(limit, who))
        return (await self._limiter.get_window_stats(limit.item, limit.name, *who)).remaining

    async def forget(self, limit: Limit, *who: str) -> None:
        """Begin to count anew: this was no guessing."""
        await self._limiter.clear(limit.item, limit.name, *who)

    async def _wait(self, limit: Limit, who: tuple[str, ...]) -> int:
        stats = await self._limiter.get_window_stats(limit.item, limit.name, *who)
        return round(stats.reset_time - time.time())
