"""The command `share`: a link to a draft, for an editor without an account. It needs three of the settings alone."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import click
from dotenv import dotenv_values
from pydantic import SecretStr

from dynamic_api.core.clock import utc_now
from dynamic_api.core.settings import ENV_FILE, Settings, variable
from dynamic_api.learning.drafts import draft_link
from sitegen.catalog.manifest import drafts_folder


@dataclass(frozen=True)
class _Secret:
    secret_key: SecretStr


@click.command(epilog="Example: coursewright share bread --days 14")
@click.argument("course")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="For how long it works.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def share(course: str, days: int, as_json: bool) -> None:
    """Print a link to a draft on the live site. Whoever has the link can read all of it, videos excepted.

    The live site must run with this COURSEWRIGHT_SECRET_KEY, and have the draft in its last build.
    """
    manifest = Path(_setting("manifest") or Settings.model_fields["manifest"].default)
    if not (drafts_folder(manifest) / course / "index.html").is_file():
        known = sorted(path.parent.name for path in drafts_folder(manifest).glob("*/index.html"))
        hint = f"Drafts: {', '.join(known)}." if known else "It has none: run “coursewright build” first."
        raise click.ClickException(f"There is no draft “{course}” in the last build. {hint}")
    secret, site_url = _setting("secret_key"), _setting("site_url")
    missing = [variable(name) for name, value in (("secret_key", secret), ("site_url", site_url)) if not value]
    if missing or not secret or not site_url:
        raise click.ClickException(
            f"Set {' and '.join(missing)}, as the live site has it, in .env: the link is made from it."
        )
    link = draft_link(_Secret(SecretStr(secret)), site_url.rstrip("/"), course, days=days, now=utc_now())
    click.echo(json.dumps({"link": link, "days": days}) if as_json else link)


def _setting(field: str) -> str | None:
    name = variable(field)
    return os.environ.get(name) or dotenv_values(ENV_FILE).get(name)
