"""The commands backup, restore and drill."""

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import make_url

from dynamic_api import __version__
from dynamic_api.backups.archive import CATALOGUE, name_of, open_backup, write_archive
from dynamic_api.backups.database import BackupRefused, dump_database, load_database
from dynamic_api.backups.drill import count_rows, drill_backup
from dynamic_api.backups.places import FolderPlace, backups_in, open_place, rotate
from dynamic_api.commands.report import (
    DATABASE_FAULTS,
    CommandRefused,
    database_refusal,
    settings_or_none,
    settings_or_refusal,
)
from dynamic_api.core.database import Database
from dynamic_api.core.operator_notices import tell_operator
from dynamic_api.core.settings import Settings
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest


@click.command(epilog="Example: coursewright backup /srv/backups --keep 30")
@click.argument("place", metavar="FOLDER|FILE|s3:BUCKET")
@click.option("--keep", type=click.IntRange(min=1), default=30, show_default=True, help="How many are kept.")
def backup(place: str, keep: int) -> None:
    """Write all that cannot be made again into one file, while the service runs.

    To a folder or a bucket under a name with the moment, where the oldest go; or to a file that is named. A backup to a
    folder or a bucket that fails is told to the school's own address as well: nobody watches it at night.
    """
    settings = settings_or_refusal()
    try:
        if _is_file(place):
            target = Path(place)
            if target.exists():
                raise CommandRefused(f"{target} exists already; name another file.")
            if not target.parent.is_dir():
                raise CommandRefused(f"There is no folder {target.parent}.")
            _write(settings, target)
            click.echo(f"{target}: {target.stat().st_size:,} bytes. Keep the course repository and .env beside it.")
            return
        store = open_place(place, settings.publish_s3_endpoint)
        with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
            folder = Path(place) if isinstance(store, FolderPlace) else Path(name)
            target = folder / name_of(datetime.now(UTC))
            _write(settings, target)
            size = target.stat().st_size
            where = store.put(target)
        gone = rotate(store, keep)
    except (BackupRefused, OSError, sqlite3.Error) as error:
        if not _is_file(place):
            _tell_operator(settings, "backup", place, f"The backup to {place} failed. {error}")
        raise CommandRefused(str(error)) from error
    forgotten = f" {len(gone)} older than the newest {keep} removed." if gone else ""
    click.echo(f"{where}: {size:,} bytes.{forgotten} Keep the course repository and .env beside it.")


@click.command(epilog="Example: coursewright restore /srv/backups/coursewright-20261130-030000.tar")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Fill an empty database from a backup. Stop the service first; nothing that exists is overwritten."""
    url = make_url(settings_or_refusal().database_url)
    try:
        with open_backup(file) as opened:
            load_database(opened.database, url)
    except BackupRefused as error:
        raise CommandRefused(str(error)) from error
    except DATABASE_FAULTS as error:
        raise CommandRefused(f"{database_refusal(error).message} An empty database has to be there.") from error
    click.echo("Restored. Run “coursewright migrate”, then start the service.")


@click.command(epilog="Example: coursewright drill /srv/backups")
@click.argument("place", metavar="FOLDER|FILE|s3:BUCKET")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def drill(place: str, as_json: bool) -> None:
    """Restore the newest backup into a scratch place and ask it hard questions; exit status 1 if it is none.

    Changes nothing of the running installation. A dump of PostgreSQL is tried in a database of its own, on the same
    server. What fails is told to the school's own address as well, unless a file is named.
    """
    settings, started = settings_or_none(), datetime.now(UTC)
    is_file = _is_file(place) or Path(place).is_file()
    with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
        scratch = Path(name)
        try:
            file = _newest(place, scratch)
            server = make_url(settings.database_url) if settings else None
            done = asyncio.run(drill_backup(file, scratch, server))
        except (BackupRefused, OSError) as error:
            if settings is not None and not is_file:
                _tell_operator(settings, "drill", place, f"The trial of the backups in {place} failed. {error}")
            raise CommandRefused(str(error)) from error
    seconds = (datetime.now(UTC) - started).total_seconds()
    data = {"file": file.name, "seconds": round(seconds, 1), **asdict(done)}
    if as_json:
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    else:
        made = f", of {done.about.made_at}" if done.about else ""
        lines = [f"{file.name}{made}, restored in {seconds:.1f} seconds.", *(f"✓ {each}" for each in done.passed)]
        click.echo("\n".join([*lines, *(f"✗ {each}" for each in done.failed)]))
    if done.failed:
        if settings is not None and not is_file:
            said = "; ".join(done.failed)
            sentence = f"The newest backup in {place}, {file.name}, failed its trial: {said}."
            _tell_operator(settings, "drill", place, sentence)
        raise SystemExit(1)


def _is_file(place: str) -> bool:
    """A file has an ending. What has none is a folder, also when its disk is not there tonight."""
    return not place.startswith("s3:") and not Path(place).is_dir() and Path(place).suffix != ""


def _tell_operator(settings: Settings, what: str, place: str, sentence: str) -> None:
    """Once a day for each place: a mistyped folder is another thing than the one of every night."""
    subject = f"{what}.{hashlib.sha256(place.encode()).hexdigest()[:12]}"

    async def tell() -> None:
        database = Database(settings.database_url)
        try:
            async with database.transaction() as db:
                await tell_operator(db, subject, sentence, now=datetime.now(UTC))
        finally:
            await database.close()

    try:
        asyncio.run(tell())
    except DATABASE_FAULTS as error:
        click.echo(f"The school's own address was not told: {database_refusal(error).message}", err=True)


def _newest(place: str, scratch: Path) -> Path:
    if not place.startswith("s3:") and Path(place).is_file():
        return Path(place)
    endpoint = settings_or_refusal().publish_s3_endpoint if place.startswith("s3:") else None
    store = open_place(place, endpoint)
    names = backups_in(store)
    if not names:
        raise BackupRefused(f"There is no backup in {place}.")
    return store.get(names[-1], scratch)


def _write(settings: Settings, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="coursewright-", dir=target.parent) as name:
        folder = Path(name)
        database = dump_database(make_url(settings.database_url), folder)
        members = [database]
        catalogue = ""
        try:
            catalogue = read_manifest(settings.manifest).version
            copy = folder / CATALOGUE
            copy.write_bytes(settings.manifest.read_bytes())
            members.append(copy)
        except ManifestUnreadable:
            pass  # it can be built again
        about = {
            "program": __version__,
            "made_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "schema": _schema(database),
            "catalogue": catalogue,
            "settings": sorted(name for name in settings.model_fields_set),
            "rows": count_rows(database),
        }
        write_archive(target, members, about)


def _schema(database: Path) -> str:
    if database.suffix != ".sqlite3":
        return ""
    with contextlib.closing(sqlite3.connect(database)) as opened:
        found = opened.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(found[0]) if found else ""
