"""What was looked at, and what came of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

import httpx

# A connection for each question: servers may close one after a refusal, which is what some questions are.
ONE_EACH = httpx.Limits(max_keepalive_connections=0)


class State(StrEnum):
    """`skipped` is what could not be asked, and why; it is no failure."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One thing. `says` is what was found; `remedy` what to do about a failure."""

    name: str
    state: State
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = {State.PASSED: "✓", State.FAILED: "✗", State.SKIPPED: "–"}[self.state]
        return f"{mark} {self.name}: {self.says}" + (f"\n    {self.remedy}" if self.remedy else "")


def passed(name: str, says: str) -> Finding:
    """It works."""
    return Finding(name, State.PASSED, says)


def failed(name: str, says: str, remedy: str) -> Finding:
    """It does not."""
    return Finding(name, State.FAILED, says, remedy)


def skipped(name: str, why: str) -> Finding:
    """Nobody knows."""
    return Finding(name, State.SKIPPED, why)


async def guarded(name: str, findings: AsyncIterator[Finding]) -> AsyncIterator[Finding]:
    """The findings; a connection that is lost in between is one more, and no traceback."""
    try:
        async for finding in findings:
            yield finding
    except httpx.HTTPError as error:
        yield failed(name, f"the connection was lost: {error or type(error).__name__}", "Run the command again.")
