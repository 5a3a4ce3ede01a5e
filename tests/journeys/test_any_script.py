"""Addresses in the school's own script: built, linked, bought, watched, and followed when they move."""

import re
import shutil
import unicodedata
from pathlib import Path
from urllib.parse import quote, unquote

from dynamic_api.core.settings import Settings
from sitegen.build import build_site
from sitegen.move import move_lesson
from sitegen.new import new_course, new_lesson, new_module
from sitegen.school import School as SchoolFolder
from tests.conftest import ROOT, Sandbox
from tests.journeys.test_histories import fresh_school

COURSE, LESSON, LATER, PAGE = "パン作り", "первый-хлеб", "žluťoučký-chléb", "हिन्दी"


def make_folder(folder: Path) -> SchoolFolder:
    """The sample school with such names; the course's folder is spelled as a Mac spells it."""
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, folder / name)
    decomposed = unicodedata.normalize("NFD", COURSE)
    assert decomposed != COURSE
    courses = folder / "course_data" / "courses"
    (courses / "sourdough").rename(courses / decomposed)
    (folder / "course_data" / "published.lock").unlink()
    path = courses / decomposed / "course.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("slug: four-numbers\n", f"slug: {LESSON}\n"), encoding="utf-8")
    (folder / "content" / "pages" / f"{PAGE}.md").write_text("---\ntitle: Hindi\n---\nText.\n", encoding="utf-8")
    return SchoolFolder(folder)


def test_every_link_of_the_site_leads_to_a_file_and_is_ascii(tmp_path: Path) -> None:
    school = make_folder(tmp_path)
    build_site(school)
    assert (school.output / "courses" / COURSE / "index.html").is_file()
    assert (school.output / "learn" / COURSE / LESSON / "index.html").is_file()
    assert (school.output / PAGE / "index.html").is_file()
    links = set()
    for page in school.output.rglob("*.html"):
        links |= set(re.findall(r'(?:href|action)="(/[^"#?]*)', page.read_text(encoding="utf-8")))
    assert f"/courses/{quote(COURSE)}/" in links
    for link in links:
        assert link.isascii(), link
        if not link.startswith("/api/"):
            path = school.output / unquote(link).lstrip("/")
            assert path.is_file() or (path / "index.html").is_file(), link
    assert f"/courses/{quote(COURSE)}/</loc>" in (school.output / "sitemap.xml").read_text(encoding="utf-8")


async def test_it_is_bought_watched_and_found_after_it_moved(
    settings: Settings, sandbox: Sandbox, sqlite_template: Path, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "school")
    settings = settings.model_copy(update={"manifest": folder.manifest})
    build_site(folder)
    async with (
        fresh_school(settings, sandbox, sqlite_template, tmp_path) as school,
        school.browser() as browser,
        school.phone() as phone,
    ):
        await school.owner(browser, COURSE)
        answer = await browser.get(f"/api/learn/{quote(COURSE)}/{quote(LESSON)}")
        assert answer.status_code == 200, answer.text
        await school.sign_in_phone(phone)
        watched = await phone.get(f"/courses/{COURSE}/lessons/{LESSON}/playback")
        assert watched.status_code == 200
        assert watched.json()["lesson"]["slug"] == LESSON

        move_lesson(folder, unicodedata.normalize("NFD", COURSE), LESSON, LATER)
        build_site(folder)
        await school.service.catalog.refresh()
        old = await browser.get(f"/learn/{quote(COURSE)}/{quote(LESSON)}/")
        assert (old.status_code, old.headers["location"]) == (308, f"/learn/{quote(COURSE)}/{quote(LATER)}/")
        moved = await phone.get(f"/courses/{COURSE}/lessons/{LESSON}/playback")
        assert moved.status_code == 308
        assert moved.headers["location"].endswith(f"/courses/{quote(COURSE)}/lessons/{quote(LATER)}/playback")


def test_new_parts_in_any_script_are_valid_at_once(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    new_course(folder, "الخبز", "خبز")
    new_module(folder, "الخبز", "第二", "二")
    new_lesson(folder, "الخبز", "третий", "Три")
    build_site(folder)
