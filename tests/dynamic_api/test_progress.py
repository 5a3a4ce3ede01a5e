"""Progress over the web: what learners and phones see of it."""

import asyncio

import pytest

from dynamic_api.mobile_v1.routes import BASE
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.school import LATER_LESSON, LESSON, SOURDOUGH, School

pytestmark = pytest.mark.postgresql


async def test_over_the_web(school: School) -> None:
    path = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as browser:
        await school.owner(browser)
        assert (await browser.get(path)).json()["progress"]["status"] == "in_progress"
        heartbeat = {"position_seconds": 120}
        assert (await browser.post(f"{path}/progress", json=heartbeat)).json()["percent_complete"] == 30
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
    path = f"/api/learn/{SOURDOUGH}/{LESSON}/progress"
    async with school.browser() as browser:
        await school.owner(browser)
        answers = await asyncio.gather(
            *(browser.post(path, json={"position_seconds": position}) for position in range(10, 200, 10))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["progress"]["percent_complete"] == 47


async def test_several_learners_and_devices_share_one_commit(school: School) -> None:
    """Each statement is run for several rows at once, and each row gets its own values."""
    async with school.browser() as ann, school.browser() as bob, school.phone() as phone, school.phone() as tablet:
        await school.owner(ann)
        await school.owner(bob, email="bob@example.com")
        await school.sign_in_phone(phone)
        await school.sign_in_phone(tablet, "bob@example.com")
        first, second = [f"/api/learn/{SOURDOUGH}/{slug}" for slug in (LESSON, LATER_LESSON)]
        school.clock.forward(hours=1)
        await asyncio.gather(
            *(each.post(f"{path}/progress", json={"position_seconds": seconds})
              for each, path, seconds in ((ann, first, 10), (ann, second, 20), (bob, first, 30), (bob, second, 40))),
            *(each.get(f"/courses/{SOURDOUGH}/lessons/{slug}/playback")
              for each in (phone, tablet) for slug in (LESSON, LATER_LESSON)),
        )  # fmt: skip
        await school.service.progress.flush()
        starts = [(await each.get(f"{path}/playback")).json()["start_seconds"]
                  for each in (ann, bob) for path in (first, second)]  # fmt: skip
        assert starts == [10, 20, 30, 40]


async def test_a_completed_course_stays_so_when_lessons_are_added(school: School, catalog: Catalog) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        lessons = school.service.catalog.current.course(SOURDOUGH).lessons
        for lesson in lessons[:-1]:
            await browser.put(f"/api/learn/{SOURDOUGH}/{lesson.definition.slug}/completion")
        assert (await browser.get("/api/library")).json()["courses"][0]["completed_at"] is None
        last = f"{BASE}/courses/{SOURDOUGH}/lessons/{lessons[-1].definition.slug}/progress"
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


async def test_lessons_that_are_not_published_hold_up_no_completion(school: School, catalog: Catalog) -> None:
    courses = []
    for file in catalog.courses:
        if file.slug == SOURDOUGH:
            module = file.modules[0]
            hidden = module.lessons[0].model_copy(update={"id": "soon", "slug": "soon", "published": False})
            longer = module.model_copy(update={"lessons": (*module.lessons, hidden)})
            file = file.model_copy(update={"modules": (longer, *file.modules[1:])})
        courses.append(file)
    manifest = compile_manifest(catalog.model_copy(update={"courses": tuple(courses)}))
    write_manifest(manifest, school.service.settings.manifest)
    await school.service.catalog.refresh()
    async with school.browser() as browser:
        await school.owner(browser)
        for lesson in school.service.catalog.current.course(SOURDOUGH).lessons:
            await browser.put(f"/api/learn/{SOURDOUGH}/{lesson.definition.slug}/completion")
        [shown] = (await browser.get("/api/library")).json()["courses"]
        assert shown["completed_at"] is not None
        assert shown["progress"]["percent_complete"] == 100


@pytest.mark.parametrize(("position", "start"), [(100, 100), (394, 394), (395, 0), (400, 0), (450, 0)])
async def test_at_the_very_end_there_is_nothing_to_resume(school: School, position: int, start: int) -> None:
    """The lesson is 400 seconds long."""
    lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post(f"{lesson}/progress", json={"position_seconds": position})
        assert (await browser.get(f"{lesson}/playback")).json()["start_seconds"] == start
