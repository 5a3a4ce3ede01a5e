"""`coursewright mv`: another address, with the old one written down, and everything else as it was."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sitegen.load import load_school
from sitegen.move import MoveRefused, move_course, move_lesson
from sitegen.school import School
from tests.conftest import ROOT

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def school(tmp_path: Path) -> School:
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return School(tmp_path)


def course_file(school: School, slug: str = "sourdough") -> Path:
    return school.course_data / "courses" / slug / "course.yaml"


def test_a_lesson_moves_and_keeps_its_line_of_comments(school: School) -> None:
    path = course_file(school)
    path.write_text(path.read_text().replace("slug: four-numbers", "slug: four-numbers  # easy to say"))
    before = path.read_text()
    assert move_lesson(school, "sourdough", "four-numbers", "numbers") == [path]
    line = "        slug: four-numbers  # easy to say\n"
    assert path.read_text() == before.replace(
        line, "        slug: numbers  # easy to say\n        moved_from: [four-numbers]\n"
    )
    move_lesson(school, "sourdough", "numbers", "in-numbers")
    assert "moved_from: [four-numbers, numbers]" in path.read_text()
    redirects = {each.old: each.new for each in load_school(school, now=NOW).catalog.redirects}
    for old in ("four-numbers", "numbers"):
        assert redirects[f"/learn/sourdough/{old}/"] == "/learn/sourdough/in-numbers/"


def test_a_lesson_that_moves_back_was_never_away(school: School) -> None:
    move_lesson(school, "sourdough", "four-numbers", "numbers")
    move_lesson(school, "sourdough", "numbers", "four-numbers")
    assert "        slug: four-numbers\n        moved_from: [numbers]\n" in course_file(school).read_text()
    load_school(school, now=NOW)


def test_a_list_in_lines_gets_another_line(school: School) -> None:
    path = course_file(school)
    text = path.read_text().replace(
        "slug: four-numbers\n", "slug: four-numbers\n        moved_from:\n          - figures\n          - sums\n"
    )
    path.write_text(text)
    move_lesson(school, "sourdough", "four-numbers", "numbers")
    assert "          - sums\n          - four-numbers\n" in path.read_text()
    load_school(school, now=NOW)


def test_a_course_moves_with_its_folder(school: School) -> None:
    assert move_course(school, "sourdough", "bread") == [course_file(school, "bread")]
    assert not course_file(school).parent.exists()
    catalog = load_school(school, now=NOW).catalog
    course = next(course for course in catalog.courses if course.id == "sourdough")
    assert (course.slug, course.moved_from) == ("bread", ("sourdough",))
    redirects = {each.old: each.new for each in catalog.redirects}
    assert redirects["/courses/sourdough/"] == "/courses/bread/"


def test_a_course_with_a_slug_of_its_own_moves_too(school: School) -> None:
    path = course_file(school)
    path.write_text(path.read_text().replace("id: sourdough\n", "id: sourdough\nslug: sourdough\n", 1))
    move_course(school, "sourdough", "bread")
    assert "slug: bread\nmoved_from: [sourdough]\n" in course_file(school, "bread").read_text()
    load_school(school, now=NOW)


def test_what_cannot_be_moved_stays(school: School) -> None:
    before = course_file(school).read_text()
    for arguments, problem in {
        ("sourdough", "nope", "x"): "has no lesson “nope”",
        ("sourdough", "four-numbers", "first-loaf"): None,
        ("nope", "a", "b"): "There is no course “nope”",
    }.items():
        if problem:
            with pytest.raises(MoveRefused, match=problem):
                move_lesson(school, *arguments)
    with pytest.raises(MoveRefused, match="is there already"):
        move_course(school, "sourdough", "bookbinding")
    with pytest.raises(MoveRefused, match="has a lesson “feeding-and-keeping” already"):
        move_lesson(school, "sourdough", "four-numbers", "feeding-and-keeping")
    assert course_file(school).read_text() == before
    one_line = before.replace("        slug: four-numbers\n", "        ? slug\n        : four-numbers\n")
    course_file(school).write_text(one_line)
    with pytest.raises(MoveRefused, match="does not change"):
        move_lesson(school, "sourdough", "four-numbers", "numbers")
    assert course_file(school).read_text() == one_line
    course_file(school).write_text("{")
    with pytest.raises(MoveRefused, match="has faults"):
        move_course(school, "sourdough", "bread")
