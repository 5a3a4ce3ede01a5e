"""The commands of the site: check, build, schema."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from sitegen.build import BuildFailed, SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.load import load_school
from sitegen.publish import OutputRefused
from sitegen.reference import write_reference
from sitegen.school import NoSchool, School, find_school

ROOT = Path(__file__).resolve().parent.parent


def _school(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> School:
    """The school that is named, or the one that the current folder is in."""
    try:
        return find_school(Path(os.path.relpath(value or Path.cwd())))
    except NoSchool as error:
        raise click.UsageError(str(error)) from None


_in_school = click.option(
    "--school",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    callback=_school,
    help="The school's folder; the current one, unless told otherwise.",
)
_TOLD = "If it is a quotation, say so in the lesson: write “public_excerpt:” and the words."

_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.command(epilog="Example: coursewright check")
@_in_school
@_json
def check(school: School, as_json: bool) -> None:
    """Check course files, pages and posts, and report every fault at once."""
    try:
        loaded = load_school(school, now=datetime.now(UTC))
    except CatalogInvalid as error:
        _refuse([str(fault) for fault in error.faults], "fault", as_json=as_json)
    counts = {
        "courses": len(loaded.catalog.courses),
        "pages": len(loaded.content.pages),
        "posts": len(loaded.content.posts),
    }
    words = [_count(number, noun.removesuffix("s")) for noun, number in counts.items() if number]
    _say({**counts}, f"{', '.join(words) or 'Nothing'}, no faults.", as_json=as_json)


@click.command(epilog="Example: coursewright build --site-url https://school.example")
@_in_school
@click.option("--output", type=click.Path(path_type=Path), help="Where the site goes, unless to output/ of the school.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help="Where the service's private catalogue goes, unless to build/catalog.json of the school.",
)
@click.option("--site-url", envvar="COURSEWRIGHT_SITE_URL", help="The site's own address, unless it is site.yaml's.")
@_json
def build(school: School, output: Path | None, manifest: Path | None, site_url: str | None, as_json: bool) -> None:
    """Build the site and the service's catalogue. Nothing is published when anything is wrong."""
    try:
        built = build_site(school, output=output, manifest=manifest, site_url=site_url)
    except CatalogInvalid as error:
        _refuse([str(fault) for fault in error.faults], "fault", as_json=as_json)
    except SiteLeaks as error:
        _refuse([str(leak) for leak in error.leaks], "leak", as_json=as_json)
    except (BuildFailed, OutputRefused) as error:
        _refuse(str(error).splitlines(), "problem", as_json=as_json)
    for name in built.foreign:
        click.echo(
            f"{name}: no build wrote this file; it was left in the output. Put it into public/ instead.", err=True
        )
    for leak in built.told:
        click.echo(f"{leak}\n    {_TOLD}", err=True)
    others = [f"{built.retired} retired"] * bool(built.retired) + [f"{_count(built.drafts, 'draft')} skipped"] * bool(
        built.drafts
    )
    skipped = f" ({', '.join(others)})" if others else ""
    sentence = (
        f"{_count(built.courses, 'course')}{skipped}, {_count(built.lessons, 'lesson')}, "
        f"{_count(built.pages, 'page')}; {_count(built.changed, 'file')} changed. Manifest {built.version}."
    )
    _say({**asdict(built), "told": [str(leak) for leak in built.told]}, sentence, as_json=as_json)


@click.command(epilog="Example: coursewright schema")
def schema() -> None:
    """Write docs/fields.md and the JSON Schemas from the fields of the course files."""
    for path in write_reference(ROOT / "docs"):
        click.echo(path.relative_to(ROOT))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _say(data: dict[str, object], sentence: str, *, as_json: bool) -> None:
    click.echo(json.dumps(data) if as_json else sentence)


def _refuse(messages: list[str], noun: str, *, as_json: bool) -> NoReturn:
    if as_json:
        click.echo(json.dumps({f"{noun}s": messages}))
    else:
        click.echo("\n".join((*messages, f"\n{_count(len(messages), noun)}; nothing was published.")), err=True)
    raise SystemExit(1)
