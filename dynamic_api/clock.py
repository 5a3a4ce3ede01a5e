"""The time, as something to be handed in: tests move it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=1024)  # one answer says the same moment three times
def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 with offset and whole seconds, as the mobile contract writes it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None
