"""Work that is spread over processors gives what it gives in one process, whatever happens to a part."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A program of its own: the process of the tests has threads, and is never copied.
_PROGRAM = """
import os, signal, sitegen.parallel as parallel
parallel._processors = lambda: 3
first = os.getpid()

def work(part):
    if os.getpid() != first and 2 in part:
        {event}
    return sum(part), os.getpid() == first

try:
    results = parallel.spread(work, range(1, 8), is_large=True)
except ValueError as error:
    print(error)
else:
    print(sum(total for total, _ in results), [here for _, here in results])
"""


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("pass", "28 [True, False, False]"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "28 [True, True, False]"),
        ("raise ValueError('a part is wrong')", "a part is wrong"),
    ],
)
def test_every_part_is_done_once(event: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(event=event)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (said, "")


_LARGE = """
import os, time, sitegen.parallel as parallel
parallel._processors = lambda: 3
first = os.getpid()

def work(part):
    if os.getpid() == first:
        print("begun", flush=True)
        time.sleep(60)
    return b"x" * 1_000_000  # more than a pipe holds

parallel.spread(work, range(3), is_large=True)
"""


def test_copies_end_with_a_process_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _LARGE], cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        copies = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(copies) == 2
        process.kill()
        deadline = time.monotonic() + 20
        while any(_runs(copy) for copy in copies):
            assert time.monotonic() < deadline, "a copy waits to be read"
            time.sleep(0.01)


def _runs(copy: str) -> bool:
    try:
        return Path(f"/proc/{copy}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
