"""What was published is told before it is lost: offline, with file, line and the line to write."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sitegen.build import build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.load import load_catalog
from sitegen.catalog.lock_file import read_lock, write_lock
from sitegen.catalog.model import Catalog
from sitegen.school import School
from tests.conftest import ROOT

Edit = Callable[[Path], object]
COURSE = "courses/sourdough/course.yaml"
FIRST, SECOND = "what-lives-in-the-jar", "a-starter-from-nothing"


@pytest.fixture
def course_data(tmp_path: Path) -> Path:
    """A copy of the sample, with the lock file it is committed with; its home page names no course."""
    copy = Path(shutil.copytree(ROOT / "course_data", tmp_path / "course_data"))
    replace("    intro: sourdough\n", "", "site.yaml")(copy)
    return copy


def replace(old: str, new: str, file: str = COURSE) -> Edit:
    def edit(course_data: Path) -> None:
        text = (course_data / file).read_text()
        assert old in text, old
        (course_data / file).write_text(text.replace(old, new, 1))

    return edit


def both(*edits: Edit) -> Edit:
    def edit(course_data: Path) -> None:
        for each in edits:
            each(course_data)

    return edit


def without_course(course_data: Path) -> None:
    shutil.rmtree(course_data / "courses/sourdough")


def without_lesson(course_data: Path) -> None:
    path = course_data / COURSE
    lines = path.read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.strip() == f"- id: sourdough-{FIRST}")
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith("      - id: "))
    path.write_text("".join(lines[:start] + lines[end:]))


def hidden_lesson(course_data: Path) -> None:
    replace(f"slug: {FIRST}", f"slug: {FIRST}\n        published: false")(course_data)


def word(line: str, file: str = COURSE) -> Edit:
    """Add a line at the end of a file."""

    def edit(course_data: Path) -> None:
        path = course_data / file
        path.write_text(f"{path.read_text()}{line}\n")

    return edit


REFUSED: dict[str, tuple[Edit, str, str]] = {
    "draft again": (replace("status: published", "status: draft"), "course.yaml:6", "Write “status: retired”"),
    "folder gone": (without_course, "published.lock:", "add to site.yaml: “retired: [sourdough]”"),
    "id of a course": (replace("id: sourdough\n", "id: bread\n"), "course.yaml:2", "Write “id: sourdough”"),
    "folder renamed": (
        lambda data: (data / "courses/sourdough").rename(data / "courses/bread"),
        "course.yaml:2",
        "Add “moved_from: [sourdough]”",
    ),
    "slug of a lesson": (replace(f"slug: {FIRST}", "slug: jar"), "course.yaml:", f"Add “moved_from: [{FIRST}]”"),
    "id of a lesson": (
        replace(f"id: sourdough-{FIRST}", "id: sourdough-jar"), "course.yaml:", f"Write “id: sourdough-{FIRST}”",
    ),
    "id of a module": (
        replace("id: sourdough-starter\n", "id: the-starter\n"), "course.yaml:", "Write “id: sourdough-starter”",
    ),
    "id of a file": (
        replace("id: sourdough-feeding-log", "id: feeding-log"), "course.yaml:", "Write “id: sourdough-feeding-log”",
    ),
    "lesson gone": (without_lesson, "course.yaml:", f"“retired: [sourdough-{FIRST}]”"),
    "lesson hidden": (hidden_lesson, "course.yaml:", f"“retired: [sourdough-{FIRST}]”"),
    "merged halfway": (word("<<<<<<< HEAD", "published.lock"), "published.lock:", "Keep every line of both sides"),
    "edited by hand": (word("lesson one two three", "published.lock"), "published.lock:", "git checkout"),
    "another school's": (
        lambda data: (data / "published.lock").write_text("course sewing\naddress /courses/sewing/ course sewing\n"),
        "published.lock:1",
        "belongs to another one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_line_to_write(course_data: Path, name: str) -> None:
    edit, place, remedy = REFUSED[name]
    edit(course_data)
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(course_data)
    faults = [str(fault) for fault in caught.value.faults]
    assert len(faults) == 1, faults
    assert place in faults[0]
    assert remedy in faults[0]


TOLD: dict[str, Edit] = {
    "retired": replace("status: published", "status: retired"),
    "folder gone": both(without_course, word("retired: [sourdough]", "site.yaml")),
    "folder renamed": both(
        lambda data: (data / "courses/sourdough").rename(data / "courses/bread"),
        word("moved_from: [sourdough]", "courses/bread/course.yaml"),
    ),
    "slug of a lesson": replace(f"slug: {FIRST}", f"slug: jar\n        moved_from: [{FIRST}]"),
    "lesson gone": both(without_lesson, word(f"retired: [sourdough-{FIRST}]")),
    "lesson hidden": both(hidden_lesson, word(f"retired: [sourdough-{FIRST}]")),
    "lesson replaced": both(without_lesson, word(f"replaced_by: {{sourdough-{FIRST}: sourdough-{SECOND}}}")),
    "another title": replace("title: Sourdough, from Starter to Loaf", "title: Bread"),
    "nothing published yet": lambda data: (data / "published.lock").unlink(),
}


@pytest.mark.parametrize("name", TOLD)
def test_accepted_with_a_word(course_data: Path, name: str) -> None:
    TOLD[name](course_data)
    load_catalog(course_data)


def test_a_lesson_in_another_module_needs_no_word(course_data: Path, catalog: Catalog) -> None:
    path = course_data / COURSE
    lines = path.read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.strip() == f"- id: sourdough-{FIRST}")
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith("      - id: "))
    path.write_text("".join(lines[:start] + lines[end:] + lines[start:end]))
    assert len(load_catalog(course_data).courses) == len(catalog.courses)


def test_a_lesson_cannot_change_its_course(course_data: Path) -> None:
    """Its watchers own the other one."""
    path = course_data / COURSE
    lines = path.read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.strip() == f"- id: sourdough-{FIRST}")
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith("      - id: "))
    path.write_text("".join(lines[:start] + lines[end:]) + f"retired: [sourdough-{FIRST}]\n")
    other = course_data / "courses/git-for-writers/course.yaml"
    moved = [
        line for line in lines[start:end] if "notes:" not in line and "captions" not in line and ".vtt" not in line
    ]
    other.write_text(other.read_text() + "".join(moved))
    with pytest.raises(CatalogInvalid, match="was published in the course “sourdough”"):
        load_catalog(course_data)


def build(course_data: Path, folder: Path) -> None:
    shutil.copytree(ROOT / "content", course_data.parent / "content", dirs_exist_ok=True)
    build_site(School(course_data.parent), output=folder / "output", manifest=folder / "build/catalog.json")


def test_old_addresses_lead_to_the_new_ones(course_data: Path, tmp_path: Path) -> None:
    TOLD["folder renamed"](course_data)
    replace(f"slug: {FIRST}", f"slug: jar\n        moved_from: [{FIRST}]", "courses/bread/course.yaml")(course_data)
    build(course_data, tmp_path)
    output = tmp_path / "output"
    moves = {
        "courses/sourdough/": "/courses/bread/",
        "courses/sourdough/gift/": "/courses/bread/gift/",
        "preview/sourdough/": "/preview/bread/",
        f"learn/sourdough/{FIRST}/": "/learn/bread/jar/",
        f"learn/bread/{FIRST}/": "/learn/bread/jar/",
        f"learn/sourdough/{SECOND}/": f"/learn/bread/{SECOND}/",
    }
    redirects = (output / "_redirects").read_text()
    for old, new in moves.items():
        page = (output / old / "index.html").read_text()
        assert f'http-equiv="refresh" content="0; url={new}"' in page
        assert f'rel="canonical" href="https://lantern-workshop.example{new}"' in page
        assert f"/{old} {new} 301\n" in redirects
    assert "moved" not in (output / "sitemap.xml").read_text()


def test_the_pages_of_a_retired_lesson_lead_to_its_course(course_data: Path, tmp_path: Path) -> None:
    TOLD["lesson gone"](course_data)
    build(course_data, tmp_path)
    redirects = (tmp_path / "output/_redirects").read_text()
    for old in (f"learn/sourdough/{FIRST}/", f"preview/sourdough/{FIRST}/"):
        assert f"/{old} /courses/sourdough/ 301\n" in redirects
        assert 'url=/courses/sourdough/"' in (tmp_path / "output" / old / "index.html").read_text()


def test_retired_courses_have_a_page_that_nothing_links_to(course_data: Path, tmp_path: Path) -> None:
    TOLD["retired"](course_data)
    build(course_data, tmp_path)
    output = tmp_path / "output"
    page = (output / "courses/sourdough/index.html").read_text()
    assert "No longer for sale" in page
    assert 'name="robots" content="noindex"' in page
    assert "/api/checkout" not in page
    assert '"offers"' not in page
    assert not (output / "courses/sourdough/gift").exists()
    assert (output / f"learn/sourdough/{FIRST}/index.html").exists()
    for listing in (
        "index.html",
        "courses/index.html",
        "sitemap.xml",
        "courses/git-for-writers/index.html",
        "404.html",
    ):
        assert "/courses/sourdough/" not in (output / listing).read_text(), listing


def test_the_lock_only_grows_and_is_the_same_whoever_writes_it(course_data: Path, tmp_path: Path) -> None:
    lock = course_data / "published.lock"
    before = lock.read_text()
    build(course_data, tmp_path)
    assert lock.read_text() == before
    both(without_lesson, word(f"retired: [sourdough-{FIRST}]"))(course_data)
    build(course_data, tmp_path)
    assert lock.read_text() == before
    lock.write_text(before + before.splitlines()[-1] + "\n")  # a union merge repeats lines
    assert write_lock(read_lock(lock), load_catalog(course_data).courses)
    assert lock.read_text() == before


def test_a_lock_that_is_missing_is_made_up_for_by_the_last_build(course_data: Path, tmp_path: Path) -> None:
    build(course_data, tmp_path)
    (course_data / "published.lock").unlink()
    without_lesson(course_data)
    with pytest.raises(CatalogInvalid, match="was published, and is gone"):
        build(course_data, tmp_path)


def test_a_refused_build_leaves_the_lock_alone(course_data: Path, tmp_path: Path) -> None:
    before = (course_data / "published.lock").read_bytes()
    hidden_lesson(course_data)
    with pytest.raises(CatalogInvalid):
        build(course_data, tmp_path)
    assert (course_data / "published.lock").read_bytes() == before
    assert not (tmp_path / "output").exists()
