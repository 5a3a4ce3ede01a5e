"""The command `messages`: every email we send, filled with samples."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from dynamic_api.commands.report import CommandRefused, settings_or_none
from dynamic_api.mail.envelope import make_email
from dynamic_api.mail.samples import sample_texts
from dynamic_api.mail.text import Text
from sitegen.catalog.manifest import Manifest, ManifestUnreadable, read_manifest

_MANIFEST = Path("build/catalog.json")  # of the school in this folder, where there are no settings yet


@click.command(epilog="Example: coursewright messages receipt")
@click.argument("name", required=False)
@click.option("--folder", type=click.Path(path_type=Path), help="Write all of them there, as .html and .txt.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def messages(name: str | None, folder: Path | None, *, as_json: bool) -> None:
    """Show every email we send, filled with samples: one as plain text, or the names of all.

    They are made of the last build, so that they can be read before anything is set up.
    """
    settings = settings_or_none()
    try:
        manifest = read_manifest(settings.manifest if settings else _MANIFEST)
    except ManifestUnreadable as error:
        raise CommandRefused(str(error)) from error
    site, courses = manifest.catalog.site, manifest.catalog.published
    samples = sample_texts(site, courses[0].title if courses else "A course", site.url)
    if name is not None and name not in samples:
        raise CommandRefused(f"There is no message called {name}. There are: {', '.join(samples)}.")
    sender = settings.mail_from if settings else f"{site.name} <{site.contact_email}>"
    shown = {each: _as_sent(manifest, sender, text) for each, text in samples.items() if name in (None, each)}
    if folder is not None:
        _write_to(folder, shown)
        lines = [f"{len(shown)} messages written to {folder}."]
    elif name is not None:
        lines = [shown[name]["txt"]]
    else:
        lines = [f"{each:<20} {text.subject}" for each, text in samples.items()]
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


def _write_to(folder: Path, shown: dict[str, dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in shown.items():
        for kind, content in parts.items():
            (folder / f"{name}.{kind}").write_text(content, encoding="utf-8")


def _as_sent(manifest: Manifest, sender: str, text: Text) -> dict[str, str]:
    site = manifest.catalog.site
    message = make_email(
        text,
        site=site,
        site_url=site.url,
        sender=sender,
        to="ann@example.com",
        message_id="sample",
        now=datetime.now(UTC),
    )
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    subject = f"Subject: {text.subject}\n\n"
    return {"txt": subject + (plain.get_content() if plain else ""), "html": html.get_content() if html else ""}
