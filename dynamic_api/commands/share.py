"""The command `share`: a link to a draft, for an editor without an account."""

import click

from dynamic_api.commands.report import CommandRefused, Report, operator_command
from dynamic_api.learning.drafts import draft_link
from dynamic_api.service import Service
from sitegen.catalog.manifest import drafts_folder


@operator_command("bread --days 14")
@click.argument("course")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="For how long it works.")
async def share(service: Service, course: str, days: int) -> Report:
    """Print a link to a draft as the last build has it. Whoever has the link can read all of it, videos excepted."""
    if not (drafts_folder(service.settings.manifest) / course / "index.html").is_file():
        raise CommandRefused(f"There is no draft “{course}” in the last build. Run “coursewright build” first.")
    link = draft_link(service.settings, course, days=days, now=service.clock())
    return Report([link], {"link": link, "days": days})
