"""Pictures inside paid texts: owners see them, on the web and on the phone, and nobody else does."""

import pytest

from sitegen.catalog.manifest import compile_manifest, private_folder, write_manifest
from sitegen.catalog.model import Catalog, PrivateFile
from tests.school import SOURDOUGH, School

LESSON = "four-numbers"
NAME = "0123456789abcdef0123456789abcdef.png"
PIXEL = b"\x89PNG picture of a jar"


@pytest.fixture
async def illustrated(school: School, catalog: Catalog) -> School:
    """A school in which the notes of one paid lesson show a picture."""
    courses = []
    for course in catalog.courses:
        modules = []
        for module in course.modules:
            lessons = [
                lesson.model_copy(
                    update={
                        "notes_html": f'<p><img src="/api/pictures/{NAME}" alt=""></p>',
                        "notes_markdown": f"![](/api/pictures/{NAME}) and [the jar](/learn/sourdough/jar/)",
                        "files": (PrivateFile(file="x.png", name=NAME),),
                    }
                )
                if lesson.slug == LESSON
                else lesson
                for lesson in module.lessons
            ]
            modules.append(module.model_copy(update={"lessons": tuple(lessons)}))
        courses.append(course.model_copy(update={"modules": tuple(modules)}))
    manifest = school.service.settings.manifest
    write_manifest(compile_manifest(catalog.model_copy(update={"courses": tuple(courses)})), manifest)
    private_folder(manifest).mkdir()
    (private_folder(manifest) / NAME).write_bytes(PIXEL)
    (private_folder(manifest) / ("f" * 32 + ".png")).write_bytes(b"of another course")
    await school.service.catalog.refresh()
    return school


def address(html: str) -> str:
    """The address of the picture, as a browser reads it."""
    return html.partition('src="')[2].partition('"')[0].replace("&amp;", "&")


async def test_an_owner_sees_the_picture_and_a_stranger_does_not(illustrated: School) -> None:
    async with illustrated.browser() as browser, illustrated.browser() as stranger:
        await illustrated.owner(browser)
        notes = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]["notes_html"]
        picture = address(notes)
        shown = await browser.get(picture)
        assert (shown.status_code, shown.content, shown.headers["content-type"]) == (200, PIXEL, "image/png")
        assert shown.headers["cache-control"] == "private, max-age=21600"
        assert (await stranger.get(picture.partition("?")[0])).status_code == 403
        assert (await stranger.get(f"/api/pictures/{NAME}")).status_code == 404
        # The address stays the same for a while, so that browsers can keep the picture.
        illustrated.clock.forward(minutes=1)
        again = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]["notes_html"]
        assert address(again).partition("&user")[2].partition("&")[0] == picture.partition("&user")[2].partition("&")[0]


async def test_the_address_ends_with_time_with_access_and_at_another_file(illustrated: School) -> None:
    async with illustrated.browser() as browser:
        owner = await illustrated.owner(browser)
        picture = address((await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]["notes_html"])
        assert (await browser.get(picture.replace(NAME, "f" * 32 + ".png"))).status_code == 403
        for query in ("", "&more=1"):
            path, _, signed = picture.partition("?")
            other = f"{path}?{signed.replace('user=', 'user=1')}{query}"
            assert (await browser.get(other)).status_code == 403
        illustrated.clock.forward(hours=5)
        assert (await browser.get(picture)).status_code == 200
        illustrated.clock.forward(hours=7)
        assert (await browser.get(picture)).status_code == 403
        again = address((await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]["notes_html"])
        assert (await browser.get(again)).status_code == 200
        illustrated.bank.refund(owner["payment_intent"], amount=None)
        await illustrated.settle()
        assert (await browser.get(again)).status_code == 403


async def test_a_picture_that_is_gone_is_not_found(illustrated: School) -> None:
    async with illustrated.browser() as browser:
        await illustrated.owner(browser)
        picture = address((await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["lesson"]["notes_html"])
        (private_folder(illustrated.service.settings.manifest) / NAME).unlink()
        assert (await browser.get(picture)).status_code == 404


async def test_the_phone_gets_addresses_that_work_anywhere(illustrated: School) -> None:
    async with illustrated.browser() as browser, illustrated.phone() as phone, illustrated.browser() as other:
        await illustrated.owner(browser)
        await illustrated.sign_in_phone(phone)
        opened = (await phone.get(f"/courses/{SOURDOUGH}/lessons/{LESSON}/playback")).json()["lesson"]["notes"]
        course = (await phone.get(f"/courses/{SOURDOUGH}")).json()["course"]
        [listed] = [
            lesson["notes"] for module in course["modules"] for lesson in module["lessons"] if lesson["slug"] == LESSON
        ]
        site = illustrated.service.settings.site_url
        for notes in (opened, listed):
            assert f"[the jar]({site}/learn/sourdough/jar/)" in notes
            picture = notes.partition("![](")[2].partition(")")[0]
            assert picture.startswith(f"{site}/api/pictures/")
            assert (await other.get(picture)).content == PIXEL
