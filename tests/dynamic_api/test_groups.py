"""Writing in groups: what waits is answered, whatever happens to the group before."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from dynamic_api.core.groups import MOST, Groups
from tests.gates import Gate


class Store:
    """Doubles numbers, slowly; fails when it is told to."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.groups: list[list[int]] = []
        self.fails = False
        self.forgets = -1

    async def write(self, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        await self.gate.passed()
        if self.fails:
            self.fails = False
            raise OSError("disk full")
        return [item * 2 for item in items if item != self.forgets]


async def test_what_arrives_during_a_write_is_the_next_group() -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    store.gate.close()
    first = asyncio.create_task(groups.add(1))
    await store.gate.reached()
    others = [asyncio.create_task(groups.add(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    store.gate.open()
    assert [await first, *[await other for other in others]] == [2, 4, 6, 8]
    assert store.groups == [[1], [2, 3, 4]]


async def test_a_group_that_fails_is_told_to_everybody_in_it_and_the_next_is_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    store.fails = True
    answers = await asyncio.gather(groups.add(1), groups.add(2), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["disk full", "disk full"]
    assert caplog.messages == ["a group could not be written: OSError('disk full')"]
    assert await groups.add(3) == 6


async def test_whoever_goes_away_takes_nobody_along() -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    store.gate.close()
    leaving, staying = asyncio.create_task(groups.add(1)), asyncio.create_task(groups.add(2))
    await store.gate.reached()
    leaving.cancel()
    store.gate.open()
    assert await staying == 4
    with pytest.raises(asyncio.CancelledError):
        await leaving
    store.fails = True
    store.gate.close()
    leaving, staying = asyncio.create_task(groups.add(3)), asyncio.create_task(groups.add(4))
    await store.gate.reached()
    leaving.cancel()
    store.gate.open()
    with pytest.raises(OSError, match="disk full"):
        await staying


async def test_notes_are_written_though_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    groups.note(7)
    await groups.flush()
    assert store.groups == [[7]]
    await groups.flush()
    caplog.set_level(logging.WARNING)
    store.fails = True
    groups.note(8)
    await groups.flush()
    assert "disk full" in caplog.text


async def test_a_write_that_forgets_an_answer_leaves_nobody_waiting() -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    store.forgets = 2
    answers = await asyncio.gather(groups.add(1), groups.add(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError]


async def test_a_group_waits_for_one_iteration_of_the_loop_and_no_longer() -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    answers = [asyncio.create_task(groups.add(number)) for number in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    assert store.groups == [[0, 1, 2]]
    await asyncio.gather(*answers)


async def test_a_group_has_an_end() -> None:
    store = Store()
    groups: Groups[int, int] = Groups(store.write)
    answers = await asyncio.gather(*(groups.add(number) for number in range(MOST + 50)))
    assert answers == [number * 2 for number in range(MOST + 50)]
    assert [len(group) for group in store.groups] == [MOST, 50]
