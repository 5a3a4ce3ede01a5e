"""What a storefront is given at its worst: long, mixed, hostile, nothing at all, and far too much."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from sitegen.build import Built, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.school import School
from sitegen.urls import tag_slug
from tests.conftest import ROOT

LONG = "Everything that nobody ever told you about " + "long " * 27 + "titles, at last"
HOSTILE = "<img src=x onerror=alert(1)>\"'</title><script>alert(1)</script>{{ 7*7 }}{% raw %}"
MIXED = "خبز Bread \u202eevil\u202c לחם 🍞🎉 ＦＵＬＬ"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The sample, without reviews and with one course to change."""
    school = tmp_path / "school"
    for name in ("content", "course_data"):
        shutil.copytree(ROOT / name, school / name)
    for path in school.rglob("reviews.yaml"):
        path.unlink()
    return school


def build(root: Path) -> Built:
    """The whole site."""
    return build_site(School(root))


def course_file(lessons: int, text: str) -> str:
    """A course with the text in every field that takes one."""
    quoted = json.dumps(text, ensure_ascii=False)
    tag = json.dumps(text[:50].strip() if tag_slug(text[:50]) else "plain", ensure_ascii=False)
    rows = "\n".join(
        f"      - {{id: worst-{number}, slug: lesson-{number}, title: {quoted}, summary: {quoted}, notes: Words., "
        f"preview: {'true' if number == 0 else 'false'}}}"
        for number in range(lessons)
    )
    return f"""id: worst
title: {quoted}
summary: {quoted}
description: {quoted}
status: published
instructor: mira-holm
tags: [{tag}, "a/b", "パン", "Bread", "bread"]
thumbnail: thumbnail.svg
thumbnail_alt: {quoted}
price: {{amount: 100, currency: EUR}}
outcomes: [{quoted}]
requirements: [{quoted}]
questions: [{{question: {quoted}, answer: {quoted}}}]
testimonials: [{{name: {quoted}, role: {quoted}, quote: {quoted}}}]
certificate: {quoted}
search_title: {quoted}
search_description: {quoted}
modules:
  - id: worst-module
    title: {quoted}
    summary: {quoted}
    lessons:
{rows}
"""


def add_course(root: Path, text: str, lessons: int = 1) -> None:
    """A course of that name in every field."""
    folder = root / "course_data/courses/worst"
    folder.mkdir()
    shutil.copy(root / "course_data/courses/sourdough/thumbnail.svg", folder)
    (folder / "course.yaml").write_text(course_file(lessons, text))


class Elements(HTMLParser):
    """The elements and attributes of a page, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.handlers: list[str] = []
        self.titles: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self._in_title = tag == "title"
        self.handlers += [name for name, _ in attributes if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.titles.append(data)
            self._in_title = False


@pytest.mark.parametrize("text", [LONG, HOSTILE, MIXED, "🍞", "-", "1e3", "null"])
def test_any_text_in_every_field_is_text(root: Path, text: str) -> None:
    add_course(root, text)
    if text == HOSTILE:  # HTML in a description is refused, with its place and a way on
        with pytest.raises(CatalogInvalid) as refused:
            build(root)
        assert all(fault.line and fault.remedy for fault in refused.value.faults)
        path = root / "course_data/courses/worst/course.yaml"
        path.write_text(re.sub(r'(description|answer): ".*"(?=[}\n])', r'\1: "Plain."', path.read_text()))
    build(root)
    for name in ("courses/worst", "courses", "preview/worst/lesson-0", "learn/worst/lesson-0", "courses/worst/gift"):
        elements = Elements()
        elements.feed((root / "output" / name / "index.html").read_text())
        assert elements.handlers == [], name
        assert elements.scripts <= 5, name
        assert len(elements.titles) == 1, name
    assert (root / "output/courses/worst/index.md").is_file()
    for name in ("sitemap.xml", "news/feed.atom"):
        from xml.etree import ElementTree

        ElementTree.parse(root / "output" / name)  # noqa: S314 - our own


@pytest.mark.parametrize("lessons", [1, 300])
def test_one_lesson_or_three_hundred(root: Path, lessons: int) -> None:
    add_course(root, "Plain", lessons)
    built = build(root)
    html = (root / "output/courses/worst/index.html").read_text()
    assert built.lessons == 28 + lessons
    assert f"{lessons} lesson{'s' if lessons > 1 else ''}" in html


def test_a_school_without_any_picture_but_the_courses(root: Path) -> None:
    site = root / "course_data/site.yaml"
    text = re.sub(r"^(    )?(logo|photo|picture|picture_alt): .*\n", "", site.read_text(), flags=re.M)
    site.write_text(text)
    build(root)
    assert "workbench" not in (root / "output/index.html").read_text()


@pytest.mark.parametrize("kind", ["tiff", "bomb", "svg", "text", "huge"])
def test_a_picture_that_is_none_or_a_danger_is_refused_with_a_way_on(root: Path, kind: str) -> None:
    folder = root / "course_data/courses/sourdough"
    name = {"tiff": "t.tiff", "svg": "t.svg"}.get(kind, "t.png")
    path = folder / name
    if kind == "tiff":
        Image.new("RGB", (64, 36)).save(path)
    elif kind == "bomb":
        Image.new("1", (20_000, 20_000)).save(path)
    elif kind == "svg":
        path.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>')
    elif kind == "text":
        path.write_text("no picture")
    else:
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 21 * 2**20)
    course = folder / "course.yaml"
    course.write_text(course.read_text().replace("thumbnail: thumbnail.svg", f"thumbnail: {name}"))
    with pytest.raises(CatalogInvalid) as refused:
        build(root)
    [fault] = refused.value.faults
    assert fault.file.name == "course.yaml"
    assert fault.line > 1
    assert fault.remedy


def test_a_page_that_nothing_links_to_is_told(root: Path) -> None:
    assert build(root).unlinked == ()
    (root / "content/pages/alone.md").write_text("---\ntitle: Alone\n---\nNobody comes by.\n")
    assert build(root).unlinked == ("content/pages/alone.md",)
    about = root / "content/pages/about.md"
    about.write_text(about.read_text() + "\n[Visit](alone.md)\n")
    assert build(root).unlinked == ()
