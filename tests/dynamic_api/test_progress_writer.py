"""What is answered after a group was written, and what is known when it was not."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dynamic_api.progress.group import Change, Group, LessonKey
from dynamic_api.progress.rules import ProgressRow
from dynamic_api.progress.writer import ProgressWriter

NOW = datetime(2026, 12, 1, tzinfo=UTC)
KEY, OTHER = LessonKey(1, 2, 3), LessonKey(1, 2, 4)


class Store:
    """Keeps nothing, and fails when it is told to."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.is_away = False

    async def write(self, group: Group, change: Change) -> None:
        if self.is_away:
            raise OSError("the disk is full")
        self.groups.append(group)
        change({key: ProgressRow.begun(at) for key, at in group.changes.items()})


def to(position: int) -> Callable[[ProgressRow], None]:
    def change(row: ProgressRow) -> None:
        row.position_seconds = position

    return change


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def writer(store: Store) -> ProgressWriter:
    return ProgressWriter(store, session_lifetime=timedelta(days=30))


async def test_each_request_of_a_group_is_answered_with_the_row_after_its_own_change(
    store: Store, writer: ProgressWriter
) -> None:
    requests = [writer.apply(key, to(position), now=NOW) for key, position in ((KEY, 10), (OTHER, 5), (KEY, 20))]
    rows = await asyncio.gather(*requests)
    assert [row.position_seconds for row in rows] == [10, 5, 20]
    assert len(store.groups) == 1


async def test_a_group_that_cannot_be_written_is_known_until_the_next_one_is(
    store: Store, writer: ProgressWriter
) -> None:
    assert not writer.failed
    store.is_away = True
    with pytest.raises(OSError, match="full"):
        await writer.apply(KEY, to(10), now=NOW)
    assert writer.failed
    assert writer.written_at is None
    store.is_away = False
    await writer.apply(KEY, to(20), now=NOW)
    assert not writer.failed
    assert writer.written_at == NOW


async def test_a_session_that_was_seen_stays_for_its_whole_life(store: Store, writer: ProgressWriter) -> None:
    writer.note_session("hash", NOW)
    await writer.flush()
    assert store.groups[-1].sessions == {"hash": (NOW, NOW + timedelta(days=30))}
