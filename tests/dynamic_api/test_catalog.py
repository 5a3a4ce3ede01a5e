"""The catalogue and its ids, over rebuilds."""

from datetime import timedelta

import pytest

from dynamic_api.catalog.source import CatalogSource
from dynamic_api.catalog.sync import sync_catalog
from dynamic_api.core.models import Course, Lesson, Progress
from sitegen.catalog.manifest import Manifest, ManifestRefused, compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from sitegen.catalog.model import Course as CourseFile
from tests.school import LESSON, SOURDOUGH, School

pytestmark = pytest.mark.postgresql


def changed(catalog: Catalog, **values: object) -> Catalog:
    """The sample, with the sourdough course changed."""
    courses = tuple(
        course.model_copy(update=values) if course.id == SOURDOUGH else course for course in catalog.courses
    )
    return catalog.model_copy(update={"courses": courses})


async def test_ids_outlive_renames_reordering_and_absence(school: School, catalog: Catalog, manifest: Manifest) -> None:
    before = {lesson.definition.id: lesson.id for lesson in school.service.catalog.current.course(SOURDOUGH).lessons}
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    reversed_modules = tuple(
        module.model_copy(
            update={
                "lessons": tuple(
                    lesson.model_copy(update={"slug": f"{lesson.slug}-2"}) for lesson in reversed(module.lessons)
                )
            }
        )
        for module in reversed(original.modules)
    )
    renamed = changed(catalog, slug="bread", title="Bread", modules=reversed_modules)
    async with school.service.database.transaction() as db:
        live = await sync_catalog(db, compile_manifest(renamed), at=school.clock())
    assert {lesson.definition.id: lesson.id for lesson in live.course("bread").lessons} == before

    without = changed(catalog, modules=original.modules[1:])
    async with school.service.database.transaction() as db:
        await sync_catalog(db, compile_manifest(without), at=school.clock())
    gone = {row.key for row in await school.rows(Lesson) if row.archived_at}
    assert gone == {lesson.id for lesson in original.modules[0].lessons}
    async with school.service.database.transaction() as db:
        live = await sync_catalog(db, manifest, at=school.clock(), allow_older=True)
    assert {lesson.definition.id: lesson.id for lesson in live.course(SOURDOUGH).lessons} == before
    assert not any(row.archived_at for row in await school.rows(Lesson))


async def test_updated_at_moves_only_with_the_content(school: School, catalog: Catalog) -> None:
    async with school.service.database.transaction() as db:
        await sync_catalog(db, compile_manifest(changed(catalog, title="Loaves")), at=school.clock())
    first = {row.key: row.updated_at for row in await school.rows(Course)}
    school.clock.forward(days=1)
    async with school.service.database.transaction() as db:
        await sync_catalog(db, compile_manifest(changed(catalog, title="Bread")), at=school.clock())
    second = {row.key: row.updated_at for row in await school.rows(Course)}
    assert second[SOURDOUGH] - first[SOURDOUGH] == timedelta(days=1)
    assert all(second[key] == first[key] for key in first if key != SOURDOUGH)


async def test_a_running_service_takes_up_a_rebuild(school: School, catalog: Catalog) -> None:
    source = school.service.catalog
    assert not await source.refresh()
    write_manifest(compile_manifest(changed(catalog, title="Bread")), school.service.settings.manifest)
    assert await source.refresh()
    assert source.current.course(SOURDOUGH).definition.title == "Bread"


async def test_progress_stays_with_a_lesson_that_moves(school: School, catalog: Catalog) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 100})
        original = next(course for course in catalog.courses if course.id == SOURDOUGH)
        write_manifest(compile_manifest(_moved(catalog, original)), school.service.settings.manifest)
        await school.service.catalog.refresh()
        lesson = (await browser.get(f"/api/learn/{SOURDOUGH}/moved")).json()
        assert lesson["progress"]["playback_position_seconds"] == 100
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 404
    assert len(await school.rows(Progress)) == 1


def _moved(catalog: Catalog, original: CourseFile) -> Catalog:
    first, second, *others = original.modules
    lesson = first.lessons[0].model_copy(update={"slug": "moved"})
    modules = (
        first.model_copy(update={"lessons": first.lessons[1:]}),
        second.model_copy(update={"lessons": (*second.lessons, lesson)}),
        *others,
    )
    return changed(catalog, modules=modules)


async def test_a_course_that_became_shorter_completes_nobody(school: School, catalog: Catalog) -> None:
    """A file may be edited back; a completion is never taken back."""
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    async with school.browser() as browser:
        await school.owner(browser)
        first = original.modules[0]
        for lesson in first.lessons:
            await browser.put(f"/api/learn/{SOURDOUGH}/{lesson.slug}/completion")
        write_manifest(
            compile_manifest(changed(catalog, modules=original.modules[:1])), school.service.settings.manifest
        )
        await school.service.catalog.refresh()
        [shown] = (await browser.get("/api/library")).json()["courses"]
        assert shown["progress"]["percent_complete"] == 100
        assert shown["completed_at"] is None


async def test_a_draft_is_new_on_the_day_it_is_published(school: School, catalog: Catalog) -> None:
    original = next(course for course in catalog.courses if course.id == SOURDOUGH)
    module = original.modules[0]

    async def publish(*, published: bool) -> None:
        extra = module.lessons[0].model_copy(
            update={"id": "coming", "slug": "coming", "title": "Coming", "published": published}
        )
        longer = module.model_copy(update={"lessons": (*module.lessons, extra)})
        made = changed(catalog, modules=(longer, *original.modules[1:]))
        write_manifest(compile_manifest(made), school.service.settings.manifest)
        await school.service.catalog.refresh()

    await publish(published=False)
    async with school.browser() as browser:
        school.clock.forward(days=1)
        await school.owner(browser)
        await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")
        school.clock.forward(days=1)
        await publish(published=True)
        [shown] = (await browser.get("/api/library")).json()["courses"]
        assert shown["new_lessons"] == ["Coming"]


async def test_videos_at_stream_need_its_settings(school: School) -> None:
    settings, used = school.service.settings, school.service.catalog.current.version
    source = CatalogSource(settings.manifest, school.service.database, school.clock, has_stream=False)
    with pytest.raises(ManifestRefused, match=r"at Cloudflare Stream, and COURSEWRIGHT_STREAM_BASE_URL"):
        await source.refresh()
    assert source.problem is not None
    assert await source.look()
    assert source.current.version == used
