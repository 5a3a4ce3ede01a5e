"""What was bought stays bought, whatever becomes of the course files."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from dynamic_api.core.models import AuditEntry, CourseProgress, Lesson
from dynamic_api.core.models import Course as CourseRow
from dynamic_api.health.check import check_health
from sitegen.catalog.commit import Commit
from sitegen.catalog.manifest import ManifestForeign, ManifestOlder, compile_manifest, write_manifest
from sitegen.catalog.model import Catalog, Course, Redirect
from tests.school import GIT, KNOTS, LATER_LESSON, LESSON, SOURDOUGH, School, make_school

pytestmark = pytest.mark.postgresql
WATCH = f"/api/learn/{SOURDOUGH}/{LESSON}"


def changed(catalog: Catalog, course: str = SOURDOUGH, /, **values: object) -> Catalog:
    courses = tuple(each.model_copy(update=values) if each.id == course else each for each in catalog.courses)
    return catalog.model_copy(update={"courses": courses})


def without(catalog: Catalog, *courses: str) -> Catalog:
    return catalog.model_copy(update={"courses": tuple(each for each in catalog.courses if each.id not in courses)})


async def publish(school: School, catalog: Catalog, commit: Commit | None = None) -> None:
    write_manifest(compile_manifest(catalog, commit), school.service.settings.manifest)
    await school.service.catalog.refresh()


async def assert_theirs(browser: httpx.AsyncClient, phone: httpx.AsyncClient, slug: str = SOURDOUGH) -> None:
    """Lesson, video, file, progress and library, on the web and on the phone."""
    [shelf] = [each for each in (await browser.get("/api/library")).json()["courses"] if each["slug"] == slug]
    lesson = f"/api/learn/{slug}/{LESSON}"
    shown = (await browser.get(lesson)).json()
    assert shown["lesson"]["notes_html"]
    assert (await browser.get(f"{lesson}/playback")).status_code == 200
    answer = await browser.post(f"{lesson}/progress", json={"position_seconds": 70})
    assert answer.status_code == 200
    assert (await browser.get(f"/api/resources/{shown['resources'][0]['id']}/download")).status_code == 303
    assert shelf["title"] == (await browser.get("/api/receipts")).json()["receipts"][0]["course_title"]
    on_phone = (await phone.get(f"/courses/{slug}")).json()
    assert on_phone["course"]["slug"] == slug
    assert (await phone.get(f"/courses/{slug}/lessons/{LESSON}/playback")).status_code == 200


EDITS = {
    "retired": lambda catalog: changed(catalog, status="retired"),
    "a draft again": lambda catalog: changed(catalog, status="draft"),
    "gone": lambda catalog: without(catalog, SOURDOUGH),
    "another id": lambda catalog: changed(catalog, id="bread", slug="bread"),
}


@pytest.mark.parametrize("edit", EDITS)
async def test_owners_keep_what_nobody_can_buy_any_more(school: School, catalog: Catalog, edit: str) -> None:
    async with school.browser() as owner, school.phone() as phone, school.browser() as visitor:
        await school.owner(owner)
        await school.sign_in_phone(phone)
        await owner.put(f"{WATCH}/completion")
        await publish(school, EDITS[edit](catalog))
        await assert_theirs(owner, phone)
        [shelf] = (await owner.get("/api/library")).json()["courses"]
        assert shelf["progress"]["completed_lessons"] == 1
        for form in ({"course": SOURDOUGH}, {"course": SOURDOUGH, "gift": "1", "recipient_email": "a@example.com"}):
            answer = await visitor.post("/api/checkout", data=form)
            assert answer.headers["location"] == "/courses/#not-for-sale"
        assert (await visitor.get(WATCH)).status_code == 401


async def test_a_course_of_another_id_at_the_same_address_takes_nothing_away(school: School, catalog: Catalog) -> None:
    async with school.browser() as owner, school.phone() as phone:
        await school.owner(owner)
        await school.sign_in_phone(phone)
        await publish(school, changed(catalog, id="bread"))
        [shelf] = (await owner.get("/api/library")).json()["courses"]
        assert shelf["slug"] != SOURDOUGH
        await assert_theirs(owner, phone, shelf["slug"])
        assert (await owner.get(WATCH)).status_code == 403  # the new course is another one


async def test_a_course_that_is_gone_has_a_page_that_says_its_curriculum(school: School, catalog: Catalog) -> None:
    async with school.browser() as owner:
        await school.owner(owner)
        assert "curriculum" not in (await owner.get(WATCH)).json()
        await publish(school, without(catalog, SOURDOUGH))
        [shelf] = (await owner.get("/api/library")).json()["courses"]
        assert shelf["continue"]["url"] == f"/learn/?course={SOURDOUGH}&lesson={LESSON}"
        curriculum = (await owner.get(WATCH)).json()["curriculum"]
        assert curriculum["title"] == "Sourdough, from Starter to Loaf"
        assert curriculum["modules"][0]["lessons"][1]["url"] == f"/learn/?course={SOURDOUGH}&lesson={LATER_LESSON}"
        await publish(school, catalog)
        [shelf] = (await owner.get("/api/library")).json()["courses"]
        assert shelf["continue"]["url"] == f"/learn/{SOURDOUGH}/{LESSON}/"


async def test_it_is_reported(school: School, catalog: Catalog, caplog: pytest.LogCaptureFixture) -> None:
    async with school.browser() as owner:
        await school.owner(owner)
        assert (await check_health(school.service)).status == "ok"
        await publish(school, without(catalog, SOURDOUGH))
        assert "is not in the course files; its owners keep it" in caplog.text
        health = await check_health(school.service)
        assert health.status == "degraded"
        assert "is not in the course files" in health.problems[0]
        answer = (await owner.get("/readyz")).json()
        assert answer["problems"] == list(health.problems)
        assert "problems" not in (await owner.get("/api/health")).json()
        site = catalog.site.model_copy(update={"retired": (SOURDOUGH,)})  # gone on purpose
        await publish(school, without(catalog, SOURDOUGH).model_copy(update={"site": site}))
        assert (await check_health(school.service)).status == "ok"
        assert (await owner.get(WATCH)).status_code == 200


@pytest.mark.parametrize("edit", ["retired", "gone"])
async def test_who_paid_on_an_open_page_gets_the_course(school: School, catalog: Catalog, edit: str) -> None:
    """It was offered when the page was opened."""
    async with school.browser() as buyer, school.phone() as phone:
        session = await school.begin(buyer)
        await publish(school, EDITS[edit](catalog))
        school.pay(session)
        await school.settle()
        assert school.mails("ann@example.com")[0]["subject"].endswith("Sourdough, from Starter to Loaf")
        assert (await school.claim(buyer, session)).status_code == 200
        await school.sign_in_phone(phone)
        await assert_theirs(buyer, phone)


async def test_old_addresses_lead_on(school: School, catalog: Catalog) -> None:
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    module = original.modules[0]
    renamed = module.lessons[0].model_copy(update={"slug": "jar"})
    modules = (module.model_copy(update={"lessons": (renamed, *module.lessons[1:])}), *original.modules[1:])
    moved = changed(catalog, slug="bread", modules=modules)
    redirects = tuple(
        Redirect(old=old, new=new)
        for old, new in (
            (f"/courses/{SOURDOUGH}/", "/courses/bread/"),
            (f"/learn/{SOURDOUGH}/{LESSON}/", "/learn/bread/jar/"),
            (f"/learn/bread/{LESSON}/", "/learn/bread/jar/"),
        )
    )
    async with school.browser() as owner, school.phone() as phone, school.browser() as visitor:
        await school.owner(owner)
        await school.sign_in_phone(phone)
        await publish(school, moved.model_copy(update={"redirects": redirects}))
        answer = await owner.get(f"{WATCH}?x=1")
        assert (answer.status_code, answer.headers["location"]) == (308, "/api/learn/bread/jar?x=1")
        assert (await owner.get(WATCH, follow_redirects=True)).status_code == 200
        beat = await owner.post(f"{WATCH}/progress", json={"position_seconds": 9}, follow_redirects=True)
        assert beat.status_code == 200
        on_phone = await phone.get(f"/courses/{SOURDOUGH}/lessons/{LATER_LESSON}/playback", follow_redirects=True)
        assert on_phone.url.path == f"/api/v1/mobile/courses/bread/lessons/{LATER_LESSON}/playback"
        assert on_phone.status_code == 200
        assert (await phone.get(f"/courses/{SOURDOUGH}")).headers["location"] == "/api/v1/mobile/courses/bread"
        preview = await visitor.get(f"/api/previews/{SOURDOUGH}")
        assert preview.headers["location"] == "/api/previews/bread"
        page = await visitor.get(f"/courses/{SOURDOUGH}/")
        assert (page.status_code, page.headers["location"]) == (308, "/courses/bread/")
        session = await school.begin(visitor, SOURDOUGH)  # a page from before the move is still open
        assert (await school.order(session)).course_ids
        assert (await owner.get("/api/learn/nothing/at-all")).status_code == 404


async def test_an_older_manifest_is_refused_and_the_newer_stays(school: School, catalog: Catalog) -> None:
    service, path = school.service, school.service.settings.manifest
    older = path.read_bytes()
    async with school.browser() as owner:
        await school.owner(owner)
        await publish(school, changed(catalog, title="Bread"))
        path.write_bytes(older)
        with pytest.raises(ManifestOlder, match="--allow-older"):
            await service.catalog.refresh()
        assert service.catalog.current.course(SOURDOUGH).definition.title == "Bread"
        assert not await service.catalog.refresh()  # said once
        assert service.catalog.problem is not None
        # A restart goes on with what was used last.
        again = make_school(service.settings, school.bank, school.clock)
        await again.service.catalog.start()
        assert again.service.catalog.current.course(SOURDOUGH).definition.title == "Bread"
        assert (await owner.get(WATCH)).status_code == 200
        os.utime(path)
        assert await again.service.catalog.refresh(allow_older=True)
        assert again.service.catalog.current.course(SOURDOUGH).definition.title.startswith("Sourdough")
        await again.service.close()


async def test_the_commit_decides_before_the_build(school: School, catalog: Catalog) -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    await publish(school, changed(catalog, title="Second"), Commit("b", day))
    with pytest.raises(ManifestOlder):  # built later, from an earlier commit
        await publish(school, changed(catalog, title="First"), Commit("a", day - timedelta(days=1)))
    await publish(school, changed(catalog, title="Third"), Commit("c", day + timedelta(days=1)))
    assert school.service.catalog.current.course(SOURDOUGH).definition.title == "Third"


async def test_another_schools_manifest_is_refused(school: School, catalog: Catalog) -> None:
    foreign = without(catalog, SOURDOUGH, GIT, KNOTS)
    async with school.browser() as owner:
        await school.owner(owner)
        for each in (foreign, foreign.model_copy(update={"courses": ()})):
            with pytest.raises(ManifestForeign):
                await publish(school, each)
        assert (await owner.get(WATCH)).status_code == 200
        assert (await owner.get("/api/library")).json()["courses"]


async def test_a_school_that_sold_nothing_may_change_everything(school: School, catalog: Catalog) -> None:
    await publish(school, changed(without(catalog, GIT, KNOTS), id="other", slug="other"))
    assert school.service.catalog.current.find_course("other")


async def test_without_a_manifest_the_service_starts_from_what_it_knows(school: School) -> None:
    async with school.browser() as owner:
        await school.owner(owner)
    school.service.settings.manifest.unlink()
    again = make_school(school.service.settings, school.bank, school.clock)
    await again.service.catalog.start()
    assert again.service.catalog.current.course(SOURDOUGH).is_for_sale
    assert again.service.catalog.problem is not None
    await again.service.close()


async def test_looking_writes_nothing(school: School, catalog: Catalog, tmp_path: Path) -> None:
    """A command beside an older, newer or empty manifest leaves the tables as they are."""
    async with school.browser() as owner:
        await school.owner(owner)
    before = [(row.key, row.archived_at, row.digest) for row in await school.rows(CourseRow)]
    audited = len(await school.rows(AuditEntry))
    write_manifest(compile_manifest(without(catalog, SOURDOUGH)), school.service.settings.manifest)
    other = make_school(school.service.settings, school.bank, school.clock)
    assert await other.service.catalog.look()
    assert other.service.catalog.current.course(SOURDOUGH).is_for_sale
    await other.service.close()
    assert [(row.key, row.archived_at, row.digest) for row in await school.rows(CourseRow)] == before
    assert len(await school.rows(AuditEntry)) == audited


def shorter(original: Course, **values: object) -> dict[str, object]:
    """The course with its first module only."""
    return {"modules": original.modules[:1], **values}


async def test_a_course_that_lost_its_lessons_completes_nobody(school: School, catalog: Catalog) -> None:
    """Two seconds of a bad manifest, and a lesson completed in them, must not be a completion for ever."""
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    async with school.browser() as owner:
        await school.owner(owner)
        lessons = [lesson for lesson in original.modules[0].lessons if lesson.published]
        for lesson in lessons[:-1]:
            await owner.put(f"/api/learn/{SOURDOUGH}/{lesson.slug}/completion")
        await publish(school, changed(catalog, **shorter(original)))
        await owner.put(f"/api/learn/{SOURDOUGH}/{lessons[-1].slug}/completion")
        assert (await owner.get("/api/library")).json()["courses"][0]["completed_at"] is None
        await publish(school, catalog)
        assert [row.completed_at for row in await school.rows(CourseProgress)] == [None]


async def test_lessons_that_are_retired_hold_up_no_completion(school: School, catalog: Catalog) -> None:
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    told = tuple(lesson.id for module in original.modules[1:] for lesson in module.lessons)
    async with school.browser() as owner:
        await school.owner(owner)
        await publish(school, changed(catalog, **shorter(original, retired=told)))
        for lesson in original.modules[0].lessons:
            await owner.put(f"/api/learn/{SOURDOUGH}/{lesson.slug}/completion")
        assert (await owner.get("/api/library")).json()["courses"][0]["completed_at"] is not None
    async with school.service.database.reading() as db:
        left = await db.scalars(select(Lesson.key).where(Lesson.required, Lesson.key.in_(told)))
        assert list(left) == []
