"""Mistakes of a creator around the storefront that would go unseen: each is told, with a way on."""

import re
import shutil
from pathlib import Path

import pytest

from sitegen.build import build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.reviews import ReviewsRefused, take_in
from sitegen.school import School
from tests.conftest import ROOT


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The sample, without a theme of its own."""
    school = tmp_path / "school"
    for name in ("content", "course_data"):
        shutil.copytree(ROOT / name, school / name)
    return school


def change(path: Path, old: str, new: str) -> None:
    """One place of a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def faults(root: Path) -> list[str]:
    """What the build refuses."""
    with pytest.raises(CatalogInvalid) as refused:
        build_site(School(root))
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("translation_of: nothing", "No other course has the id “nothing”"),
        ("translation_of: sourdough", "No other course has the id “sourdough”"),
        ("translation_of: git-for-writers", "both in “en”"),
        ("tags: ['🥖']", "a tag without a letter or digit has no page"),
        (f"tags: [{'ä' * 200}]", "“tags”"),
        ("language: deutsch", "Write a language such as de, fr or pt-BR."),
    ],
)
def test_a_course_that_says_what_cannot_be(root: Path, lines: str, said: str) -> None:
    course = root / "course_data/courses/sourdough/course.yaml"
    course.write_text(re.sub(rf"^{lines.partition(':')[0]}:.*\n", "", course.read_text(), flags=re.M))
    change(course, "status: published\n", f"status: published\n{lines}\n")
    [fault] = faults(root)
    assert said in fault
    assert re.search(r"course\.yaml:\d+:\d+", fault)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("country: FI", "country: fi", "two capital letters"),
        ("refund_days: 30", "refund_days: -1", "may be 1 to 365"),
        ("security_contact: mailto:security", "security_contact: security", "mailto:me@school.example"),
        ("    intro: sourdough\n", "    intro: nothing\n", "No course has the id “nothing”"),
        ("newsletter: true\n", "", "newsletter: true"),
    ],
)
def test_a_school_that_says_what_cannot_be(root: Path, old: str, new: str, said: str) -> None:
    change(root / "course_data/site.yaml", old, new)
    [fault] = faults(root)
    assert said in fault


def test_words_that_nobody_replaced_are_told(root: Path) -> None:
    change(
        root / "content/pages/about.md", "Lantern Workshop is", "Say who you are, how you teach.\n\nLantern Workshop is"
    )
    notes = next((root / "course_data/courses/sourdough/notes").glob("*.md"))
    notes.write_text("Write the lesson's text here.\n")
    told = build_site(School(root)).unfinished
    assert [each.partition(":")[0] for each in told] == ["content/pages/about.md", "course_data/courses/sourdough"]


def test_templates_that_nothing_uses_are_told(root: Path) -> None:
    own = root / "theme/templates"
    own.mkdir(parents=True)
    (own / "kurs.html").write_text("<p>Never seen.</p>")
    (own / "note.html").write_text("<p>Seen.</p>")
    (own / "course.html").write_text(
        '{% extends "base/course.html" %}\n{% block abov %}x{% endblock %}\n'
        '{% block above %}{% include "note.html" %}{% endblock %}'
    )
    told = build_site(School(root)).unfinished
    assert len(told) == 2
    assert "kurs.html: no page uses this template" in told[1]
    assert re.search(r"course\.html:2: base/course\.html has no block “abov”. It has: above, .*stage", told[0])


def test_a_language_without_sentences_borrows_those_of_the_school(root: Path) -> None:
    change(root / "course_data/site.yaml", "language: en", "language: de")
    course = root / "course_data/courses/sourdough/course.yaml"
    change(course, "status: published\n", "status: published\nlanguage: fr\ntranslation_of: git-for-writers\n")
    built = build_site(School(root))
    html = (root / "output/courses/sourdough/index.html").read_text()
    assert '<html lang="fr"' in html
    assert "Das lernst du" in html
    assert ("fr", "What you will learn") in built.untranslated
    assert '<a href="/courses/git-for-writers/" hreflang="de" lang="de">Deutsch</a>' in html
    related = html.partition('aria-labelledby="related"')[2]
    assert "Git for Writers" not in related
    assert "Seven Useful Knots" in related


TABLES = {
    "semicolons": "Name;Sterne;Datum;Text\nAnn;5;2025-01-31;Gut, wirklich\n",
    "of five": "name,rating,timestamp,comment\nAnn,5/5,2025-01-31T10:00:00Z,Good\n",
    "half a star": "name,stars,date,text\nAnn,4.5,2025-01-31,Good\n",
    "no stars": "name,points,date,text\nAnn,5,2025-01-31,Good\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_other_programs_are_read_or_refused_with_a_way_on(tmp_path: Path, name: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text(TABLES[name])
    if name in ("semicolons", "of five"):
        assert take_in(tmp_path, table, "Elsewhere").new == 1
        return
    with pytest.raises(ReviewsRefused, match=r"instead of “4\.5”|no column “stars”"):
        take_in(tmp_path, table, "Elsewhere")
