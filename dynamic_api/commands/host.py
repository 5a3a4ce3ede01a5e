"""The command `host`: configuration for what stands before the service."""

import re
import shutil
import subprocess
from pathlib import Path

import click

from dynamic_api.commands.report import settings_or_refusal
from dynamic_api.web.hosting import HOSTS, Hosting, caddyfile


@click.command(epilog="Example: coursewright host caddy > /etc/caddy/Caddyfile")
@click.argument("server", type=click.Choice(list(HOSTS)))
@click.option("--output", type=click.Path(path_type=Path), help="The built site; unless told, output/.")
@click.option("--upstream", default="127.0.0.1:8000", show_default=True, help="Where the service listens.")
@click.option("--caddy-version", metavar="2.6", help="Unless told, that of this machine’s Caddy, or the newest.")
def host(server: str, output: Path | None, upstream: str, caddy_version: str | None) -> None:
    """Write the configuration of a web server or host: headers, caching, what goes to the service, and the 404 page.

    Made of the settings, so that it says what the service itself would say.
    """
    settings = settings_or_refusal()
    folder = (output or settings.output or Path("output")).resolve()
    hosting = Hosting(settings, folder, upstream)
    if server == "caddy":
        click.echo(caddyfile(hosting, is_older=_is_older(caddy_version or _caddy_here())), nl=False)
        return
    click.echo(HOSTS[server](hosting), nl=False)


def _caddy_here() -> str:
    program = shutil.which("caddy")
    if program is None:
        return ""
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)  # noqa: S603 - Caddy itself
    return done.stdout


def _is_older(version: str) -> bool:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < (2, 7)
