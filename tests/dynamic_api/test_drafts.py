"""Drafts for an editor: readable with the link until it ends, and by nobody else."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dynamic_api.learning.drafts import draft_link
from sitegen.build import build_site
from sitegen.catalog.manifest import drafts_folder
from sitegen.school import School as Files
from tests.conftest import ROOT
from tests.school import School


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """The sample, with one of its published courses taken back to a draft that has a picture in its notes."""
    root = tmp_path / "files"
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, root / name)
    course = root / "course_data/courses/seven-useful-knots/course.yaml"
    course.write_text(course.read_text().replace("status: published", "status: draft"))
    lock = root / "course_data/published.lock"
    lock.write_text(
        "".join(line for line in lock.read_text().splitlines(keepends=True) if "seven-useful-knots" not in line)
    )
    notes = course.parent / "notes"
    (notes / "rope.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90"></svg>')
    bowline = notes / "bowline.md"
    bowline.write_text(bowline.read_text() + "\n![A rope](rope.svg) and [the figure eight](figure-eight.md)\n")
    posts = root / "content/posts"
    shutil.rmtree(posts)
    return Files(root)


async def test_an_editor_reads_a_draft_without_an_account(school: School, files: Files) -> None:
    settings = school.service.settings
    build_site(
        files, output=files.output, manifest=settings.manifest, site_url=settings.site_url, now=datetime.now(UTC)
    )
    assert not (files.output / "courses/seven-useful-knots").exists()
    link = draft_link(settings, settings.site_url, "seven-useful-knots", days=7, now=school.clock())
    async with school.browser() as editor:
        page = await editor.get(link)
        assert page.status_code == 200
        assert "Seven Useful Knots" in page.text
        assert page.headers["x-robots-tag"] == "noindex"
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert "/api/checkout" not in page.text
        lesson = await editor.get(link.replace("index.html", "bowline.html"))
        assert "A rope" in lesson.text
        assert 'href="figure-eight.html"' in lesson.text
        for address in re.findall(r'(?:src|href)="([^"/#][^"#]*)"', page.text + lesson.text):
            if "://" not in address and not address.startswith("mailto:"):
                assert (await editor.get(link.replace("index.html", address))).status_code == 200, address
        school.clock.forward(days=7)
        assert (await editor.get(link)).status_code == 403


async def test_a_link_opens_one_draft_and_nothing_beside_it(school: School, files: Files) -> None:
    settings = school.service.settings
    build_site(
        files, output=files.output, manifest=settings.manifest, site_url=settings.site_url, now=datetime.now(UTC)
    )
    folder = drafts_folder(settings.manifest)
    (folder / "other").mkdir()
    (folder / "other/index.html").write_text("another draft")
    (folder / "seven-useful-knots/.hidden").write_text("hidden")
    link = draft_link(settings, settings.site_url, "seven-useful-knots", days=1, now=school.clock())
    async with school.browser() as editor:
        for address, status in {
            link.replace("seven-useful-knots", "other"): 403,
            re.sub(r"/(\d+)/", lambda match: f"/{int(match[1]) + 1}/", link): 403,
            link.replace("index.html", "nope.html"): 404,
            link.replace("index.html", ".hidden"): 404,
            link.replace("index.html", "..%2f..%2fcatalog.json"): 404,
        }.items():
            assert (await editor.get(address)).status_code == status, address


async def test_what_is_published_is_no_draft_any_more(school: School, files: Files) -> None:
    manifest = school.service.settings.manifest
    build_site(files, output=files.output, manifest=manifest)
    assert (drafts_folder(manifest) / "seven-useful-knots/index.html").is_file()
    course = files.course_data / "courses/seven-useful-knots/course.yaml"
    course.write_text(course.read_text().replace("status: draft", "status: published"))
    build_site(files, output=files.output, manifest=manifest)
    assert not (drafts_folder(manifest) / "seven-useful-knots/index.html").exists()


def test_the_command_needs_the_secret_and_the_address_alone(files: Files, tmp_path: Path) -> None:
    def said(*arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dynamic_api.commands", "share", *arguments],
            cwd=files.root, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "run “coursewright build” first" in said("seven-useful-knots")
    build_site(files)
    assert "Drafts:" in said("nope")
    assert "seven-useful-knots" in said("nope")
    assert "Set COURSEWRIGHT_SECRET_KEY and COURSEWRIGHT_SITE_URL" in said("seven-useful-knots")
    settings = {"COURSEWRIGHT_SECRET_KEY": "x" * 32, "COURSEWRIGHT_SITE_URL": "https://school.test"}
    link = said("seven-useful-knots", **settings).strip()
    assert re.fullmatch(r"https://school\.test/api/drafts/seven-useful-knots/\d+/[0-9a-f]{64}/index\.html", link)
