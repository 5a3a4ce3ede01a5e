"""`coursewright preview` in a real browser: save and see, faults over the page, drafts, and four ways to look."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from sitegen.starter import Brand, make_school
from tests.conftest import ROOT
from tests.ports import free_row

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A school that was just made."""
    folder = tmp_path / "school"
    make_school(folder, Brand("Bread", "me@school.example", "https://school.example", "#24506b", "en"), "1.0")
    course = folder / "course_data/courses/first-steps/course.yaml"
    course.write_text(course.read_text().replace("status: published", "status: draft"))
    return folder


@pytest.fixture
def preview(school: Path) -> Iterator[str]:
    """The preview's address."""
    port = free_row(4)
    process = subprocess.Popen(
        [sys.executable, "-m", "dynamic_api.commands", "preview", "--port", str(port)],
        cwd=school, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C stops" in line:
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_creator_writes_and_sees(preview: str, school: Path, page: Page) -> None:
    page.goto(f"{preview}/preview/first-steps/write/")
    expect(page.locator("#preview-bar")).to_contain_text("Visitors do not see this page yet")
    notes = school / "course_data/courses/first-steps/notes/write.md"
    whole = notes.read_text()

    notes.write_text(f"{whole}\nIt was just saved.\n")
    expect(page.locator(".prose")).to_contain_text("It was just saved.")

    notes.write_text(f"{whole}\n![a](nope.png)\n")
    faults = page.locator("#preview-faults")
    expect(faults).to_contain_text("notes/write.md")
    expect(faults).to_contain_text("The file “nope.png” is missing.")
    expect(page.locator(".prose")).to_contain_text("It was just saved.")  # the last good page stays

    notes.write_text(whole)
    expect(faults).to_be_hidden()
    expect(page.locator(".prose")).not_to_contain_text("It was just saved.")

    page.goto(f"{preview}/about/")
    expect(page.locator("#preview-bar")).not_to_contain_text("Visitors do not see")


def test_a_creator_looks_as_somebody_else(preview: str, page: Page) -> None:
    page.goto(f"{preview}/learn/first-steps/add-a-video/")
    expect(page.locator("#preview-bar")).to_contain_text("ms", timeout=40_000)  # the service runs
    page.get_by_role("button", name="Buyer").click()
    expect(page.locator("#notes")).to_contain_text("Copy its id")
    expect(page.get_by_role("link", name="Library", exact=True)).to_be_visible()
    page.get_by_role("button", name="Refunded").click()
    expect(page.locator("#lesson-message")).to_be_visible()
    expect(page.locator("#notes")).to_be_empty()
    page.get_by_role("button", name="Visitor").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    page.get_by_role("button", name="Phone").click()
    expect(page.locator(".screen")).to_contain_text("First steps")
    lesson = page.locator(".screen details").first
    lesson.locator("summary").click()
    expect(lesson.locator(".text")).to_be_visible()
    page.get_by_text("The answer of the service").click()
    expect(page.locator("pre")).to_contain_text('"title": "First steps"')


def test_the_preview_answers_this_machine_alone(preview: str, school: Path) -> None:
    """Private texts are on it, so it listens on the loopback address, and takes orders from its own pages only."""
    assert (
        httpx.post(f"{preview}/-/view", content="buyer", headers={"Origin": "https://evil.example"}).status_code == 400
    )
    assert httpx.post(f"{preview}/-/view", content="operator", headers={"Origin": preview}).status_code == 400
    assert httpx.get(f"{preview}/-/..%2fcommand.py").status_code == 404
    assert not (school / "course_data/published.lock").exists()
    assert not (school / "output").exists()
