"""New courses, modules, lessons, pages and posts: drafts, or hidden, until their author says otherwise."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from sitegen.catalog.slugs import id_for
from sitegen.catalog.yaml_source import read_yaml
from sitegen.school import School

_COURSE = """\
# yaml-language-server: $schema=../../../.coursewright/schema/course.schema.json
# Every id is stored with orders and progress: choose it once, and never change it.
id: {id}
title: {title}
summary: Say in one line what one learns here.
description: description.md
status: draft
instructor: {instructor}
thumbnail: thumbnail.svg
price: free  # or “amount: 4900” and “currency: EUR” below it
modules:
  - id: {id}-start
    title: Start
    lessons:
      - id: {id}-first
        slug: first
        title: The first lesson
        notes: notes/first.md
"""
THUMBNAIL = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720">
<rect width="1280" height="720" fill="{color}"/>
</svg>
"""


class NewRefused(Exception):
    """Nothing was written; the message says why."""


def new_course(school: School, slug: str, title: str) -> list[Path]:
    """A course with one lesson. Raises NewRefused."""
    folder = school.course_data / "courses" / slug
    if folder.exists():
        raise NewRefused(f"{folder} is there already. Choose another name.")
    instructor, color = first_instructor(school), brand_color(school)
    return _write(
        {
            folder / "course.yaml": _COURSE.format(id=id_for(slug), title=_quoted(title), instructor=instructor),
            folder / "description.md": "Say what the course is about, and for whom.\n",
            folder / "notes" / "first.md": "Write the lesson's text here.\n",
            folder / "thumbnail.svg": THUMBNAIL.format(color=color),
        }
    )


def first_instructor(school: School) -> str:
    """The id of the first instructor in `site.yaml`."""
    people = _site(school).get("instructors")
    return str(people[0].get("id")) if isinstance(people, list) and people and isinstance(people[0], dict) else "me"


def brand_color(school: School) -> str:
    """The school's colour."""
    brand = _site(school).get("brand")
    return str(brand.get("color", "#24506b")) if isinstance(brand, dict) else "#24506b"


def _site(school: School) -> dict[str, object]:
    site = read_yaml(school.course_data / "site.yaml").data
    return site if isinstance(site, dict) else {}


def new_module(school: School, course: str, slug: str, title: str) -> list[Path]:
    """A module at the end. Raises NewRefused."""
    path, text = _course_file(school, course)
    name = id_for(course, slug)
    if re.search(rf"\bid: {re.escape(name)}\s*$", text, re.M):
        raise NewRefused(f"{path} has an id “{name}” already. Choose another name.")
    lines = f"  - id: {name}\n    title: {_quoted(title)}\n    lessons:\n" + _lesson(course, f"{slug}-first", "First")
    notes = path.parent / "notes" / f"{slug}-first.md"
    return _write({notes: "Write the lesson's text here.\n"}, {path: f"{text.rstrip()}\n{lines}"})


def new_lesson(school: School, course: str, slug: str, title: str) -> list[Path]:
    """A lesson at the end of the last module. Raises NewRefused."""
    path, text = _course_file(school, course)
    if re.search(rf"\bslug: {re.escape(slug)}\s*$", text, re.M):
        raise NewRefused(f"{path} has a lesson “{slug}” already. Choose another name.")
    notes = path.parent / "notes" / f"{slug}.md"
    return _write(
        {notes: "Write the lesson's text here.\n"}, {path: text.rstrip() + "\n" + _lesson(course, slug, title)}
    )


def new_page(school: School, slug: str, title: str) -> list[Path]:
    """A page that is a draft. Raises NewRefused."""
    text = f"---\ntitle: {_quoted(title)}\nsummary: Say in one line what this page is.\ndraft: true\n---\nText.\n"
    return _write({school.content / "pages" / f"{slug}.md": text})


def new_post(school: School, slug: str, title: str) -> list[Path]:
    """A post of today that is a draft. Raises NewRefused."""
    today = datetime.now(UTC).date().isoformat()
    text = f"---\ntitle: {_quoted(title)}\nsummary: One line.\ndate: {today}\ndraft: true\n---\nText.\n"
    return _write({school.content / "posts" / f"{slug}.md": text})


def _lesson(course: str, slug: str, title: str) -> str:
    return (
        f"      - id: {id_for(course, slug)}\n        slug: {slug}\n        title: {_quoted(title)}\n"
        f"        notes: notes/{slug}.md\n        published: false\n"
    )


def _course_file(school: School, course: str) -> tuple[Path, str]:
    path = school.course_data / "courses" / course / "course.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.parent.name for each in path.parent.parent.glob("*/course.yaml")))
        raise NewRefused(f"There is no course “{course}”. Known: {known}.")
    text = path.read_text(encoding="utf-8")
    if not re.search(r"(?m)^    lessons:\s*$", text) or not text.rstrip().splitlines()[-1].startswith("   "):
        raise NewRefused(
            f"{path} does not end with its lessons. Add the lines by hand; see “coursewright docs fields”."
        )
    return path, text


def _write(fresh: dict[Path, str], changed: dict[Path, str] | None = None) -> list[Path]:
    """Write all of it, or nothing where a fresh file is there already."""
    for path in fresh:
        if path.exists():
            raise NewRefused(f"{path} is there already. Choose another name.")
    for path, text in {**fresh, **(changed or {})}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [*(changed or {}), *fresh]


def _quoted(title: str) -> str:
    """As YAML text: in quotes where it could be read as something else."""
    return title if re.fullmatch(r"[A-Za-z][\w ,.()’-]*", title) else json.dumps(title, ensure_ascii=False)
