"""A video without Cloudflare, in a real Chromium: a preview and a paid lesson play, resume, and show captions."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.installation import Installation
from tests.browser.steps import buy_and_claim
from tests.commands import QuickInstallation
from tests.conftest import ROOT
from tests.ports import free_ports

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

FREE, PAID = "what-lives-in-the-jar", "four-numbers"


@pytest.fixture(scope="module")
def school_of_films(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A school that made its videos itself."""
    folder = tmp_path_factory.mktemp("films")
    school = folder / "school"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, school / name)
    film = folder / "film.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10:duration=40", "-f", "lavfi",
         "-i", "sine=frequency=330:duration=40", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-shortest", str(film)], check=True,
    )  # fmt: skip
    service, sandbox, smtp = free_ports(3)
    installation = QuickInstallation(
        folder / "var", service, sandbox, smtp, school=school, extra={"HEARTBEAT_SECONDS": "5"}
    )
    installation.folder.mkdir()
    for lesson in (FREE, PAID):
        drop_chapters(school / "course_data/courses/sourdough/course.yaml")
        installation.ask(
            "dynamic_api.commands", "media", "transcode", film, "--lesson", f"sourdough/{lesson}", "--replace",
            "--school", school,
        )  # fmt: skip
    with installation.running():
        yield installation


def drop_chapters(path: Path) -> None:
    """Chapters of the longer video that the sample has."""
    lines, skipping = [], False
    for line in path.read_text().split("\n"):
        if line.startswith("        chapters:"):
            skipping = True
        elif skipping and not line.startswith("          "):
            skipping = False
        if not skipping:
            lines.append(line)
    path.write_text("\n".join(lines))


def wait(page: Page, condition: str) -> None:
    asked = f"() => {{ const v = document.querySelector('video'); return Boolean(v && ({condition})); }}"
    page.wait_for_function(asked, timeout=20_000)


def test_a_preview_plays_in_its_page(page: Page, school_of_films: Installation) -> None:
    page.goto(f"{school_of_films.url}/preview/sourdough/{FREE}/")
    page.locator("[data-play]").click()
    wait(page, "v.currentTime > 1 && v.videoWidth > 0")
    assert page.locator("iframe").count() == 0


def test_a_paid_lesson_plays_resumes_and_shows_captions(chromium: Browser, school_of_films: Installation) -> None:
    with chromium.new_context() as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        broken: list[str] = []
        page.on("console", lambda each: broken.append(each.text) if "Content Security" in each.text else None)
        buy_and_claim(page, school_of_films, "films@example.com")
        page.goto(f"{school_of_films.url}/learn/sourdough/{PAID}/")
        wait(page, "v.readyState >= 1 && Math.abs(v.duration - 40) < 1")
        wait(page, "v.textTracks.length === 1 && v.textTracks[0].mode === 'showing' && v.textTracks[0].cues.length > 3")
        page.evaluate(
            "() => { const v = document.querySelector('video'); v.muted = true; v.currentTime = 12; v.play(); }"
        )
        wait(page, "v.currentTime > 18")
        page.evaluate("() => document.querySelector('video').pause()")
        page.wait_for_timeout(500)
        page.goto(f"{school_of_films.url}/learn/sourdough/{PAID}/")
        expect(page.locator("#resumed")).to_be_visible()
        wait(page, "v.currentTime > 15")
        assert broken == []
