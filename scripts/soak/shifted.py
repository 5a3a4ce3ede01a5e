"""The service or the worker, with a clock that a file moves while it runs."""

import argparse
import asyncio
import contextlib
import signal
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn

from dynamic_api.app import create_app, create_service
from dynamic_api.core.clock import utc_now
from dynamic_api.core.outages import wait_out
from dynamic_api.core.read_settings import load_settings
from dynamic_api.gateways import open_gateways
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.regular import schedule_regular_jobs
from dynamic_api.jobs.worker import work
from dynamic_api.web.logs import log_to_stderr
from dynamic_api.web.protocol import LimitedProtocol


@dataclass(frozen=True)
class ShiftedClock:
    """The time, and as many seconds as the file says."""

    path: Path

    def __call__(self) -> datetime:
        """Now, for this process."""
        try:
            return utc_now() + timedelta(seconds=float(self.path.read_text() or 0))
        except (OSError, ValueError):
            return utc_now()


async def _work(clock: ShiftedClock) -> None:
    settings = load_settings()
    service = create_service(settings, open_gateways(settings), clock=clock)
    try:
        await wait_out(service.catalog.start)
        await wait_out(lambda: schedule_regular_jobs(service))
        running = asyncio.create_task(work(service, HANDLERS))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        await service.close()


def main() -> None:
    """`serve` with a port, or `work`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["serve", "work"])
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--port", type=int)
    options = parser.parse_args()
    log_to_stderr()
    clock = ShiftedClock(options.clock)
    if options.what == "work":
        asyncio.run(_work(clock))
        return
    settings = load_settings()
    uvicorn.run(
        create_app(settings, open_gateways(settings), clock=clock),
        port=options.port,
        http=LimitedProtocol,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
