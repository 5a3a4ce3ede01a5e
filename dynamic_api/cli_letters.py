"""The command `mail`: every letter we write, filled with samples."""

import argparse

from dynamic_api.cli_report import CommandRefused, Report
from dynamic_api.mail.envelope import envelope
from dynamic_api.mail.messages import Letter
from dynamic_api.mail.samples import sample_letters
from dynamic_api.service import Service


async def show_letters(service: Service, options: argparse.Namespace) -> Report:
    """One letter as plain text, or the names of all; `--folder` writes them, HTML too."""
    current = service.catalog.current
    title = current.courses[0].file.title if current.courses else "A course"
    letters = sample_letters(current.site, title, service.settings.site_url)
    if options.name is not None and options.name not in letters:
        raise CommandRefused(f"There is no letter called {options.name}. There are: {', '.join(letters)}.")
    shown = {name: _as_sent(service, letter) for name, letter in letters.items() if options.name in (None, name)}
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        for name, parts in shown.items():
            for kind, text in parts.items():
                (options.folder / f"{name}.{kind}").write_text(text, encoding="utf-8")
        return Report([f"{len(shown)} letter(s) written to {options.folder}."], {"letters": list(shown)})
    if options.name is not None:
        return Report([shown[options.name]["txt"]], {options.name: shown[options.name]})
    return Report([f"{name:<20} {letter.subject}" for name, letter in letters.items()], shown)


def _as_sent(service: Service, letter: Letter) -> dict[str, str]:
    message = envelope(
        letter,
        site=service.catalog.current.site,
        site_url=service.settings.site_url,
        sender=service.settings.mail_from,
        to="ann@example.com",
        message_id="sample",
        now=service.clock(),
    )
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    subject = f"Subject: {letter.subject}\n\n"
    return {"txt": subject + (text.get_content() if text else ""), "html": html.get_content() if html else ""}
