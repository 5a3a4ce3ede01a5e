"""The commands that run the service: migrate, serve, work."""

import asyncio
import contextlib
import logging
import os
import signal
import tempfile

import click

from dynamic_api.backups.database import make_file
from dynamic_api.commands.report import DATABASE_FAULTS, CommandRefused, database_refusal, settings_or_refusal
from dynamic_api.core.settings import Settings, SettingsInvalid
from dynamic_api.web.logs import log_to_stderr
from sitegen.catalog.manifest import ManifestRefused, ManifestUnreadable


@click.command(epilog="Example: coursewright migrate")
@click.option("--back-to", metavar="VERSION", help="Take back what came after an earlier version.")
@click.option("--yes", is_flag=True, help="With --back-to: what only later versions store may be deleted.")
def migrate(back_to: str | None, *, yes: bool) -> None:
    """Update the database to the current schema. Run it before the first start, and after every upgrade."""
    from dynamic_api.migrations import upgrade_now
    from dynamic_api.migrations.schema import SchemaUnfit, check_schema

    settings = settings_or_refusal()
    try:
        asyncio.run(check_schema(settings.database_url))
    except SchemaUnfit as error:
        if not error.can_be_migrated:
            raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    if back_to is not None:
        _go_back(settings, back_to, yes=yes)
        return
    make_file(settings.database_url)
    try:
        upgrade_now(settings.database_url)
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    click.echo("The database has the current schema.")


def _go_back(settings: Settings, version: str, *, yes: bool) -> None:
    """The schema of an earlier release. What only later ones store is lost; orders and access are in all of them."""
    from dynamic_api.migrations import downgrade
    from dynamic_api.migrations.releases import RELEASES

    if version not in RELEASES:
        raise CommandRefused(f"There is no release {version}. These are known: {', '.join(RELEASES)}.")
    asyncio.run(_require_database(settings, 1))
    if not yes:
        raise CommandRefused(
            f"Going back to {version} deletes what only later versions store, such as reviews; orders and access stay. "
            "Stop the service, make a backup (coursewright backup), and say that you mean it: --yes."
        )
    try:
        asyncio.run(downgrade(settings.database_url, RELEASES[version]))
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error
    click.echo(f"The database has the schema of {version}. Install that version now, and start it.")


@click.command(epilog="Example: coursewright serve --port 8000")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes that answer.")
@click.option("--allow-older", is_flag=True, help="Use the manifest although the service has used a newer one.")
def serve(host: str, port: int, workers: int, *, allow_older: bool) -> None:
    """Run the service.

    One process is enough for SQLite, which has one writer at a time; several are safe with it, and each adds what
    computing alone takes. On PostgreSQL each brings its own connections: their sum is checked first.
    """
    import uvicorn

    from dynamic_api.gateways.streaming import Streaming

    settings = settings_or_refusal()
    log_to_stderr()
    if settings.output is not None and not settings.output.is_dir():
        raise CommandRefused(f"COURSEWRIGHT_OUTPUT: there is no folder {settings.output}. Run “coursewright build”.")
    asyncio.run(_require_database(settings, workers))
    try:
        Streaming(settings)
    except SettingsInvalid as error:
        raise CommandRefused(str(error)) from error
    if allow_older:
        asyncio.run(_use_manifest(settings))
    from dynamic_api.web.metrics import SHARED_FOLDER
    from dynamic_api.web.parent import announce_parent
    from dynamic_api.web.protocol import LimitedProtocol

    if workers > 1:
        announce_parent()
        os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="coursewright-metrics-")
    uvicorn.run(
        "dynamic_api.asgi:app",
        host=host,
        port=port,
        workers=workers,
        http=LimitedProtocol,
        ws="none",
        access_log=False,  # our own log leaves out query strings, which may hold signatures
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=10,
    )


async def _require_database(settings: Settings, processes: int) -> None:
    """Refuse to run on a database that is not ready, with the command that makes it so."""
    from dynamic_api.core.connections import TooManyConnections, check_connections
    from dynamic_api.migrations.schema import SchemaUnfit, check_schema

    try:
        await check_schema(settings.database_url)
        await check_connections(settings, processes)
    except (SchemaUnfit, TooManyConnections) as error:
        raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise database_refusal(error) from error


async def _use_manifest(settings: Settings) -> None:
    """Use the present manifest from now on, whatever was used before."""
    from dynamic_api.app import create_service
    from dynamic_api.gateways import open_gateways

    service = create_service(settings, open_gateways(settings))
    try:
        await service.catalog.refresh(allow_older=True)
    except (ManifestUnreadable, ManifestRefused) as error:
        raise CommandRefused(str(error)) from error
    finally:
        await service.close()


@click.command(epilog="Example: coursewright work")
def work() -> None:
    """Run jobs in a process of their own."""
    settings = settings_or_refusal()
    log_to_stderr()
    logging.getLogger("coursewright.worker").info("working")
    try:
        asyncio.run(_work(settings))
    except KeyboardInterrupt:
        return
    except (ManifestUnreadable, ManifestRefused) as error:
        raise CommandRefused(str(error)) from error


async def _work(settings: Settings) -> None:
    from dynamic_api.app import create_service
    from dynamic_api.core.outages import wait_out
    from dynamic_api.gateways import open_gateways
    from dynamic_api.handlers import HANDLERS
    from dynamic_api.jobs.regular import schedule_regular_jobs
    from dynamic_api.jobs.worker import work as run_jobs
    from dynamic_api.orders.money_mode import use_money_mode

    await _require_database(settings, 1)
    service = create_service(settings, open_gateways(settings))
    try:
        await wait_out(service.catalog.start)
        await wait_out(lambda: use_money_mode(service))
        await wait_out(lambda: schedule_regular_jobs(service))
        running = asyncio.create_task(run_jobs(service, HANDLERS))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):  # interrupted jobs are handed back
            await running
    finally:
        await service.close()
