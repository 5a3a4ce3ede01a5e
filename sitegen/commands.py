"""The commands of the site: check, build, schema."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click

from sitegen.build import BuildFailed, SiteLeaks, build_site
from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.load import load_catalog
from sitegen.reference import write_reference

ROOT = Path(__file__).resolve().parent.parent

_course_data = click.option(
    "--course-data", type=click.Path(path_type=Path), default=ROOT / "course_data", help="The folder of course files."
)
_TOLD = "If it is a quotation, say so in the lesson: write “public_excerpt:” and the words."

_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.command(epilog="Example: coursewright check")
@_course_data
@_json
def check(course_data: Path, as_json: bool) -> None:
    """Check the course files, and report every fault at once."""
    try:
        catalog = load_catalog(_relative(course_data))
    except CatalogInvalid as error:
        _refuse([str(fault) for fault in error.faults], "fault", as_json=as_json)
    count = len(catalog.courses)
    _say({"courses": count}, f"{_count(count, 'course')}, no faults.", as_json=as_json)


@click.command(epilog="Example: coursewright build --site-url https://school.example")
@_course_data
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "output", help="Where the site goes.")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "catalog.json",
    help="Where the service's private catalogue goes.",
)
@click.option("--site-url", envvar="COURSEWRIGHT_SITE_URL", help="The site's own address, unless it is site.yaml's.")
@_json
def build(course_data: Path, output: Path, manifest: Path, site_url: str | None, as_json: bool) -> None:
    """Build the site and the service's catalogue. Nothing is published when anything is wrong."""
    try:
        built = build_site(
            ROOT, course_data=_relative(course_data), output=output, manifest=manifest, site_url=site_url
        )
    except CatalogInvalid as error:
        _refuse([str(fault) for fault in error.faults], "fault", as_json=as_json)
    except SiteLeaks as error:
        _refuse([str(leak) for leak in error.leaks], "leak", as_json=as_json)
    except BuildFailed as error:
        _refuse(str(error).splitlines(), "problem", as_json=as_json)
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


def _relative(path: Path) -> Path:
    """Relative to the current folder, so that faults name short paths."""
    return Path(os.path.relpath(path))


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
