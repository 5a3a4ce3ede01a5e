"""What `coursewright publish` asks of the installation."""

from datetime import timedelta

import pytest

from dynamic_api.commands import publishing
from dynamic_api.commands.report import CommandRefused
from dynamic_api.core.models import CatalogState, Installation
from dynamic_api.core.settings import Settings, SettingsInvalid
from sitegen.catalog.manifest import Manifest, ManifestOlder
from tests.school import GIT, LESSON, SOURDOUGH, School


async def test_people_are_counted_by_course(school: School) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 30})
        await school.settle()
    async with school.browser() as browser:
        session = await school.buy(browser, SOURDOUGH, "bob@example.com")
        await school.claim(browser, session)
        refunded = await school.buy(browser, GIT, "bob@example.com")
        school.bank.refund(refunded["payment_intent"], amount=None)
        await school.settle()
    counted = await publishing._count(school.service)
    assert counted == {"sourdough": (2, 1)}


async def test_products_have_their_present_titles_before_anybody_buys(school: School, manifest: Manifest) -> None:
    renamed = manifest.model_copy(
        update={
            "catalog": manifest.catalog.model_copy(
                update={
                    "courses": tuple(
                        course.model_copy(update={"title": f"New {course.title}"})
                        for course in manifest.catalog.courses
                    )
                }
            )
        }
    )
    for catalogue in (manifest, renamed, manifest):
        done = await publishing._prepare(school.service, catalogue)
        sold = [course for course in catalogue.catalog.published if course.price]
        assert done == len(sold)
        async with school.service.database.reading() as db:
            name = (await db.get_one(Installation, 1)).key
        for course in sold:
            product = school.bank.store.objects[f"coursewright_{name}_{course.id}"]
            assert (product["name"], product["active"]) == (course.title, True)


async def test_a_catalogue_that_the_service_would_refuse_stops_before_anything(
    school: School, manifest: Manifest
) -> None:
    older = manifest.model_copy(update={"built_at": manifest.built_at - timedelta(days=1), "committed_at": None})
    before = dict(school.bank.store.objects)
    with pytest.raises(ManifestOlder):
        await publishing._prepare(school.service, older)
    assert school.bank.store.objects == before
    states = await school.rows(CatalogState)
    assert states[0].built_at == manifest.built_at


def test_without_settings_it_is_said_and_with_refusals_nothing_is_published(
    settings: Settings, manifest: Manifest
) -> None:
    def unset() -> Settings:
        raise SettingsInvalid("COURSEWRIGHT_SITE_URL is not set")

    assert "has no settings: COURSEWRIGHT_SITE_URL is not set" in publishing.prepare(manifest, unset)
    assert publishing.count_people(unset).unknown == "COURSEWRIGHT_SITE_URL is not set"
    away = settings.model_copy(update={"stripe_api_base": "http://127.0.0.1:9"})
    with pytest.raises(CommandRefused, match="Nothing was published"):
        publishing.prepare(manifest, lambda: away)
