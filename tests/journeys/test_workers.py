"""`serve --workers`: several processes on one port and one database lose nothing, and one that dies is replaced."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from scripts.postgresql import postgresql_server, programs
from tests.commands import QuickInstallation
from tests.journeys.test_kill import Buyer
from tests.ports import free_ports
from tests.school import LATER_LESSON, LESSON, SOURDOUGH

pytestmark = pytest.mark.slow
LESSONS = [f"/api/learn/{SOURDOUGH}/{name}" for name in (LESSON, LATER_LESSON)]


@pytest.fixture(params=["sqlite", "postgresql"])
def two_processes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A school that two processes serve."""
    service, sandbox, smtp, port = free_ports(4)
    installation = QuickInstallation(tmp_path, service, sandbox, smtp)
    with contextlib.ExitStack() as stack:
        if request.param == "postgresql":
            if programs() is None:
                pytest.skip("no PostgreSQL server on this machine")
            installation.extra["DATABASE_URL"] = stack.enter_context(postgresql_server(port)).address()
        stack.callback(installation.stop)
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service("dynamic_api.commands", "serve", "--workers", "2")
        yield installation


def children(pid: int) -> list[int]:
    """The processes that serve, of their supervisor."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def test_two_processes_serve_one_school(two_processes: Installation) -> None:
    installation = two_processes
    with httpx.Client(base_url=installation.url, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        buyer = Buyer(installation, browser, "kim@example.com", lambda: None)
        assert buyer.open_course(buyer.buy()) == [SOURDOUGH]
        cookies = browser.cookies

    def watch(address: str) -> int:
        """The last position that was acknowledged; each beat comes on a connection of its own."""
        acknowledged = 0
        for position in range(1, 26):
            answer = httpx.post(
                f"{installation.url}{address}/progress",
                json={"position_seconds": position},
                cookies=cookies,
                headers={"Sec-Fetch-Site": "same-origin"},
            )
            if answer.status_code == 200:
                acknowledged = position
        return acknowledged

    with ThreadPoolExecutor(2) as threads:
        last = list(threads.map(watch, LESSONS))
    assert last == [25] * 2
    supervisor = installation.processes["service"].pid
    serving = children(supervisor)
    assert len(serving) == 2
    counted = _beats(installation)
    assert counted == 50, "the counters of both processes are one"
    os.kill(serving[0], signal.SIGKILL)
    with httpx.Client(base_url=installation.url, cookies=cookies) as browser:
        deadline = time.monotonic() + 20
        while len(children(supervisor)) < 2 or serving[0] in children(supervisor):
            assert time.monotonic() < deadline, "nobody replaced the process that died"
            time.sleep(0.1)
        for address in LESSONS:
            assert browser.get(f"{address}/playback").json()["start_seconds"] == 25


def _beats(installation: Installation) -> int:
    """The heartbeats that were answered; each process notes its own ten times a second."""
    time.sleep(0.3)
    text = httpx.get(f"{installation.url}/metrics").text
    [line] = [each for each in text.splitlines() if 'requests_total{part="learning",status="200"}' in each]
    return round(float(line.rpartition(" ")[2]))


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    service, sandbox, smtp = free_ports(3)
    installation = QuickInstallation(tmp_path, service, sandbox, smtp)
    try:
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service("dynamic_api.commands", "serve", "--workers", "2")
        supervisor = installation.processes["service"].pid
        serving = children(supervisor)
        assert len(serving) == 2
        os.kill(supervisor, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{pid}/cmdline").exists() and b"spawn" in Path(f"/proc/{pid}/cmdline").read_bytes()
                  for pid in serving):  # fmt: skip
            assert time.monotonic() < deadline, "the workers go on without it"
            time.sleep(0.2)
    finally:
        installation.stop()
