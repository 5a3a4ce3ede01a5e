"""publish, rollback, verify: the way out to the world, and back."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, Protocol

import click

from sitegen.commands.answers import (
    as_json,
    count,
    disk_sentence,
    in_school,
    refuse,
    refuse_command,
    refuse_faults,
    say,
    without_collector,
)
from sitegen.commands.build import REFUSED, tell
from sitegen.commands.diff import Counting, people_of
from sitegen.school import School

if TYPE_CHECKING:
    from sitegen.catalog.manifest import Manifest
    from sitegen.publish import Publishing
    from sitegen.publishing import Places, Plan
    from sitegen.releases import Receipt


class Installation(Counting, Protocol):
    """The service that will charge for what is published."""

    def prepare(self, manifest: "Manifest") -> str:
        """Make sure that it can use and sell a catalogue."""


class NoInstallation:
    """Where the service's part of the program is not there."""

    def prepare(self, manifest: "Manifest") -> str:
        """Nobody is asked."""
        return "There is no service beside this program: nobody was asked."


_to = click.option(
    "--to",
    metavar="PLACE",
    help="A folder, rsync:HOST:/FOLDER or s3:BUCKET/PREFIX. Unless told, COURSEWRIGHT_PUBLISH_TO, or else output/.",
)
_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@click.command(epilog="Example: coursewright publish --to rsync:school@server:/srv/school/site")
@_to
@_yes
@click.option("--all", "everything", is_flag=True, help="Write every file again, whether it changed or not.")
@in_school
@as_json
@click.pass_obj
def publish(
    installation: Installation | None, to: str | None, yes: bool, everything: bool, school: School, as_json: bool
) -> None:
    """Check, build, say what changes, ask, and publish. A publish that was cut goes on when it is run again."""
    from sitegen.build import BuildFailed, SiteLeaks, prepare_site
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.compression import compress
    from sitegen.differences.words import as_text
    from sitegen.publish import OutputRefused
    from sitegen.publishing import plan_publish, releases_of
    from sitegen.publishing import publish as publish_it

    try:
        places = _places(school, to)
        with (
            without_collector(),
            prepare_site(
                school,
                output=school.output,
                manifest=school.manifest,
                site_url=_setting(school, "SITE_URL"),
                now=datetime.now(UTC),
                for_visitors=True,
            ) as prepared,
        ):
            if not places.is_bucket:  # a bucket cannot choose what a browser can read
                compress(prepared.folder, school.compressed)
            tell({"told": [str(leak) for leak in prepared.told]})
            plan = plan_publish(releases_of(school), prepared, places.name)
            if not plan.is_new and not everything:
                data = {"published": False, "version": prepared.manifest.version}
                say(data, "This is what was published there already. If others changed files there, add --all.",
                    as_json=as_json)  # fmt: skip
                return
            people, _ = people_of(installation)
            _ask(f"{as_text(plan.changes, people)}\n\n{_files(plan)} Publish to {places.name}?", yes, as_json)
            lines = [f"{each.title}: {sentence}" for each in plan.changes for sentence in each.sentences]
            receipt, published, said = publish_it(
                school, prepared, places, installation or NoInstallation(), lines, everything=everything
            )
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    except SiteLeaks as error:
        refuse([f"{leak}\n    {REFUSED}" for leak in error.leaks], "leak", as_json=as_json)
    except (BuildFailed, OutputRefused) as error:
        refuse_command(str(error), as_json=as_json)
    except OSError as error:
        refuse_command(disk_sentence(error), as_json=as_json)
    _tell_receipt(receipt, published, said, as_json)


@click.command(epilog="Example: coursewright rollback")
@click.argument("number", type=int, required=False)
@_to
@_yes
@in_school
@as_json
@click.pass_obj
def rollback(
    installation: Installation | None, number: int | None, to: str | None, yes: bool, school: School, as_json: bool
) -> None:
    """Publish the release before the present one again, or one by its number. What was bought stays bought."""
    from sitegen.catalog.manifest import ManifestUnreadable
    from sitegen.differences.words import as_text
    from sitegen.publish import OutputRefused
    from sitegen.publishing import plan_rollback, releases_of, roll_back

    releases = releases_of(school)
    newest = releases.newest(to)
    if newest is None:
        where = f" to {to}" if to else ""
        refuse_command(f"Nothing was published from this folder{where} yet.", as_json=as_json)
    known = {each.receipt.number: each for each in releases.all() if each.receipt.to == newest.receipt.to}
    release = releases.before(newest) if number is None else known.get(number)
    if release is None:
        numbers = ", ".join(str(each) for each in known)
        which = "such release" if number is not None else "release before it"
        refuse_command(f"There is no {which}. Those that are kept: {numbers}.", as_json=as_json)
    try:
        places = _places(school, newest.receipt.to)
        when = f"{release.receipt.published_at:%Y-%m-%d %H:%M} UTC"
        people, _ = people_of(installation)
        changes = as_text(plan_rollback(releases, release), people)
        _ask(f"{changes}\n\nGo back to release {release.receipt.number} of {when}, at {places.name}?", yes, as_json)
        receipt, published, said = roll_back(school, release, places, installation or NoInstallation())
    except (OutputRefused, ManifestUnreadable) as error:
        refuse_command(str(error), as_json=as_json)
    except OSError as error:
        refuse_command(disk_sentence(error), as_json=as_json)
    _tell_receipt(receipt, published, said, as_json)


@click.command(epilog="Example: coursewright verify https://school.example")
@click.argument("url")
@click.option("--output", is_flag=True, help="Compare with output/, and not with what was published last.")
@in_school
@as_json
def verify(url: str, output: bool, school: School, as_json: bool) -> None:
    """Fetch every file of a live site and compare it with the build; exit status 1 if anything differs."""
    from sitegen.publishing import releases_of
    from sitegen.targets.remote import digests_of
    from sitegen.verify import verify_site

    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise click.UsageError(f"“{url}” is no address of a site. Write https://school.example")
    newest = None if output else releases_of(school).newest()
    folder = newest.site if newest else school.output
    files = digests_of(folder)
    if not files:
        refuse_command("There is no build to compare with. Run “coursewright build” first.", as_json=as_json)
    different = verify_site(url, files)
    build = f"release {newest.receipt.number}" if newest else str(folder)
    lines = [*map(str, different)]
    lines.append(
        f"{len(different)} of {count(len(files), 'file')} differ from {build}. “publish --all” writes them again."
        if different
        else f"{url} is {build}, byte for byte: {count(len(files), 'file')}."
    )
    data = {"files": len(files), "build": build, "different": [asdict(each) for each in different]}
    say(data, "\n".join(lines), as_json=as_json)
    if different:
        raise SystemExit(1)


def _places(school: School, to: str | None) -> "Places":
    from sitegen.publish import check_output
    from sitegen.publishing import Places
    from sitegen.targets.target import FolderTarget, find_target

    endpoint = _setting(school, "PUBLISH_S3_ENDPOINT")
    written = os.path.expanduser(to or _setting(school, "PUBLISH_TO") or str(school.output))
    private = _setting(school, "PUBLISH_PRIVATE_TO")
    site = find_target(written, endpoint=endpoint)
    if isinstance(site, FolderTarget):
        sources = (school.course_data, school.content, school.public, *school.themes)
        check_output(site.folder, manifest=school.manifest, sources=sources)
    return Places(site, written, find_target(private, endpoint=endpoint, is_private=True) if private else None)


def _setting(school: School, name: str) -> str | None:
    """A setting, from the environment or from the school's `.env`."""
    from dotenv import dotenv_values

    variable = f"COURSEWRIGHT_{name}"
    return os.environ.get(variable) or dotenv_values(school.root / ".env").get(variable) or None


def _ask(question: str, yes: bool, as_json: bool) -> None:
    if yes:
        if not as_json:
            click.echo(question.rpartition("\n\n")[0])
        return
    if as_json or not sys.stdin.isatty():
        click.echo(question, err=True)
        _refuse_silence(as_json)
    click.confirm(question, abort=True)


def _refuse_silence(as_json: bool) -> NoReturn:
    refuse_command("Nothing was published: nobody is here to ask. Add --yes.", as_json=as_json)


def _files(plan: "Plan") -> str:
    gone = f", {count(plan.removed, 'file')} to remove" if plan.removed else ""
    return f"{count(plan.written, 'file')} to write{gone}."


def _tell_receipt(receipt: "Receipt", published: "Publishing", said: str, as_json: bool) -> None:
    data: Mapping[str, object] = {**receipt.model_dump(mode="json"), "published": True, "foreign": published.foreign}
    aside = "" if receipt.is_committed else " and changes that are not committed"
    commit = f", commit {receipt.commit[:12]}{aside}" if receipt.commit else ""
    back = f", again what release {receipt.back_to} was" if receipt.back_to else ""
    lines = [
        said,
        *(f"{name}: not published by Coursewright; it was left there." for name in published.foreign),
        f"Release {receipt.number}{back}, at {receipt.to}.",
        f"{receipt.changed} of {count(receipt.files, 'file')} changed.",
        f"Catalogue {receipt.version}{commit}. Files {receipt.digest[:16]}.",
    ]
    say(data, "\n".join(lines), as_json=as_json)
