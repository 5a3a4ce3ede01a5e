"""check: whether the files have faults. What takes long to import is imported only when there is something to check."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sitegen.commands.answers import as_json, count, in_school, refuse_faults, say, without_collector
from sitegen.school import School
from sitegen.state import State, inputs_of, lock_of, recall, remember, state_of_check

if TYPE_CHECKING:
    from sitegen.catalog.faults import Fault
    from sitegen.commands.media import Installation
    from sitegen.load import Loaded


@click.command(epilog="Example: coursewright check --watch")
@in_school
@click.option("--watch", "keep_watching", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option("--links", is_flag=True, help="Also ask other sites whether the pages that are linked to are there.")
@click.option("--media", is_flag=True, help="Also ask Stream and the file store: every video, file and caption.")
@click.option("--write", is_flag=True, help="With --media: fill in durations, and make videos need signed addresses.")
@click.option("--github", is_flag=True, help="Write each fault as an annotation of GitHub Actions.")
@as_json
@click.pass_obj
def check(
    installation: "Installation | None",
    school: School,
    keep_watching: bool,
    links: bool,
    media: bool,
    write: bool,
    github: bool,
    as_json: bool,
) -> None:
    """Check course files, pages and posts, and report every fault at once."""
    if keep_watching:
        from watchfiles import watch

        _check_once(school)
        for _ in watch(*_folders(school), raise_interrupt=False):
            click.echo()
            _check_once(school)
        return
    remembered = state_of_check(school.manifest)
    inputs, lock, last = inputs_of(school, ["check"]), lock_of(school), recall(remembered)
    if (
        last
        and not links
        and not media
        and (last.inputs, last.outputs) == (inputs, lock)
        and time.time() < (last.until or 1e12)
    ):
        say({**last.said, "faults": []}, _sentence(last.said), as_json=as_json)
        return
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.leaks.private import short_keys
    from sitegen.links import broken_links
    from sitegen.load import load_school

    now = datetime.now(UTC)
    try:
        with without_collector():
            loaded = load_school(school, now=now)
        if links and (broken := broken_links(loaded.external, school.manifest.parent / "links.json")):
            raise CatalogInvalid(broken)
    except CatalogInvalid as error:
        if github:
            for fault in error.faults:
                click.echo(_annotation(fault))
        refuse_faults(error.faults, as_json=as_json)
    if media:
        from sitegen.commands.media import check_media

        check_media(installation, school, write=write, as_json=as_json)
        return
    weak = list(short_keys(loaded.catalog))
    for course, resource in weak:
        click.echo(
            f"{course.id}: the storage key “{resource.key}” of {resource.id} is so short that the leak check cannot "
            "look for it. Give the file a longer name in storage, such as one with random letters.",
            err=True,
        )
    said = _counts(loaded)
    if not weak and inputs == inputs_of(school, ["check"]):
        due = next((moment.timestamp() for moment, _ in loaded.dates() if moment > now), None)
        with contextlib.suppress(OSError):  # files may be checked where nothing may be written
            remember(State(inputs, lock, due, said), remembered)
    say({**said, "faults": []}, _sentence(said), as_json=as_json)


def _check_once(school: School) -> None:
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.load import load_school

    try:
        click.echo(_sentence(_counts(load_school(school, now=datetime.now(UTC)))))
    except CatalogInvalid as error:
        click.echo("\n".join((*map(str, error.faults), f"\n{count(len(error.faults), 'fault')}.")))


def _folders(school: School) -> list[Path]:
    return [folder for folder in (school.course_data, school.content, school.public) if folder.is_dir()]


def _counts(loaded: "Loaded") -> dict[str, object]:
    return {
        "courses": len(loaded.catalog.courses),
        "pages": len(loaded.content.pages),
        "posts": len(loaded.content.posts),
    }


def _sentence(counts: dict[str, object]) -> str:
    words = [
        count(number, noun.removesuffix("s")) for noun, number in counts.items() if isinstance(number, int) and number
    ]
    return f"{', '.join(words) or 'Nothing'}, no faults."


def _annotation(fault: "Fault") -> str:
    """https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message"""
    text = f"{fault.problem} {fault.remedy}".replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error file={fault.file},line={fault.line},col={fault.column}::{text}"
