"""What is on this machine: the database, its schema and disk, the catalogue, the folders."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from dynamic_api.core.connections import TooManyConnections, check_connections
from dynamic_api.doctor.findings import Finding, failed, passed, skipped
from dynamic_api.health.check import LEAST_FREE
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from dynamic_api.service import Service
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest

_SCARCE = 1024 * 2**20  # bytes


async def look_at_house(service: Service) -> AsyncIterator[Finding]:
    """Everything that needs no network."""
    yield await _database(service)
    yield _disk(service)
    if service.settings.valkey_url is not None:
        yield await _valkey(service)
    yield _catalogue(service)
    output = service.settings.output
    if output is None:
        yield skipped("site", "COURSEWRIGHT_OUTPUT is not set: another server has the pages")
    elif (output / "index.html").is_file():
        yield passed("site", f"{output} has a built site")
    else:
        yield failed("site", f"{output} has no built site", "Run “coursewright build”.")


async def _database(service: Service) -> Finding:
    try:
        await check_schema(service.settings.database_url)
        async with service.database.transaction() as db:
            await db.rollback()
    except SchemaUnfit as error:
        return failed("database", str(error), "Run “coursewright migrate”.")
    except (SQLAlchemyError, OSError, asyncpg.PostgresError) as error:
        words = str(getattr(error, "orig", None) or error).splitlines()[0]
        return failed("database", words, "Check COURSEWRIGHT_DATABASE_URL, and that the server runs.")
    if service.database.is_sqlite:
        return passed("database", "SQLite can be reached, and has the current schema")
    try:
        sum_of_connections = await check_connections(service.settings, 1)
    except TooManyConnections as error:
        return failed("database", str(error), "Each process of the service and each worker counts.")
    room = f"; {sum_of_connections}" if sum_of_connections else ""
    return passed("database", f"PostgreSQL can be reached, and has the current schema{room}")


async def _valkey(service: Service) -> Finding:
    if await service.throttle.answers():
        return passed("valkey", "counts limits on attempts for all processes")
    return failed("valkey", "it does not answer", "Start it, and check COURSEWRIGHT_VALKEY_URL.")


def _disk(service: Service) -> Finding:
    url = service.database.url
    if not service.database.is_sqlite or not url.database:
        return skipped("disk", "a server has the database; look at its disk there")
    folder = next(each for each in Path(url.database).resolve().parents if each.is_dir())  # before the first migrate
    free = shutil.disk_usage(folder).free
    shown = f"{free / 2**30:.1f} GB free at {folder}"
    if free < LEAST_FREE:
        return failed("disk", shown, "Make room: nothing can be written.")
    if free < _SCARCE:
        return failed("disk", shown, "Make room soon: a backup needs as much as the database.")
    return passed("disk", shown)


def _catalogue(service: Service) -> Finding:
    try:
        manifest = read_manifest(service.settings.manifest)
    except ManifestUnreadable as error:
        return failed("catalogue", str(error), "Run “coursewright build”.")
    return passed("catalogue", f"{manifest.version}, {len(manifest.catalog.published)} courses for sale")
