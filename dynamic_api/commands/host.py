"""The command `host`: configuration for what stands before the service, and for what keeps it running."""

import re
import shutil
import subprocess
from pathlib import Path

import click

from dynamic_api.commands.report import CommandRefused, settings_or_refusal
from dynamic_api.web.hosting import HOSTS, Hosting, caddyfile
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.school import shipped

RUNNERS = ("systemd", "container")  # folders of `deploy/`: files that name no setting, and are copied as they are


@click.command(epilog="Example: coursewright host caddy > /etc/caddy/Caddyfile")
@click.argument("server", type=click.Choice([*HOSTS, *RUNNERS]))
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Folder; systemd, container.")
@click.option("--output", type=click.Path(path_type=Path), help="The built site; unless told, output/.")
@click.option("--upstream", default="127.0.0.1:8000", show_default=True, help="Where the service listens.")
@click.option("--caddy-version", metavar="2.6", help="Unless told, that of this machine’s Caddy, or the newest.")
def host(server: str, to: Path | None, output: Path | None, upstream: str, caddy_version: str | None) -> None:
    """Write the configuration of a web server or host: headers, caching, what goes to the service, and the 404 page.

    Made of the settings, so that it says what the service itself would say. `systemd` and `container` write the files
    that keep the service running into the folder --to, and leave alone what is there already and differs.
    """
    if server in RUNNERS:
        if to is None:
            raise click.UsageError(f"Several files are written for {server}: name their folder with --to.")
        _copy(shipped("deploy") / server, to)
        return
    settings = settings_or_refusal()
    folder = (output or settings.output or Path("output")).resolve()
    hosting = Hosting(settings, folder, upstream, _snippet_hosts(settings.manifest))
    if server == "caddy":
        click.echo(caddyfile(hosting, is_older=_is_older(caddy_version or _caddy_here())), nl=False)
        return
    click.echo(HOSTS[server](hosting), nl=False)


def _snippet_hosts(manifest: Path) -> tuple[str, ...]:
    """What the creator's snippet loads from; none before the first build."""
    try:
        return read_manifest(manifest).catalog.site.head_hosts
    except ManifestUnreadable:
        return ()


def _copy(source: Path, target: Path) -> None:
    files = sorted(path.relative_to(source) for path in source.rglob("*") if path.is_file())
    changed = [
        str(target / file)
        for file in files
        if (target / file).exists() and (target / file).read_bytes() != (source / file).read_bytes()
    ]
    if changed:
        raise CommandRefused(f"These files are there and differ; move them away first: {', '.join(changed)}.")
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, target / file)
        click.echo(target / file)


def _caddy_here() -> str:
    program = shutil.which("caddy")
    if program is None:
        return ""
    done = subprocess.run([program, "version"], capture_output=True, text=True, check=False)  # noqa: S603 - Caddy itself
    return done.stdout


def _is_older(version: str) -> bool:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) < (2, 7)
