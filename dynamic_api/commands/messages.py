"""The command `messages`: every email we send, filled with samples."""

from pathlib import Path

import click

from dynamic_api.commands.report import CommandRefused, Report, operator_command
from dynamic_api.mail.envelope import make_email
from dynamic_api.mail.samples import sample_texts
from dynamic_api.mail.text import Text
from dynamic_api.service import Service


@operator_command("receipt")
@click.argument("name", required=False)
@click.option("--folder", type=click.Path(path_type=Path), help="Write all of them there, as .html and .txt.")
async def messages(service: Service, name: str | None, folder: Path | None) -> Report:
    """Show every email we send, filled with samples: one as plain text, or the names of all."""
    catalog = service.catalog.current
    title = catalog.courses[0].definition.title if catalog.courses else "A course"
    samples = sample_texts(catalog.site, title, service.settings.site_url)
    if name is not None and name not in samples:
        raise CommandRefused(f"There is no message called {name}. There are: {', '.join(samples)}.")
    shown = {each: _as_sent(service, text) for each, text in samples.items() if name in (None, each)}
    if folder is not None:
        _write_to(folder, shown)
        return Report([f"{len(shown)} messages written to {folder}."], {"messages": list(shown)})
    if name is not None:
        return Report([shown[name]["txt"]], {name: shown[name]})
    return Report([f"{each:<20} {text.subject}" for each, text in samples.items()], shown)


def _write_to(folder: Path, shown: dict[str, dict[str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, parts in shown.items():
        for kind, content in parts.items():
            (folder / f"{name}.{kind}").write_text(content, encoding="utf-8")


def _as_sent(service: Service, text: Text) -> dict[str, str]:
    message = make_email(
        text,
        site=service.catalog.current.site,
        site_url=service.settings.site_url,
        sender=service.settings.mail_from,
        to="ann@example.com",
        message_id="sample",
        now=service.clock(),
    )
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    subject = f"Subject: {text.subject}\n\n"
    return {"txt": subject + (plain.get_content() if plain else ""), "html": html.get_content() if html else ""}
