"""import: courses that come from elsewhere, as drafts."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sitegen.catalog.slugs import HOW, is_slug
from sitegen.commands.answers import as_json, count, in_school, refuse_command, say
from sitegen.school import School

if TYPE_CHECKING:
    from sitegen.moving_in.course import FoundCourse, Lost

_SHOWN = 20  # lines of what was lost; the report has all of them


@click.command(epilog="Example: coursewright import folder ../my-texts --slug bread")
@click.argument("source", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--slug", help="The course's address; unless told, the folder's name.")
@click.option("--title", help="The course's title; unless told, that of the folder's index or README.")
@click.option("--one-course", is_flag=True, help="Make one course of it, even if its folders look like several.")
@click.option("--site", default="", help="Where these texts are published: links that lead nowhere here go there.")
@in_school
@as_json
def folder(
    source: Path, slug: str | None, title: str | None, one_course: bool, site: str, school: School, as_json: bool
) -> None:
    """A folder of Markdown and pictures: folders become modules, files lessons."""
    from sitegen.moving_in.names import slug_for
    from sitegen.moving_in.tree import NothingFound, Tree

    name = source.resolve().name
    if school.root.resolve().is_relative_to(source.resolve()) or source.resolve() == school.course_data.resolve():
        refuse_command(f"{source} holds the school itself. Name a folder of texts elsewhere.", as_json=as_json)

    def find(lost: "list[Lost]") -> "list[FoundCourse]":
        tree = Tree(source.resolve(), language=_language(school), site=site, lost=lost)
        heading = title or name.replace("-", " ").replace("_", " ").capitalize()
        return tree.courses(slug or slug_for(name), heading, one_course=one_course)

    _slug(slug)
    try:
        _carry(school, find, name, as_json)
    except NothingFound as error:
        refuse_command(str(error), as_json=as_json)


def _page_command(platform: str) -> click.Command:
    """import udemy, teachable, thinkific, podia: they differ by their pages alone."""

    @click.command(
        name=platform.lower(), epilog=f"Example: coursewright import {platform.lower()} page.html --slug bread"
    )
    @click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
    @click.option("--slug", help="The course's address; unless told, made of its title.")
    @in_school
    @as_json
    def command(page: Path, slug: str | None, school: School, as_json: bool) -> None:
        from sitegen.moving_in.names import slug_for
        from sitegen.moving_in.saved_page import PageUnknown, course_of_page

        def find(lost: "list[Lost]") -> "list[FoundCourse]":
            course = course_of_page(page.read_bytes(), _slug(slug) or "course", lost, page.name)
            course.slug = slug or slug_for(course.title)
            return [course]

        try:
            _carry(school, find, page.stem, as_json)
        except PageUnknown as error:
            refuse_command(str(error), as_json=as_json)

    command.help = (
        f"The outline of a course at {platform}, from its public page as a browser saved it: titles, order, lengths. "
        "Open every section before you save. Texts and videos are not on that page."
    )
    return command


udemy = _page_command("Udemy")
teachable = _page_command("Teachable")
thinkific = _page_command("Thinkific")
podia = _page_command("Podia")


@click.command(epilog="Example: coursewright import csv lessons.csv --slug bread --title Bread")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--slug", help="The course's address; unless told, the file's name.")
@click.option("--title", help="The course's title; unless told, the file's name.")
@in_school
@as_json
def csv(table: Path, slug: str | None, title: str | None, school: School, as_json: bool) -> None:
    """A table with one line for each lesson: module, lesson; and, if wanted, summary, slug, text, free."""
    from sitegen.moving_in.names import slug_for
    from sitegen.moving_in.outline import TableUnknown, course_of_table

    def find(lost: "list[Lost]") -> "list[FoundCourse]":
        name = table.stem.replace("-", " ").replace("_", " ").capitalize()
        return [
            course_of_table(table.read_bytes(), _slug(slug) or slug_for(table.stem), title or name, lost, table.name)
        ]

    try:
        _carry(school, find, table.stem, as_json)
    except TableUnknown as error:
        refuse_command(str(error), as_json=as_json)


def _slug(slug: str | None) -> str | None:
    if slug is not None and not is_slug(slug):
        raise click.UsageError(f"“{slug}” cannot be part of a URL. {HOW}")
    return slug


def _carry(school: School, find: "Callable[[list[Lost]], list[FoundCourse]]", name: str, as_json: bool) -> None:
    """Write the drafts and the report, and say what is in them."""
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.load import load_school
    from sitegen.moving_in.report import write_report
    from sitegen.moving_in.write import write_course

    lost: list[Lost] = []
    courses = find(lost)
    done = [write_course(school, course) for course in courses]
    report = write_report(school, name, courses, done, sorted(lost))
    faults: list[str] = []
    others = 0
    try:
        load_school(school, now=_now())
    except CatalogInvalid as error:
        folders = [school.course_data / "courses" / course.slug for course in courses]
        ours = [each for each in error.faults if any(each.file.is_relative_to(folder) for folder in folders)]
        faults = [str(fault) for fault in ours]
        others = len(error.faults) - len(ours)
    lines = [
        f"{course.title}: {count(len(course.modules), 'module')}, {count(len(course.lessons), 'lesson')} "
        f"({each.lessons} new), course_data/courses/{course.slug}"
        for course, each in zip(courses, done, strict=True)
    ]
    kept = [str(path) for each in done for path in each.kept]
    lines += [f"{path}: differs from what was imported, and stays as it is" for path in kept]
    lines += [str(each) for each in sorted(lost)[:_SHOWN]]
    if len(lost) > _SHOWN:
        lines.append(f"… and {len(lost) - _SHOWN} more that could not be carried.")
    if lost:
        lines.append(f"What could not be carried is listed in {report}.")
    if others:
        lines.append(f"Other files of the school have {count(others, 'fault')}: see “coursewright check”.")
    lines += (
        ["", *faults, f"{count(len(faults), 'fault')} to mend; see them again with “coursewright check”."]
        if faults
        else []
    )
    lines.append("\nNothing of it is shown to anybody yet: look at it with “coursewright preview”.")
    data = {
        "courses": [{"slug": course.slug, "title": course.title, "lessons": len(course.lessons)} for course in courses],
        "written": [str(path) for each in done for path in each.written],
        "kept": kept,
        "lost": [{"file": each.file, "line": each.line, "what": each.what} for each in lost],
        "faults": faults,
        "report": str(report),
    }
    say(data, "\n".join(lines), as_json=as_json)


def _now() -> datetime:
    return datetime.now(UTC)


def _language(school: School) -> str:
    from sitegen.catalog.yaml_source import read_yaml

    site = read_yaml(school.course_data / "site.yaml").data
    return str(site.get("language", "en")) if isinstance(site, dict) else "en"
