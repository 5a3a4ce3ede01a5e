"""The time, passed in as a function so that tests can move it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import overload

Clock = Callable[[], datetime]

SLACK = timedelta(minutes=1)  # how far the clocks of two machines may differ


def utc_now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


@overload
def timestamp(moment: datetime) -> str: ...
@overload
def timestamp(moment: None) -> None: ...
@overload
def timestamp(moment: datetime | None) -> str | None: ...
def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 with offset and whole seconds, as the API writes every moment."""
    return None if moment is None else _formatted(moment)


@lru_cache(maxsize=1024)  # one answer often contains the same moment three times
def _formatted(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
