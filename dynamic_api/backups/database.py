"""A database → a file of one moment, and back. Both work while the service runs; a plain copy of the file would not.

SQLite: the online backup API (https://sqlite.org/backup.html). PostgreSQL: its own pg_dump and pg_restore.
"""

import asyncio
import contextlib
import os
import secrets
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import URL, inspect, make_url, text
from sqlalchemy.exc import ProgrammingError

from dynamic_api.core.database import make_plain_engine, postgresql_dsn

_OURS = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
SQLITE, POSTGRESQL = "database.sqlite3", "database.pgdump"


class BackupRefused(Exception):
    """Why nothing was written or restored, in a sentence that says what to do."""


NOT_EMPTY = BackupRefused("This database is not empty. Create another one, and set COURSEWRIGHT_DATABASE_URL.")


def dump_database(url: URL, folder: Path) -> Path:
    """Write all of it into a file of `folder`. Raises BackupRefused."""
    if url.get_backend_name() == "sqlite":
        source = Path(url.database or "")
        if not source.exists():
            raise BackupRefused(f"There is no database at {source}.")
        target = folder / SQLITE
        copy_sqlite(source, target)
        return target
    target = folder / POSTGRESQL
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    _run_tool("pg_dump", url, "--format=custom", "--no-owner", "--file", str(target))
    return target


def is_postgresql_dump(file: Path) -> bool:
    """Whether pg_dump wrote it."""
    with file.open("rb") as opened:
        return opened.read(5) == b"PGDMP"


def is_sqlite_file(file: Path) -> bool:
    """Whether it is a database of SQLite."""
    with file.open("rb") as opened:
        return opened.read(16) == b"SQLite format 3\0"


@contextlib.asynccontextmanager
async def scratch_database(server: URL | None) -> AsyncIterator[URL]:
    """An empty database on a server of PostgreSQL, dropped at the end. Raises BackupRefused."""
    if server is None or server.get_backend_name() != "postgresql":
        raise BackupRefused("A dump of PostgreSQL is tried on its server: set COURSEWRIGHT_DATABASE_URL to it.")
    name = f"coursewright_drill_{secrets.token_hex(4)}"
    engine = make_plain_engine(server.render_as_string(hide_password=False))
    engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        try:
            async with engine.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE {name}"))
        except ProgrammingError as error:
            raise BackupRefused(
                f"PostgreSQL makes no database to try the backup in: {error.orig}. Allow it once, as an administrator: "
                f"ALTER ROLE {server.username} CREATEDB;"
            ) from error
        try:
            yield server.set(database=name)
        finally:
            async with engine.connect() as connection:
                await connection.execute(text(f"DROP DATABASE {name}"))
    finally:
        await engine.dispose()


def load_database(file: Path, url: URL) -> None:
    """Fill an empty database; nothing that exists is overwritten. Raises BackupRefused."""
    is_sqlite = url.get_backend_name() == "sqlite"
    is_dump = is_postgresql_dump(file)
    if not is_dump and not is_sqlite_file(file):
        raise BackupRefused(f"{file.name} is no backup: neither an archive of ours nor a database.")
    if is_dump == is_sqlite:
        kinds = ("PostgreSQL", "SQLite") if is_dump else ("SQLite", "PostgreSQL")
        raise BackupRefused(
            f"This is a backup of {kinds[0]}, and COURSEWRIGHT_DATABASE_URL is {kinds[1]}. Restore it into {kinds[0]}; "
            "“coursewright db copy” goes from one to the other."
        )
    if is_sqlite:
        target = Path(url.database or "")
        if target.exists():
            raise BackupRefused(f"{target} exists. Stop the service and move the file away (with its -wal and -shm).")
        target.parent.mkdir(parents=True, exist_ok=True)
        _put_leftovers_aside(target)
        copy_sqlite(file, target)
        return
    if asyncio.run(_has_tables(url)):
        raise NOT_EMPTY
    _run_tool("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(file))


def make_file(url: str) -> None:
    """Make the file of an SQLite database, and its folder; another kind needs none.

    It will hold addresses of people, so it is for its owner and their group from the first moment.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(parsed.database, os.O_CREAT | os.O_RDWR, 0o640))


def _put_leftovers_aside(target: Path) -> None:
    """A write-ahead log of a file that is gone would be applied to the one that comes."""
    for ending in ("-wal", "-shm", "-journal"):
        leftover = target.with_name(target.name + ending)
        if leftover.exists():
            number = 1
            while (aside := leftover.with_name(f"{leftover.name}.old{number}")).exists():
                number += 1
            leftover.rename(aside)


def copy_sqlite(source: Path, target: Path) -> None:
    """A copy of one moment, checked, and readable by its owner only. Raises BackupRefused; no copy is left then."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    try:
        with (
            contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as original,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy)  # in one step: writers go on in the write-ahead log
            if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupRefused(f"{source} is damaged.")
            if copy.execute(_OURS).fetchone() != (1,):
                raise BackupRefused(f"{source} is not a database of Coursewright.")
    except (sqlite3.Error, BackupRefused) as error:
        target.unlink(missing_ok=True)
        if isinstance(error, BackupRefused):
            raise
        raise BackupRefused(f"{source} cannot be read: {error}.") from error


async def _has_tables(url: URL) -> bool:
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
        raise BackupRefused(f"{tool} is not installed; it comes with PostgreSQL's client programs.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        first = next((line for line in said if "error:" in line), said[0] if said else "no reason given")
        raise BackupRefused(f"{tool} stopped: {first.partition('error: ')[2] or first}")
