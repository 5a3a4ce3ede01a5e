"""due: what is published later."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.commands.answers import as_json, in_school, refuse_faults, say
from sitegen.commands.build import build_and_say
from sitegen.load import load_school
from sitegen.school import School


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
    if not overdue:
        lines.append(f"Nothing became due since the last build. Times are those of {zone.key}.")
    if overdue:
        lines.append(f"Due since the last build: {', '.join(overdue)}. Run: coursewright build")
    data = {"later": [{"at": moment.isoformat(), "what": what} for moment, what in later], "overdue": overdue}
    say(data, "\n".join(lines), as_json=as_json)
