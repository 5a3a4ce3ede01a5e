"""build: from files to a site. What takes long to import is imported only when there is something to build."""

import re
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from sitegen.commands.answers import as_json, count, in_school, say, without_collector
from sitegen.school import School
from sitegen.state import State, inputs_of, outputs_of, recall, remember, state_of_build

REFUSED = "Take it out of this page; or, if these words may be public, write them into the lesson’s “public_excerpt:”."
_TOLD = "If it is a quotation, say so in the lesson: write “public_excerpt:” and the words."


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
@click.option(
    "--compress", "compressed", is_flag=True, help="Write compressed files beside the others, as publish does."
)
@click.option("--clean", is_flag=True, help="Build all of it anew, even if nothing changed.")
@as_json
def build(
    school: School,
    output: Path | None,
    manifest: Path | None,
    site_url: str | None,
    rehearsal: bool,
    clean: bool,
    compressed: bool,
    as_json: bool,
) -> None:
    """Build the site and the service's catalogue. Nothing is published when anything is wrong."""
    site_url = site_url.rstrip("/") if site_url else None
    if site_url and not re.fullmatch(r"https?://[^/\s]+", site_url):
        raise click.BadParameter("write it without a path, such as https://school.example", param_hint="--site-url")
    place, catalog = output or school.output, manifest or school.manifest
    options = (str(place), str(catalog), site_url or "", str(rehearsal), str(compressed))
    if clean:
        for folder in school.made:
            shutil.rmtree(folder, ignore_errors=True)
    last = None if clean else recall(state_of_build(catalog))
    if (
        last is not None
        and (last.until is None or time.time() < last.until)
        and last.inputs == inputs_of(school, options)
        and last.outputs == outputs_of(school, place, catalog)
    ):
        said = {**last.said, "changed": 0}
        tell(said)
        say(said, f"Nothing changed since the last build. Manifest {said['version']}.", as_json=as_json)
        return
    build_and_say(school, output, manifest, site_url, rehearsal=rehearsal, compressed=compressed, as_json=as_json)


def build_and_say(
    school: School,
    output: Path | None,
    manifest: Path | None,
    site_url: str | None,
    *,
    rehearsal: bool,
    as_json: bool,
    compressed: bool = False,
) -> None:
    """Build, say what was built, and remember it; or say what is wrong, with exit status 1."""
    from dataclasses import asdict

    from sitegen.build import BuildFailed, SiteLeaks, build_site
    from sitegen.catalog.faults import CatalogInvalid
    from sitegen.commands.answers import disk_sentence, refuse, refuse_faults
    from sitegen.publish import OutputRefused

    place, catalog = output or school.output, manifest or school.manifest
    options = (str(place), str(catalog), site_url or "", str(rehearsal), str(compressed))
    before = inputs_of(school, options)
    try:
        with without_collector():
            built = build_site(
                school,
                output=output,
                manifest=manifest,
                site_url=site_url,
                rehearsal=rehearsal,
                for_visitors=True,
                compressed=compressed,
            )
    except CatalogInvalid as error:
        refuse_faults(error.faults, as_json=as_json)
    except SiteLeaks as error:
        refuse([f"{leak}\n    {REFUSED}" for leak in error.leaks], "leak", as_json=as_json)
    except (BuildFailed, OutputRefused) as error:
        refuse(str(error).splitlines(), "problem", as_json=as_json)
    except OSError as error:
        refuse([disk_sentence(error)], "problem", as_json=as_json)
    others = [f"{built.retired} retired"] * bool(built.retired)
    others += [f"{count(built.drafts, 'draft')} skipped"] * bool(built.drafts)
    aside = f" ({', '.join(others)})" if others else ""
    sentence = (
        f"{count(built.courses, 'course')}{aside}, {count(built.lessons, 'lesson')}, "
        f"{count(built.pages, 'page')}; {count(built.changed, 'file')} changed. Manifest {built.version}."
    )
    said = {**asdict(built), "told": [str(leak) for leak in built.told], "foreign": list(built.foreign)}
    if before == inputs_of(school, options):  # else a file was saved meanwhile, and may not be in it
        remember(State(before, outputs_of(school, place, catalog), built.due, said), state_of_build(catalog))
    tell(said)
    say(said, sentence, as_json=as_json)


def tell(said: Mapping[str, object]) -> None:
    """What the creator should look at, though it is no mistake."""
    told, foreign = said.get("told"), said.get("foreign")
    for name in foreign if isinstance(foreign, list) else ():
        click.echo(f"{name}: no build wrote this file; it was left there. Put it into public/ instead.", err=True)
    unfinished = said.get("unfinished")
    for sentence in unfinished if isinstance(unfinished, list | tuple) else ():
        click.echo(sentence, err=True)
    unlinked = said.get("unlinked")
    for name in unlinked if isinstance(unlinked, list | tuple) else ():
        problem = f"{name}: no page links to this one, and it is public all the same."
        click.echo(f"{problem} Add it to “menu:” or “footer:” in site.yaml.", err=True)
    untranslated = said.get("untranslated")
    missing = Counter(language for language, _ in untranslated) if isinstance(untranslated, list | tuple) else {}
    for language, number in missing.items():
        problem = f"{count(number, 'sentence')} of the pages had no translation into “{language}” and stayed English"
        click.echo(f"{problem}. See which: coursewright i18n check", err=True)
    for leak in told if isinstance(told, list) else ():
        click.echo(f"{leak}\n    {_TOLD}", err=True)
