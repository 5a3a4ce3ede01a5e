"""init, new, upgrade: a school's files."""

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Protocol

import click

from sitegen.catalog.course_file import COLOUR
from sitegen.catalog.slugs import HOW, is_slug
from sitegen.commands.answers import as_json, count, in_school, refuse_command, refuse_faults, say
from sitegen.move import MoveRefused, move_course, move_lesson
from sitegen.new import NewRefused, new_course, new_lesson, new_module, new_page, new_post
from sitegen.school import School
from sitegen.starter import CI_FILES, Brand, StarterRefused, make_school
from sitegen.upgrade import check_upgrade


def program_version() -> str:
    """The version of the program that runs."""
    try:
        return installed_version("coursewright")
    except PackageNotFoundError:  # a checkout, which is not installed
        text = (Path(__file__).resolve().parent.parent.parent / "pyproject.toml").read_text(encoding="utf-8")
        return re.search(r'^version = "(.+)"$', text, re.M)[1]  # type: ignore[index]  # the line is there


def _one_line(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or "\n" in value:
        raise click.BadParameter("write one line")
    return value.strip()


def _email(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise click.BadParameter("write an address like hello@school.example")
    return value


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    value = value.rstrip("/")
    if not re.fullmatch(r"https?://[^/\s]+", value):
        raise click.BadParameter("write an address like https://school.example")
    return value


def _colour(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(COLOUR, value):
        raise click.BadParameter("write a colour like #24506b")
    return value


@click.command(epilog='Example: coursewright init my-school --name "My School" --email me@school.example')
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", prompt="The school's name", callback=_one_line, help="What visitors read at the top.")
@click.option("--email", prompt="Address for questions", callback=_email, help="Where visitors write to.")
@click.option(
    "--url", default="https://school.example", show_default=True, callback=_address, help="The address it will have."
)
@click.option("--color", default="#24506b", show_default=True, callback=_colour, help="Colour of buttons and links.")
@click.option("--language", default="en", show_default=True, help="Language of the texts.")
@click.option(
    "--ci",
    type=click.Choice([*CI_FILES, "none"]),
    default="github",
    show_default=True,
    help="Whose CI checks every push, and says under a pull request what it changes.",
)
@as_json
def init(folder: Path, name: str, email: str, url: str, color: str, language: str, ci: str, as_json: bool) -> None:
    """Make a school: settings, a small course, pages, and what git, editors and CI need."""
    try:
        written = make_school(folder, Brand(name, email, url, color, language, ci), program_version())
    except StarterRefused as error:
        refuse_command(str(error), as_json=as_json)
    say(
        {"folder": str(folder), "files": [str(path) for path in written]},
        f"{count(len(written), 'file')} in {folder}. Next:\n\n  cd {folder}\n  coursewright preview\n",
        as_json=as_json,
    )


@click.group(epilog="Example: coursewright new course bread --title Bread")
def new() -> None:
    """Make a course, a module, a lesson, a page or a post."""


@click.group(epilog="Example: coursewright mv lesson bread first-loaf the-first-loaf")
def mv() -> None:
    """Give a course or a lesson another address; the old one leads to it."""


@mv.command(name="course", epilog="Example: coursewright mv course bread sourdough")
@click.argument("slug")
@click.argument("to")
@in_school
@as_json
def mv_course(slug: str, to: str, school: School, as_json: bool) -> None:
    """Rename a course's folder and address. Its id stays, and with it everything that was bought."""
    _make(lambda: move_course(school, slug, _slug(to)), as_json)


@mv.command(name="lesson", epilog="Example: coursewright mv lesson bread first-loaf the-first-loaf")
@click.argument("course_slug")
@click.argument("slug")
@click.argument("to")
@in_school
@as_json
def mv_lesson(course_slug: str, slug: str, to: str, school: School, as_json: bool) -> None:
    """Rename a lesson's address. Its id stays, and with it everybody's progress."""
    _make(lambda: move_lesson(school, course_slug, slug, _slug(to)), as_json)


_title = click.option("--title", callback=_one_line, default=lambda: "Untitled", help="Its title.")


def _make(write: Callable[[], list[Path]], as_json: bool) -> None:
    """Write files and name them, or say why none was written."""
    try:
        written = write()
    except (NewRefused, MoveRefused) as error:
        refuse_command(str(error), as_json=as_json)
    say({"files": [str(path) for path in written]}, "\n".join(str(path) for path in written), as_json=as_json)


@new.command(name="course", epilog="Example: coursewright new course bread --title 'Bread'")
@click.argument("slug")
@_title
@in_school
@as_json
def course(slug: str, title: str, school: School, as_json: bool) -> None:
    """A draft course with one lesson."""
    _make(lambda: new_course(school, _slug(slug), title), as_json)


@new.command(name="module", epilog="Example: coursewright new module bread ovens --title 'Ovens'")
@click.argument("course_slug")
@click.argument("slug")
@_title
@in_school
@as_json
def module(course_slug: str, slug: str, title: str, school: School, as_json: bool) -> None:
    """A module at the end of a course, with one hidden lesson."""
    _make(lambda: new_module(school, course_slug, _slug(slug), title), as_json)


@new.command(name="lesson", epilog="Example: coursewright new lesson bread first-loaf --title 'The first loaf'")
@click.argument("course_slug")
@click.argument("slug")
@_title
@in_school
@as_json
def lesson(course_slug: str, slug: str, title: str, school: School, as_json: bool) -> None:
    """A hidden lesson at the end of a course's last module, with a text."""
    _make(lambda: new_lesson(school, course_slug, _slug(slug), title), as_json)


@new.command(name="page", epilog="Example: coursewright new page imprint --title Imprint")
@click.argument("slug")
@_title
@in_school
@as_json
def page(slug: str, title: str, school: School, as_json: bool) -> None:
    """A draft page."""
    _make(lambda: new_page(school, _slug(slug), title), as_json)


@new.command(name="post", epilog="Example: coursewright new post cold-kitchens --title 'Cold kitchens'")
@click.argument("slug")
@_title
@in_school
@as_json
def post(slug: str, title: str, school: School, as_json: bool) -> None:
    """A draft post of today."""
    _make(lambda: new_post(school, _slug(slug), title), as_json)


def _slug(value: str) -> str:
    if not is_slug(value):
        raise click.UsageError(f"“{value}” cannot be part of a URL. {HOW}")
    return value


class Installation(Protocol):
    """The running service, as the root command knows it."""

    def look_for_upgrade(self) -> list[str]:
        """What this version says of the settings and the database of this machine."""


@click.command(epilog="Example: coursewright upgrade --check")
@click.option("--check", "only_check", is_flag=True, help="Say what would change, and change nothing.")
@in_school
@as_json
@click.pass_obj
def upgrade(installation: Installation, only_check: bool, school: School, as_json: bool) -> None:
    """Say what this version changed and refuses in files, settings and database.

    Without --check, also renew the schemas that editors use, and mark the school as being for this version.
    """
    found = check_upgrade(school, program_version(), write=not only_check)
    lines = [found.sentence, *(f"\n{entry}" for entry in found.changes)]
    if found.overrides:
        lines.append("\nYour theme has its own form of templates that changed: " + ", ".join(found.overrides))
    if found.schemas:
        renewed = "Renewed" if not only_check else "“coursewright upgrade” renews"
        lines.append(f"\n{renewed} the schemas that editors use: {', '.join(found.schemas)}.")
    here = installation.look_for_upgrade()
    lines.append("\n" + "\n".join(here))
    if found.faults:
        click.echo("\n".join(lines), err=as_json)
        refuse_faults(found.faults, as_json=as_json)
    if not only_check:
        lines.append("\nThe school is now marked as being for this version, in .coursewright/version: commit it.")
    data = {"from": found.before, "to": found.now, "changes": found.changes, "schemas": found.schemas, "here": here}
    say(data, "\n".join((*lines, "\nThis version refuses nothing in your files.")), as_json=as_json)
