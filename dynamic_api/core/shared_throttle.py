"""Limits that all processes count together, in Valkey or Redis. While it is away, each process counts for itself."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import TypeVar, cast
from uuid import uuid4

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from dynamic_api.core.errors import RateLimited
from dynamic_api.core.throttle import Limit, Throttle, ladder

logger = logging.getLogger("coursewright.limits")

_SECONDS = 0.25  # to wait for an answer: a limit must not be slower than what it protects
_PAUSE = 5.0  # seconds without asking, after it did not answer
_KNOWN_FOR = 30 * 24 * 3600

# The rules of `Throttle`. Attempts are a sorted set by time; what was reached, and how often, is a counter beside it.
_HIT = """
local now = tonumber(ARGV[1])
if not now then
  local moment = redis.call('TIME')
  now = moment[1] + moment[2] / 1000000
end
local seconds, grows, member = tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4]
local left = nil
for number, key in ipairs(KEYS) do
  local allowed, window = tonumber(ARGV[4 + number]), seconds
  if grows then
    local reached = tonumber(redis.call('GET', key .. ':reached') or '0')
    window = math.min(seconds * 2 ^ math.max(0, reached - 1), math.max(3600, seconds))
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  local count = redis.call('ZCARD', key)
  if count >= allowed then
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return {-1, math.floor(first[2] + window - now + 0.5)}
  end
  if not left or allowed - count < left then left = allowed - count end
end
local life = grows and 86400 or math.ceil(seconds)
for number, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, member)
  redis.call('EXPIRE', key, life)
  if grows and redis.call('ZCARD', key) >= tonumber(ARGV[4 + number]) then
    redis.call('INCR', key .. ':reached')
    redis.call('EXPIRE', key .. ':reached', life)
  end
end
return {left - 1, 0}
"""

T = TypeVar("T")


class SharedThrottle:
    """Counts attempts in Valkey. Names of people are hashed with the installation's key before they leave."""

    def __init__(self, url: str, secret: str, *, clock: Callable[[], float] | None = None) -> None:
        pool = BlockingConnectionPool.from_url(
            url, max_connections=20, timeout=_SECONDS, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
        )
        self._valkey = Valkey.from_pool(pool)
        self._hit = self._valkey.register_script(_HIT)
        self._secret = secret.encode()[:64]
        self._clock = clock
        self._own = Throttle()
        self._away_until = 0.0

    async def hit(self, limit: Limit, *who: str) -> int:
        """Count one attempt; returns how many are left. Raises RateLimited."""
        if not limit.is_shared:
            return await self._own.hit(limit, *who)
        rungs = list(ladder(who))
        now = self._clock() if self._clock else ""
        settings = (now, limit.seconds, int(limit.grows), uuid4().hex)
        allowed = [limit.attempts * times for _, times in rungs]
        keys = [self._key(limit.name, rung) for rung, _ in rungs]
        answer = await self._ask(lambda: self._hit(keys=keys, args=[*settings, *allowed]))
        if answer is None:
            return await self._own.hit(limit, *who)
        left, wait = cast(Sequence[int], answer)
        if left < 0:
            raise RateLimited(wait)
        return left

    async def undo(self, limit: Limit, *who: str) -> None:
        """Take one attempt back: it was a success, and only failures are to count."""
        await self._own.undo(limit, *who)
        for rung, _ in ladder(who):
            key = self._key(limit.name, rung)
            await self._ask(lambda key=key: self._valkey.zpopmax(key))  # type: ignore[misc]

    async def forget(self, limit: Limit, *who: str) -> None:
        """Reset a counter, after a successful sign-in."""
        await self._own.forget(limit, *who)
        names = [self._key(limit.name, rung) for rung, _ in ladder(who)]
        await self._ask(lambda: self._valkey.delete(*names, *(f"{name}:reached" for name in names)))

    async def remember(self, *who: str) -> None:
        """Somebody proved who they are here; guesses from elsewhere do not shut them out."""
        await self._own.remember(*who)
        await self._ask(lambda: self._valkey.set(self._key("known", who), 1, ex=_KNOWN_FOR))

    async def knows(self, *who: str) -> bool:
        """Whether they were remembered."""
        if await self._own.knows(*who):
            return True
        return bool(await self._ask(lambda: self._valkey.exists(self._key("known", who))))

    async def answers(self) -> bool:
        """Whether Valkey counts at the moment."""
        return await self._ask(self._valkey.ping) is not None

    async def close(self) -> None:
        """Close the connections."""
        await self._valkey.aclose()

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """The answer; None while Valkey is away, and for a moment after."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return await question()
        except (ValkeyError, OSError) as error:
            self._away_until = time.monotonic() + _PAUSE
            logger.warning("Valkey does not answer, so this process counts limits for itself: %r", error)
            return None

    def _key(self, name: str, who: tuple[str, ...]) -> str:
        digest = blake2b("\0".join(who).encode(), key=self._secret, digest_size=16)
        return f"coursewright:{name}:{digest.hexdigest()}"
