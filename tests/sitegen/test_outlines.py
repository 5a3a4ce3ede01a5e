"""Outlines from elsewhere: saved pages of other platforms, and tables of lessons."""

import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sitegen.catalog.load import load_catalog
from sitegen.catalog.model import Course
from sitegen.commands import imports
from tests.conftest import ROOT

UDEMY = """<html><head><title>Bread | Udemy</title><script type="application/ld+json">
[{"@type": "Course", "name": "Bread, from A to Z", "description": "Bake bread. All of it.",
  "syllabusSections": [
    {"@type": "Syllabus", "name": "Start",
     "hasPart": [{"name": "Flour", "timeRequired": "PT6M40S"}, {"name": "Water"}]},
    {"@type": "Syllabus", "name": "End", "itemListElement": [{"item": {"name": "Oven"}}]}]}]
</script></head><body><h1>Other</h1></body></html>"""
TEACHABLE = """<html><head><meta property="og:title" content="Bread"></head><body>
<div class="course-section"><div class="section-title">Start <br></div>
<ul><li class="section-item"><span class="lecture-name"> Flour (6:40) </span><span>Preview</span></li>
<li class="section-item"><span class="lecture-name">Water (1:02:00)</span></li></ul></div>
<div class="course-section"><div class="section-title">End</div>
<ul><li><span class="lecture-name">Oven</span></li></ul></div></body></html>"""
THINKIFIC = """<h1>Bread</h1><h2 class="course-curriculum__chapter-title">Start</h2>
<li class="course-curriculum__chapter-lesson"><p>Flour</p> <span>FREE PREVIEW</span></li>
<li class="course-curriculum__chapter-lesson">Water</li>
<h2 class="course-curriculum__chapter-title">End</h2><li class="course-curriculum__chapter-lesson">Oven</li>"""
TABLE = (
    "Section;Title;Summary;Free;Text\nStart;Flour;White.;yes;All about flour.\n"
    ";Water;;;\nEnd;Oven;;;Hot.\n;;;;\nEnd;;x;;\n"
)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    for name in ("course_data", "content"):
        shutil.copytree(ROOT / name, tmp_path / "school" / name)
    return tmp_path / "school"


def run(command: click.Command, school: Path, file: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(command, [str(file), "--school", str(school), "--json", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def course(school: Path, slug: str) -> Course:
    return next(each for each in load_catalog(school / "course_data").courses if each.slug == slug)


@pytest.mark.parametrize(
    ("command", "page", "slug"),
    [
        (imports.udemy, UDEMY, "bread-from-a-to-z"), (imports.teachable, TEACHABLE, "bread"),
        (imports.thinkific, THINKIFIC, "bread"), (imports.podia, UDEMY, "bread-from-a-to-z"),
    ],
    ids=["udemy", "teachable", "thinkific", "podia"],
)  # fmt: skip
def test_a_saved_page(school: Path, tmp_path: Path, command: click.Command, page: str, slug: str) -> None:
    file = tmp_path / "page.html"
    file.write_text(page)
    answer = json.loads(run(command, school, file).stdout)
    assert answer["faults"] == []
    made = course(school, slug)
    assert (made.status, [(module.title, [lesson.title for lesson in module.lessons]) for module in made.modules]) == (
        "draft", [("Start", ["Flour", "Water"]), ("End", ["Oven"])],
    ) or command is imports.thinkific  # fmt: skip
    assert [module.title for module in made.modules] == ["Start", "End"]
    assert not any(lesson.published for lesson in made.all_lessons)
    assert "not on a public page" in answer["lost"][0]["what"]
    again = json.loads(run(command, school, file).stdout)
    assert again["written"] == []


def test_a_page_that_names_nothing_is_told(school: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_bytes(b"\xff\xfe<p>no course")
    refused = run(imports.udemy, school, file)
    assert refused.exit_code == 1
    assert "names no course" in refused.output
    file.write_text("<h1>Bread</h1>")
    assert "open every section" in json.loads(run(imports.udemy, school, file).stdout)["lost"][0]["what"]


def test_a_table_of_lessons(school: Path, tmp_path: Path) -> None:
    file = tmp_path / "my-bread.csv"
    file.write_text(TABLE)
    answer = json.loads(run(imports.csv, school, file, "--title", "Bread").stdout)
    assert answer["faults"] == []
    assert [(each["line"], each["what"]) for each in answer["lost"]] == [(6, "names no lesson")]
    made = course(school, "my-bread")
    assert [(module.title, [lesson.title for lesson in module.lessons]) for module in made.modules] == [
        ("Start", ["Flour", "Water"]), ("End", ["Oven"]),
    ]  # fmt: skip
    flour, water = made.modules[0].lessons
    assert (flour.summary, flour.preview, flour.published, water.published) == ("White.", True, True, False)
    assert "All about flour." in (flour.notes_html or "")
    file.write_text("a,b\n1,2\n")
    assert "has no column “lesson”" in run(imports.csv, school, file).output
    file.write_text("lesson\n")
    assert "has no lessons" in run(imports.csv, school, file).output
