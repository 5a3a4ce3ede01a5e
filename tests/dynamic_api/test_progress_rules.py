"""The rules of progress, over any history of heartbeats."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_api.progress.rules import Heartbeat, ProgressRow, advance, complete, mark_incomplete, view

START = datetime(2026, 11, 1, tzinfo=UTC)
DURATION, THRESHOLD = 1600, 90


def opened() -> ProgressRow:
    return ProgressRow.begun(START)


def report(
    row: ProgressRow,
    position: int,
    *,
    second: int = 1,
    duration: int | None = DURATION,
    own_duration: int | None = None,
    completed: bool = False,
    age: int = 0,
) -> None:
    """A player reports its position, `second` seconds after the lesson was first opened."""
    heartbeat = Heartbeat(position, own_duration, completed, age)
    advance(row, heartbeat, duration=duration, threshold=THRESHOLD, now=START + timedelta(seconds=second))


def at(position: int) -> ProgressRow:
    """A lesson that was watched up to there."""
    row = opened()
    report(row, position)
    return row


def test_a_lesson_completes_at_the_threshold_and_not_before() -> None:
    row = opened()
    report(row, 1439)
    assert (row.status, row.percent, row.completed_at) == ("in_progress", 89, None)
    report(row, 1440, second=2)
    assert (row.status, row.percent, row.completed_at) == ("completed", 100, START + timedelta(seconds=2))


def test_a_players_duration_counts_only_where_the_course_file_has_none() -> None:
    row = opened()
    report(row, 1, own_duration=1)
    assert (row.status, row.percent, row.duration_seconds) == ("in_progress", 0, DURATION)
    unknown = opened()
    report(unknown, 40, duration=None, own_duration=100)
    assert (unknown.percent, unknown.duration_seconds) == (40, 100)
    report(unknown, 95, duration=None)  # it is remembered
    assert unknown.status == "completed"


def test_without_any_duration_only_the_player_itself_completes_a_lesson() -> None:
    row = opened()
    report(row, 5000, duration=None)
    assert (row.position_seconds, row.percent, row.status) == (5000, 0, "in_progress")
    report(row, 5001, duration=None, completed=True)
    assert (row.percent, row.status) == (100, "completed")


@pytest.mark.parametrize(
    ("stored", "reported", "becomes"),
    [
        (1200, 1215, 1215),  # watched on
        (1200, 1180, 1180),  # went back a little
        (1200, 180, 180),  # went back to minute three
        (1200, 60, 60),
        (1200, 59, 1200),  # the app starts at 0 by itself, and may have played for a moment
        (1200, 4, 1200),
        (1200, 0, 1200),
        (20, 30, 30),  # forward
        (20, 20, 20),
        (30, 20, 30),
        (0, 0, 0),
    ],
)
def test_the_position_follows_except_to_the_first_minute(stored: int, reported: int, becomes: int) -> None:
    row = at(stored)
    report(row, reported, second=5)
    assert row.position_seconds == becomes


def test_whoever_really_starts_over_is_followed_after_a_minute() -> None:
    row = at(1200)
    for second, position in ((10, 0), (25, 15), (40, 30), (55, 45)):
        report(row, position, second=second)
        assert row.position_seconds == 1200
    report(row, 60, second=70)
    assert row.position_seconds == 60
    assert row.percent == 75


def test_the_phones_first_zero_after_the_laptops_last_report() -> None:
    """The lesson is opened on the phone, the laptop reports a last time, and then the phone for the first time."""
    row = at(200)
    view(row, now=START + timedelta(seconds=100))
    report(row, 215, second=105)
    report(row, 0, second=115)
    assert row.position_seconds == 215


def test_the_position_runs_a_minute_past_the_end_at_most() -> None:
    row = opened()
    report(row, DURATION + 30)
    assert row.position_seconds == DURATION + 30
    report(row, 4 * DURATION, second=2)
    assert row.position_seconds == DURATION + 60


def test_a_report_that_comes_late_keeps_the_newer_position_and_still_counts() -> None:
    row = opened()
    report(row, 100, second=100)
    report(row, 800, second=101, age=60)
    assert (row.position_seconds, row.percent) == (100, 50)
    assert row.positioned_at == START + timedelta(seconds=100)
    report(row, 1500, second=110, age=60)
    assert (row.position_seconds, row.status) == (100, "completed")
    report(row, 160, second=120, age=5)
    assert row.position_seconds == 160


def test_of_two_reports_of_one_moment_the_second_is_taken() -> None:
    row = opened()
    report(row, 100, second=10)
    report(row, 200, second=10)
    assert row.position_seconds == 200


def test_when_a_lesson_was_viewed_never_goes_back() -> None:
    row = opened()
    view(row, now=START + timedelta(seconds=100))
    report(row, 10, second=101, age=60)
    view(row, now=START + timedelta(seconds=50))
    assert row.last_viewed_at == START + timedelta(seconds=100)
    report(row, 10, second=102)
    assert row.last_viewed_at == START + timedelta(seconds=102)


def test_marked_as_incomplete_at_the_end_is_not_completed_by_the_next_report() -> None:
    row = at(1580)
    mark_incomplete(row, threshold=THRESHOLD, now=START)
    assert (row.status, row.percent, row.completed_at) == ("in_progress", 89, None)
    report(row, 1595, second=2)
    assert (row.status, row.percent) == ("in_progress", 89)
    report(row, 100, second=3)
    report(row, 1595, second=4)
    assert row.status == "completed"


def test_a_player_that_just_started_does_not_complete_what_was_marked_as_incomplete() -> None:
    row = at(1580)
    mark_incomplete(row, threshold=THRESHOLD, now=START)
    report(row, 0, second=101)  # the phone opens the lesson
    report(row, 1585, second=116)
    assert row.status == "in_progress"


def test_only_before_the_threshold_counts_as_being_before_it() -> None:
    row = at(1580)
    mark_incomplete(row, threshold=THRESHOLD, now=START)
    report(row, 1440, second=2)  # exactly at the threshold
    assert (row.status, row.auto_complete, row.percent) == ("in_progress", False, 89)
    report(row, 1, second=3)  # a second into the video
    assert row.auto_complete
    report(row, 1440, second=4)
    assert row.status == "completed"


def test_every_change_has_its_moment() -> None:
    row = opened()
    assert (row.last_viewed_at, row.updated_at) == (START, START)
    report(row, 10, second=5, age=3)
    assert row.updated_at == START + timedelta(seconds=5)
    complete(row, now=START + timedelta(seconds=6))
    assert row.updated_at == START + timedelta(seconds=6)
    mark_incomplete(row, threshold=THRESHOLD, now=START + timedelta(seconds=7))
    assert row.updated_at == START + timedelta(seconds=7)


def test_what_is_not_complete_cannot_be_marked_as_incomplete() -> None:
    row = at(160)
    before = row.updated_at
    mark_incomplete(row, threshold=THRESHOLD, now=START + timedelta(days=1))
    assert (row.percent, row.auto_complete, row.updated_at) == (10, True, before)


def test_completed_by_hand_keeps_the_first_moment() -> None:
    row = opened()
    complete(row, now=START)
    complete(row, now=START + timedelta(days=1))
    assert row.completed_at == START
    mark_incomplete(row, threshold=THRESHOLD, now=START)
    complete(row, now=START + timedelta(days=2))
    assert (row.completed_at, row.percent, row.auto_complete) == (START + timedelta(days=2), 100, True)


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.integers(0, 2000)),
        st.tuples(st.just("view"), st.just(0)),
        st.tuples(st.just("complete"), st.just(0)),
    ),
    max_size=40,
)


@given(ACTS)
def test_percent_never_falls_and_completed_is_never_left(acts: list[tuple[str, int]]) -> None:
    row, percent, done = opened(), 0, False
    for second, (act, position) in enumerate(acts, start=1):
        if act == "report":
            report(row, position, second=second)
        elif act == "view":
            view(row, now=START + timedelta(seconds=second))
        else:
            complete(row, now=START + timedelta(seconds=second))
        assert row.percent >= percent
        assert row.is_completed or not done
        assert 0 <= row.percent <= 100
        assert row.position_seconds <= DURATION + 60
        percent, done = row.percent, row.is_completed


def test_a_clock_that_ran_ahead_and_was_put_right_holds_nothing_back() -> None:
    row = opened()
    report(row, 500, second=24 * 3600)  # one day ahead
    report(row, 300, second=60)
    assert row.position_seconds == 300
    assert row.last_viewed_at == START + timedelta(seconds=60)
    view(row, now=START + timedelta(seconds=90))
    assert row.last_viewed_at == START + timedelta(seconds=90)
    report(row, 400, second=120)
    report(row, 200, second=70, age=5)  # an old report is still one
    assert row.position_seconds == 400
