"""check, due: what the files say."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.commands.answers import as_json, count, in_school, refuse_faults, say
from sitegen.commands.build import build_and_say
from sitegen.leaks.private import short_keys
from sitegen.links import broken_links
from sitegen.load import Loaded, load_school
from sitegen.school import School


@click.command(epilog="Example: coursewright check --watch")
@in_school
@click.option("--watch", "keep_watching", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option("--links", is_flag=True, help="Also ask other sites whether the pages that are linked to are there.")
@click.option("--github", is_flag=True, help="Write each fault as an annotation of GitHub Actions.")
@as_json
def check(school: School, keep_watching: bool, links: bool, github: bool, as_json: bool) -> None:
    """Check course files, pages and posts, and report every fault at once."""
    if keep_watching:
        from watchfiles import watch  # only here: a check should begin at once

        _check_once(school)
        for _ in watch(*_folders(school), raise_interrupt=False):
            click.echo()
            _check_once(school)
        return
    try:
        loaded = load_school(school, now=datetime.now(UTC))
        if links and (broken := broken_links(loaded.external, school.manifest.parent / "links.json")):
            raise CatalogInvalid(broken)
    except CatalogInvalid as error:
        if github:
            for fault in error.faults:
                click.echo(_annotation(fault))
        refuse_faults(error.faults, as_json=as_json)
    for course, resource in short_keys(loaded.catalog):
        click.echo(
            f"{course.id}: the storage key “{resource.key}” of {resource.id} is so short that the leak check cannot "
            "look for it. Give the file a longer name in storage, such as one with random letters.",
            err=True,
        )
    say(_counts(loaded), _sentence(loaded), as_json=as_json)


def _check_once(school: School) -> None:
    try:
        click.echo(_sentence(load_school(school, now=datetime.now(UTC))))
    except CatalogInvalid as error:
        click.echo("\n".join((*map(str, error.faults), f"\n{count(len(error.faults), 'fault')}.")))


def _folders(school: School) -> list[Path]:
    return [folder for folder in (school.course_data, school.content, school.public) if folder.is_dir()]


def _counts(loaded: Loaded) -> dict[str, int]:
    return {
        "courses": len(loaded.catalog.courses),
        "pages": len(loaded.content.pages),
        "posts": len(loaded.content.posts),
    }


def _sentence(loaded: Loaded) -> str:
    words = [count(number, noun.removesuffix("s")) for noun, number in _counts(loaded).items() if number]
    return f"{', '.join(words) or 'Nothing'}, no faults."


def _annotation(fault: Fault) -> str:
    """https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message"""
    text = f"{fault.problem} {fault.remedy}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error file={fault.file},line={fault.line},col={fault.column}::{text}"


@click.command(epilog="Example: coursewright due --build (every ten minutes, from cron)")
@in_school
@click.option("--build", "build_now", is_flag=True, help="Build, if something became due since the last build.")
@as_json
def due(school: School, build_now: bool, as_json: bool) -> None:
    """List what is published later, and say whether a build is due."""
    now = datetime.now(UTC)
    try:
        loaded = load_school(school, now=now)
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    dates = loaded.dates()
    try:
        built_at = read_manifest(school.manifest).built_at
    except ManifestUnreadable:
        built_at = None
    overdue = [what for moment, what in dates if moment <= now and (built_at is None or moment > built_at)]
    if build_now and overdue:
        build_and_say(school, None, None, None, rehearsal=False, as_json=as_json)
        return
    zone = ZoneInfo(loaded.catalog.site.timezone)
    later = [(moment, what) for moment, what in dates if moment > now]
    lines = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}  {what}" for moment, what in later] or ["Nothing is due later."]
    if overdue:
        lines.append(f"Due since the last build: {', '.join(overdue)}. Run: coursewright build")
    data = {"later": [{"at": moment.isoformat(), "what": what} for moment, what in later], "overdue": overdue}
    say(data, "\n".join(lines), as_json=as_json)
