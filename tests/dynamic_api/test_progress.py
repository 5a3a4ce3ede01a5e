"""The rules of progress, over any history of beats."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_api.fast_lane.progress_store import ProgressRow
from dynamic_api.learning.progress import Beat, advance, complete, undo_completion
from dynamic_api.mobile_v1.routes import BASE
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.school import LATER_LESSON, LESSON, SOURDOUGH, School

START = datetime(2026, 11, 1, tzinfo=UTC)
DURATION, THRESHOLD = 400, 90


def opened() -> ProgressRow:
    return ProgressRow.begun(START)


def beat(
    progress: ProgressRow, position: int, *, second: int = 1, duration: int | None = DURATION, **more: object
) -> None:
    given = Beat(position, **more)  # type: ignore[arg-type]
    advance(progress, given, duration=duration, threshold=THRESHOLD, now=START + timedelta(seconds=second))


def test_completes_at_the_threshold_and_not_before() -> None:
    progress = opened()
    beat(progress, 359)
    assert (progress.status, progress.percent) == ("in_progress", 89)
    beat(progress, 360)
    assert (progress.status, progress.percent) == ("completed", 100)


def test_a_clients_duration_is_only_a_hint() -> None:
    progress = opened()
    beat(progress, 1, duration_seconds=1)
    assert (progress.status, progress.percent, progress.duration_seconds) == ("in_progress", 0, DURATION)
    unknown = opened()
    beat(unknown, 95, duration=None, duration_seconds=100)
    assert unknown.status == "completed"


def test_the_first_zero_after_opening_keeps_the_position() -> None:
    progress = opened()
    beat(progress, 200, second=1)
    progress.opened_at = START + timedelta(seconds=100)
    beat(progress, 0, second=101)
    assert progress.position_seconds == 200
    beat(progress, 0, second=116)  # still paused
    assert progress.position_seconds == 200
    beat(progress, 15, second=131)
    beat(progress, 0, second=170)  # it has played: the learner went back to the start
    assert progress.position_seconds == 0
    assert progress.percent == 50


def test_the_phones_first_zero_meets_the_laptops_last_beat() -> None:
    """Opened on the phone, then the laptop's lid is closed at 215, then the phone's first beat."""
    progress = opened()
    progress.opened_at = START + timedelta(seconds=100)
    beat(progress, 215, second=105)
    beat(progress, 0, second=115)
    assert progress.position_seconds == 215


def test_a_beat_that_means_nothing_does_not_complete_what_was_undone() -> None:
    progress = opened()
    beat(progress, 395)
    undo_completion(progress, threshold=THRESHOLD, now=START)
    progress.opened_at = START + timedelta(seconds=100)
    beat(progress, 0, second=101)  # the phone opens the lesson
    beat(progress, 396, second=116)
    assert progress.status == "in_progress"


def test_position_may_overshoot_a_little() -> None:
    progress = opened()
    beat(progress, 430)
    assert progress.position_seconds == 430
    beat(progress, 4000, second=2)
    assert progress.position_seconds == 460


def test_undone_at_the_end_is_not_completed_by_the_next_beat() -> None:
    progress = opened()
    beat(progress, 395)
    undo_completion(progress, threshold=THRESHOLD, now=START)
    assert (progress.status, progress.percent) == ("in_progress", 89)
    beat(progress, 398, second=2)
    assert (progress.status, progress.percent) == ("in_progress", 89)
    beat(progress, 10, second=3)
    beat(progress, 398, second=4)
    assert progress.status == "completed"


def test_a_beat_that_comes_late_keeps_the_newer_position_and_still_counts() -> None:
    progress = opened()
    beat(progress, 50, second=100)
    beat(progress, 300, second=101, age_seconds=60)
    assert (progress.position_seconds, progress.percent) == (50, 75)
    assert progress.beaten_at == START + timedelta(seconds=100)
    beat(progress, 380, second=110, age_seconds=60)
    assert (progress.position_seconds, progress.status) == (50, "completed")
    beat(progress, 60, second=120, age_seconds=5)
    assert progress.position_seconds == 60


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("beat"), st.integers(0, 500)),
        st.tuples(st.just("open"), st.just(0)),
        st.tuples(st.just("complete"), st.just(0)),
    ),
    max_size=40,
)


@given(ACTS)
def test_percent_never_falls_and_completed_is_never_left(acts: list[tuple[str, int]]) -> None:
    progress, percent, done = opened(), 0, False
    for second, (act, position) in enumerate(acts, start=1):
        if act == "beat":
            beat(progress, position, second=second)
        elif act == "open":
            progress.opened_at = START + timedelta(seconds=second)
        else:
            complete(progress, now=START + timedelta(seconds=second))
        assert progress.percent >= percent
        assert progress.status == "completed" or not done
        assert 0 <= progress.percent <= 100
        assert progress.position_seconds <= DURATION + 60
        percent, done = progress.percent, progress.status == "completed"


async def test_over_the_web(school: School) -> None:
    path = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as browser:
        await school.owner(browser)
        assert (await browser.get(path)).json()["progress"]["status"] == "in_progress"
        beat = {"position_seconds": 120}
        assert (await browser.post(f"{path}/progress", json=beat)).json()["percent_complete"] == 30
        assert (await browser.get(f"{path}/playback")).json()["start_seconds"] == 120
        assert (await browser.put(f"{path}/completion")).json()["status"] == "completed"
        shelf = (await browser.get("/api/library")).json()["courses"][0]
        assert shelf["progress"]["completed_lessons"] == 1
        assert shelf["continue"]["url"].endswith(f"/{LATER_LESSON}/")
        assert (await browser.delete(f"{path}/completion")).json()["percent_complete"] == 89


@pytest.mark.parametrize(
    "body", [{}, {"position_seconds": -1}, {"position_seconds": "x"}, {"position_seconds": 5, "duration_seconds": 0}]
)
async def test_odd_beats_are_refused_by_field(school: School, body: dict[str, object]) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        answer = await browser.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json=body)
        assert answer.status_code == 422
        assert set(answer.json()["error"]["details"]) <= {"position_seconds", "duration_seconds"}


async def test_beats_of_two_devices_at_once_do_not_fail(school: School) -> None:
    import asyncio

    path = f"/api/learn/{SOURDOUGH}/{LESSON}/progress"
    async with school.browser() as browser:
        await school.owner(browser)
        answers = await asyncio.gather(
            *(browser.post(path, json={"position_seconds": position}) for position in range(10, 200, 10))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["progress"]["percent_complete"] == 47


async def test_a_completed_course_stays_so_when_lessons_are_added(school: School, catalog: Catalog) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        lessons = school.service.catalog.current.course(SOURDOUGH).lessons
        for lesson in lessons[:-1]:
            await browser.put(f"/api/learn/{SOURDOUGH}/{lesson.file.slug}/completion")
        assert (await browser.get("/api/library")).json()["courses"][0]["completed_at"] is None
        last = f"{BASE}/courses/{SOURDOUGH}/lessons/{lessons[-1].file.slug}/progress"
        await phone.post(f"https://school.test{last}", json={"position_seconds": 1, "is_completed": True})
        [course] = (await browser.get("/api/library")).json()["courses"]
        assert course["completed_at"] is not None
        assert course["progress"]["percent_complete"] == 100

        school.clock.forward(days=1)
        courses = []
        for file in catalog.courses:
            if file.slug == SOURDOUGH:
                module = file.modules[0]
                extra = module.lessons[0].model_copy(
                    update={"id": "brand-new", "slug": "brand-new", "title": "Brand new"}
                )
                longer = module.model_copy(update={"lessons": (*module.lessons, extra)})
                file = file.model_copy(update={"modules": (longer, *file.modules[1:])})
            courses.append(file)
        write_manifest(
            compile_manifest(catalog.model_copy(update={"courses": tuple(courses)})), school.service.settings.manifest
        )
        await school.service.catalog.refresh()
        [after] = (await browser.get("/api/library")).json()["courses"]
        assert after["completed_at"] == course["completed_at"]
        assert after["new_lessons"] == ["Brand new"]
        assert after["progress"]["completed_lessons"] == len(lessons)
        await browser.get(f"/api/learn/{SOURDOUGH}/brand-new")
        assert (await browser.get("/api/library")).json()["courses"][0]["new_lessons"] == []


async def test_receipts_are_the_buyers_and_ask_nobody(school: School, sandbox: Sandbox) -> None:
    async with school.browser() as browser, school.browser() as other:
        session = await school.owner(browser)
        await school.learner(other)
        sandbox.outage.update(status=500, left=50)
        [receipt] = (await browser.get("/api/receipts")).json()["receipts"]
        assert (receipt["order"], receipt["total_amount"]) == (session["client_reference_id"], 4900)
        assert receipt["receipt_url"].startswith("http")
        assert (await other.get("/api/receipts")).json()["receipts"] == []
        assert sandbox.outage["left"] == 50


async def test_transcripts_and_chapters_come_with_the_lesson(school: School) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        lesson = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]
        [transcript] = lesson["transcripts"]
        assert transcript["language"] == "en"
        assert set(transcript["cues"][0]) == {"start", "end", "text"}
        assert [chapter["start"] for chapter in lesson["chapters"]] == [0, 130, 285]
