"""The commands backup and restore. Both work while the service runs; a plain copy of the file would not.

SQLite: the online backup API (https://sqlite.org/backup.html). PostgreSQL: its own pg_dump and pg_restore.
"""

import asyncio
import contextlib
import os
import sqlite3
import subprocess
from pathlib import Path

import click
from sqlalchemy import URL, make_url

from dynamic_api.commands.report import CommandRefused, settings_or_refusal
from dynamic_api.core.database import postgresql_dsn

_OURS = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"


@click.command(epilog="Example: coursewright backup /srv/backups/school-2026-11-30.backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write a complete copy of the database to a file, while the service runs."""
    if file.exists():
        raise CommandRefused(f"{file} exists already; name another file.")
    if not file.parent.is_dir():
        raise CommandRefused(f"There is no folder {file.parent}.")
    url = make_url(settings_or_refusal().database_url)
    draft = file.with_name(f".{file.name}.new")
    try:
        if url.get_backend_name() == "sqlite":
            _copy_sqlite(_existing(url), draft)
        else:
            os.close(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
            _run_tool("pg_dump", url, "--format=custom", "--no-owner", "--file", str(draft))
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{file}: {file.stat().st_size:,} bytes. Keep the course repository and .env beside it.")


@click.command(epilog="Example: coursewright restore /srv/backups/school-2026-11-30.backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def restore(file: Path) -> None:
    """Fill an empty database from a backup. Stop the service first; nothing that exists is overwritten."""
    url = make_url(settings_or_refusal().database_url)
    if url.get_backend_name() == "sqlite":
        target = Path(url.database or "")
        if target.exists():
            raise CommandRefused(f"{target} exists. Stop the service and move the file away (with its -wal and -shm).")
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_sqlite(file, target)
    else:
        if asyncio.run(_has_tables(url)):
            raise CommandRefused("This database is not empty. Create another one, and set COURSEWRIGHT_DATABASE_URL.")
        _run_tool("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(file))
    click.echo("Restored. Run “coursewright migrate”, then start the service.")


def _existing(url: URL) -> Path:
    path = Path(url.database or "")
    if not path.exists():
        raise CommandRefused(f"There is no database at {path}.")
    return path


def _copy_sqlite(source: Path, target: Path) -> None:
    """A copy of one moment, checked, and readable by its owner only."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)  # in one step: writers go on in the write-ahead log
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise CommandRefused(f"{source} is damaged.")
            if copy.execute(_OURS).fetchone() != (1,):
                raise CommandRefused(f"{source} is not a database of Coursewright.")
    except (sqlite3.Error, CommandRefused) as error:
        target.unlink(missing_ok=True)
        if isinstance(error, CommandRefused):
            raise
        raise CommandRefused(f"{source} cannot be read: {error}.") from error


async def _has_tables(url: URL) -> bool:
    from sqlalchemy import inspect

    from dynamic_api.core.database import make_plain_engine

    engine = make_plain_engine(url.render_as_string(hide_password=False))
    try:
        async with engine.connect() as connection:
            return bool(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    finally:
        await engine.dispose()


def _run_tool(tool: str, url: URL, *arguments: str) -> None:
    """PostgreSQL's own program. The password goes through its environment, where other users cannot read it."""
    address = postgresql_dsn(url.set(password=None))
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [tool, "--dbname", address, *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CommandRefused(f"{tool} is not installed; it comes with PostgreSQL's client programs.") from None
    if done.returncode:
        raise CommandRefused(
            f"{tool} stopped: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason given'}"
        )
