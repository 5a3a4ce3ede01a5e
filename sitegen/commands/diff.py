"""diff: what publishing the files as they are would change for visitors and learners."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import click

from sitegen.commands.answers import as_json, in_school, refuse_command, refuse_faults, say, without_collector
from sitegen.school import School

if TYPE_CHECKING:
    from sitegen.differences.words import People


class Counted(Protocol):
    """How many people own each course, and how many of them are in the middle of it; or why nobody counted."""

    people: Mapping[str, tuple[int, int]]
    unknown: str


class Counting(Protocol):
    """The installation, as far as a difference needs it."""

    def count_people(self) -> Counted:
        """Never fails."""


@click.command(epilog="Example: coursewright diff --against main")
@click.option(
    "--against",
    metavar="COMMIT|URL",
    help="A commit of this repository, or the address of a live site; unless told, what was published or built last.",
)
@click.option("--markdown", is_flag=True, help="Write Markdown, for a comment on a pull request.")
@in_school
@as_json
@click.pass_obj
def diff(installation: Counting | None, against: str | None, markdown: bool, school: School, as_json: bool) -> None:
    """Say what changes: prices, what is free, courses, lessons, addresses, and how many people own them."""
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.differences.against import (
        CannotCompare,
        facts_of_commit,
        facts_of_manifest,
        facts_of_site,
        only_public,
    )
    from sitegen.differences.compare import compare
    from sitegen.differences.facts import facts_of
    from sitegen.differences.words import as_markdown, as_text
    from sitegen.load import load_school
    from sitegen.publishing import releases_of

    if against is not None and not against.strip():
        raise click.UsageError("--against needs a commit, or the address of a live site.")
    now = datetime.now(UTC)
    try:
        with without_collector():
            if against and against.startswith(("http://", "https://")):
                before, after = facts_of_site(against), only_public(school, now=now)
            else:
                newest = releases_of(school).newest()
                published = newest.folder / "catalog.json" if newest else school.manifest
                before = facts_of_commit(school, against, now=now) if against else facts_of_manifest(published)
                after = facts_of(load_school(school, now=now).catalog.at(now))
    except CannotCompare as error:
        refuse_command(str(error), as_json=as_json)
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    changes = compare(before, after)
    people, unknown = people_of(installation)
    shown = as_markdown(changes, people) if markdown else as_text(changes, people)
    if changes and unknown and not markdown:
        shown += f"\n\nHow many people own these courses is not known: the settings here are not complete. {unknown}"
    data = [
        {"course": each.id, "title": each.title, "changes": each.sentences,
         "owners": people[each.id].owners if each.id in people else None,
         "learning": people[each.id].learning if each.id in people else None}
        for each in changes
    ]  # fmt: skip
    say({"courses": data}, shown, as_json=as_json)


def people_of(installation: Counting | None) -> "tuple[Mapping[str, People], str]":
    """Who owns each course, and why it is not known where it is not."""
    from sitegen.differences.words import People

    if installation is None:
        return {}, "there is no service beside this program."
    counted = installation.count_people()
    return {course: People(*numbers) for course, numbers in counted.people.items()}, counted.unknown
