"""Lessons and courses with a date: hidden until then, in the service by its clock."""

from datetime import timedelta

from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.school import SOURDOUGH, School

LATER = "four-numbers"


def with_dates(catalog: Catalog, school: School) -> Catalog:
    """One lesson is published in an hour, one course in a day."""
    now = school.clock()
    courses = []
    for course in catalog.courses:
        modules = tuple(
            module.model_copy(
                update={
                    "lessons": tuple(
                        lesson.model_copy(update={"publish_at": now + timedelta(hours=1)})
                        if lesson.slug == LATER
                        else lesson
                        for lesson in module.lessons
                    )
                }
            )
            for module in course.modules
        )
        due = {"publish_at": now + timedelta(days=1)} if course.slug == "git-for-writers" else {}
        courses.append(course.model_copy(update={"modules": modules, **due}))
    return catalog.model_copy(update={"courses": tuple(courses)})


async def test_what_is_due_appears_without_a_new_manifest(school: School, catalog: Catalog) -> None:
    write_manifest(compile_manifest(with_dates(catalog, school)), school.service.settings.manifest)
    source = school.service.catalog
    await source.refresh()
    async with school.browser() as browser:
        await school.owner(browser)
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LATER}")).status_code == 404
        assert not source.current.course("git-for-writers").is_for_sale
        school.clock.forward(minutes=59)
        assert not await source.refresh()
        school.clock.forward(minutes=1)
        assert await source.refresh()
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LATER}")).status_code == 200
        assert not source.current.course("git-for-writers").is_for_sale
        school.clock.forward(days=1)
        assert await source.refresh()
        assert source.current.course("git-for-writers").is_for_sale
        assert not await source.refresh()


async def test_dates_are_told_in_their_order(school: School, catalog: Catalog) -> None:
    dated = with_dates(catalog, school)
    assert [what for _, what in dated.dates()] == [
        "lesson sourdough-four-numbers of sourdough",
        "course git-for-writers",
    ]
    assert dated.at(school.clock() + timedelta(days=2)) is dated
    assert catalog.at(school.clock()) is catalog
