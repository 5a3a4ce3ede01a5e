"""The operator's commands, `scripts/coursewright …`: thin calls into services."""

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path

from dynamic_api.cli_operator import add_operator_commands
from dynamic_api.cli_report import CommandRefused
from dynamic_api.config import Settings, SettingsInvalid, variable
from sitegen.catalog.manifest import ManifestUnreadable


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: done. 1: something needs mending first, and a sentence says what."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.run(options)
    except (SettingsInvalid, ManifestUnreadable, CommandRefused) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/coursewright")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    migrate = commands.add_parser("migrate", help="bring the database to the newest schema")
    migrate.set_defaults(run=_migrate)
    serve = commands.add_parser(
        "serve", help="run the service", epilog="Example: scripts/coursewright serve --port 8000"
    )
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.set_defaults(run=_serve)
    work = commands.add_parser("work", help="run jobs in a process of their own")
    work.set_defaults(run=_work)
    add_operator_commands(commands)
    settings = commands.add_parser("settings", help="write docs/settings.md and .env.example")
    settings.set_defaults(run=_write_settings)
    return parser


def _migrate(options: argparse.Namespace) -> int:
    from dynamic_api.migrations import upgrade_now

    settings = Settings.from_environ(os.environ)
    _make_folder(settings.database_url)
    upgrade_now(settings.database_url)
    print("The database is at the newest schema.")
    return 0


def _make_folder(url: str) -> None:
    if url.startswith("sqlite") and (path := url.partition(":///")[2]):
        Path(path).parent.mkdir(parents=True, exist_ok=True)


def _log_to_stderr() -> None:
    """Without what no line of ours says; https://docs.python.org/3/howto/logging.html#optimization"""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    settings = Settings.from_environ(os.environ)
    _log_to_stderr()
    import dynamic_api.app  # noqa: F401 - loaded now, so that what it brings is frozen with the rest

    # What is loaded lives as long as the process, and a request leaves next to nothing that only the collector finds:
    # to look through it all every 700 objects costs a tenth of the answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # A commit waits for the disk in a thread, and then for the interpreter: half a millisecond at most, not five.
    sys.setswitchinterval(0.0005)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        "dynamic_api.asgi:app",
        host=options.host,
        port=options.port,
        access_log=False,  # our own log leaves out queries, which may hold signatures
        log_level="warning",
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=10,
    )
    return 0


def _work(options: argparse.Namespace) -> int:
    _log_to_stderr()
    asyncio.run(_work_until_stopped(Settings.from_environ(os.environ)))
    return 0


async def _work_until_stopped(settings: Settings) -> None:
    from dynamic_api.app import create_service
    from dynamic_api.checkout.sweep import schedule_sweep
    from dynamic_api.gateways import open_gateways
    from dynamic_api.jobs.handlers import HANDLERS
    from dynamic_api.jobs.tidy import schedule_tidy
    from dynamic_api.jobs.worker import work

    service = create_service(settings, open_gateways(settings))
    try:
        await service.catalog.refresh()
        await schedule_sweep(service)
        await schedule_tidy(service)
        await work(service, HANDLERS)
    finally:
        await service.close()


def _write_settings(options: argparse.Namespace) -> int:
    root = Path(__file__).resolve().parent.parent
    for name, text in settings_files().items():
        (root / name).write_text(text, encoding="utf-8")
        print(name)
    return 0


def settings_files() -> Mapping[str, str]:
    """The pages that document the settings, made from the settings."""
    page = [
        "# Settings",
        "",
        "Made by `scripts/coursewright settings` from `dynamic_api/config.py`; change them there.",
        "",
    ]
    page += ["Everything is read from the environment when the service starts.", ""]
    page += ["| variable | | what it is | example | default |", "|---|---|---|---|---|"]
    example = ["# Copy to .env, fill in, and load it into the service's environment. Never commit the copy."]
    for each in fields(Settings):
        name, required = variable(each), each.default is MISSING
        default = (
            ""
            if required or each.default in (None, ())
            else f"`{str(each.default).lower() if isinstance(each.default, bool) else each.default}`"
        )
        need = "required" if required else "optional"
        page.append(f"| `{name}` | {need} | {each.metadata['help']} | `{each.metadata['example']}` | {default} |")
        example += ["", f"# {each.metadata['help']} Example: {each.metadata['example']}"]
        example.append(f"{'' if required else '# '}{name}={'' if required else default.strip('`')}")
    return {"docs/settings.md": "\n".join(page) + "\n", ".env.example": "\n".join(example) + "\n"}


if __name__ == "__main__":
    sys.exit(main())
