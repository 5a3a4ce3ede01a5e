"""Spreads work over the processors, where the work is large enough to be worth it."""

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], *, is_large: bool) -> list[Result]:
    """What `work` gives for the items, in one part for each processor; together the parts are all items.

    A part is done in a copy of this process, so it sees what is here, and changes nothing. Its result and its
    exceptions come back pickled. A copy that dies, as for want of memory, has its part done here. Where a process
    cannot be copied safely, or the work is small, there is one part.
    """
    parts = min(_processors(), len(items)) if is_large else 1
    if parts < 2:
        return [work(items)]
    children: list[tuple[int, int]] = []
    try:
        for number in range(1, parts):
            children.append(_start(work, items[number::parts], [pipe for _, pipe in children]))
        results = [work(items[0::parts])]
        for number, (_, pipe) in enumerate(children, 1):
            try:
                with os.fdopen(pipe, "rb", closefd=False) as file:
                    result, error = pickle.load(file)  # noqa: S301 - from our own copy
            except (EOFError, pickle.UnpicklingError):
                result, error = work(items[number::parts]), None
            if error is not None:
                raise error
            results.append(result)
        return results
    finally:
        for child, pipe in children:
            os.close(pipe)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _processors() -> int:
    """How many may work at once; one where this process has threads, whose locks a copy would inherit."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


def _start(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], others: Sequence[int]) -> tuple[int, int]:
    """A copy of this process that does the work; its number, and the pipe that its result comes through."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    for pipe in (*others, reading):
        os.close(pipe)  # else a copy waits for ever to be read, when the first process was killed
    _answer(work, items, writing)


def _answer(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], pipe: int) -> NoReturn:
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is told once, by the first process
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            answer: tuple[Result | None, Exception | None] = (work(items), None)
        except Exception as error:
            answer = (None, error)
        with os.fdopen(pipe, "wb") as file:
            pickle.dump(answer, file, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)
