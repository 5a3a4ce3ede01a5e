"""A worker of `serve --workers` ends with the process that started it, also where that was killed.

It would go on answering on the old port otherwise, with the code of yesterday.
"""

import asyncio
import os
import signal

PARENT = "_COURSEWRIGHT_SERVE"  # the number of that process, for its workers alone
_EVERY = 1.0  # seconds


def announce_parent() -> None:
    """This process is going to start workers."""
    os.environ[PARENT] = str(os.getpid())


async def end_with_parent() -> None:
    """Wait until this process has another parent, and end it; returns at once where nothing started it as a worker."""
    parent = int(os.environ.get(PARENT, "0"))
    if not parent or os.getpid() == parent:
        return
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing else tells
        await asyncio.sleep(_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
