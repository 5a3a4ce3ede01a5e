"""check, build, due: from files to a site."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from watchfiles import watch

from sitegen.build import BuildFailed, SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.commands.answers import as_json, count, in_school, refuse, refuse_faults, say
from sitegen.load import Loaded, load_school
from sitegen.publish import OutputRefused
from sitegen.school import School

_TOLD = "If it is a quotation, say so in the lesson: write “public_excerpt:” and the words."


@click.command(epilog="Example: coursewright check --watch")
@in_school
@click.option("--watch", "keep_watching", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option("--github", is_flag=True, help="Write each fault as an annotation of GitHub Actions.")
@as_json
def check(school: School, keep_watching: bool, github: bool, as_json: bool) -> None:
    """Check course files, pages and posts, and report every fault at once."""
    if keep_watching:
        _check_once(school)
        for _ in watch(*_folders(school), raise_interrupt=False):
            click.echo()
            _check_once(school)
        return
    try:
        loaded = load_school(school, now=datetime.now(UTC))
    except CatalogInvalid as error:
        if github:
            for fault in error.faults:
                click.echo(_annotation(fault))
        refuse_faults(error.faults, as_json=as_json)
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


@click.command(epilog="Example: coursewright build --site-url https://school.example")
@in_school
@click.option("--output", type=click.Path(path_type=Path), help="Where the site goes, unless to output/ of the school.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="Where the service's private catalogue goes, unless to build/catalog.json of the school.",
)
@click.option("--site-url", envvar="COURSEWRIGHT_SITE_URL", help="The site's own address, unless it is site.yaml's.")
@click.option("--rehearsal", is_flag=True, help="Leave published.lock as it is: this build is not for the public.")
@as_json
def build(
    school: School, output: Path | None, manifest: Path | None, site_url: str | None, rehearsal: bool, as_json: bool
) -> None:
    """Build the site and the service's catalogue. Nothing is published when anything is wrong."""
    _build(school, output=output, manifest=manifest, site_url=site_url, rehearsal=rehearsal, as_json=as_json)


def _build(
    school: School, *, output: Path | None, manifest: Path | None, site_url: str | None, rehearsal: bool, as_json: bool
) -> None:
    try:
        built = build_site(school, output=output, manifest=manifest, site_url=site_url, rehearsal=rehearsal)
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    except SiteLeaks as error:
        refuse([str(leak) for leak in error.leaks], "leak", as_json=as_json)
    except (BuildFailed, OutputRefused) as error:
        refuse(str(error).splitlines(), "problem", as_json=as_json)
    for name in built.foreign:
        click.echo(f"{name}: no build wrote this file; it was left there. Put it into public/ instead.", err=True)
    for leak in built.told:
        click.echo(f"{leak}\n    {_TOLD}", err=True)
    others = [f"{built.retired} retired"] * bool(built.retired)
    others += [f"{count(built.drafts, 'draft')} skipped"] * bool(built.drafts)
    aside = f" ({', '.join(others)})" if others else ""
    sentence = (
        f"{count(built.courses, 'course')}{aside}, "
        f"{count(built.lessons, 'lesson')}, {count(built.pages, 'page')}; {count(built.changed, 'file')} changed. "
        f"Manifest {built.version}."
    )
    say({**asdict(built), "told": [str(leak) for leak in built.told]}, sentence, as_json=as_json)


@click.command(epilog="Example, every ten minutes from cron: coursewright due --build")
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
        _build(school, output=None, manifest=None, site_url=None, rehearsal=False, as_json=as_json)
        return
    zone = ZoneInfo(loaded.catalog.site.timezone)
    later = [(moment, what) for moment, what in dates if moment > now]
    lines = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}  {what}" for moment, what in later] or ["Nothing is due later."]
    if overdue:
        lines.append(f"Due since the last build: {', '.join(overdue)}. Run: coursewright build")
    data = {"later": [{"at": moment.isoformat(), "what": what} for moment, what in later], "overdue": overdue}
    say(data, "\n".join(lines), as_json=as_json)
