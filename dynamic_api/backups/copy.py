"""From one database to another, such as from SQLite to PostgreSQL: resumable, and compared at the end."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Table, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dynamic_api.backups.database import BackupRefused
from dynamic_api.backups.rows import Digest, batches, continue_numbers, count, make_tables, tables, write
from dynamic_api.core.database import make_plain_engine
from dynamic_api.migrations.schema import COPYING, SchemaUnfit, check_schema, newest_schema

Say = Callable[[str], None]


@dataclass(frozen=True)
class Copied:
    """A table that is in both databases now, row by row."""

    table: str
    rows: int
    digest: str


async def copy_database(source: str, target: str, *, say: Say) -> list[Copied]:
    """Copy every row, and compare. The source is only read; nothing in the target is overwritten or deleted.

    What was copied before an interruption is compared and kept. Raises BackupRefused, SchemaUnfit.
    """
    if make_url(source) == make_url(target):
        raise BackupRefused("Source and target are the same database.")
    await check_schema(source)
    await _prepare(target)
    engines = make_plain_engine(source), make_plain_engine(target)
    try:
        async with engines[0].connect() as reading, engines[1].connect() as writing:
            copied = []
            for table in tables():
                say(f"{table.name}: {await count(reading, table)} rows …")
                copied.append(await _copy(reading, writing, table))
            await continue_numbers(writing)
            await writing.execute(text("UPDATE alembic_version SET version_num = :name"), {"name": newest_schema()})
            await writing.commit()
    finally:
        for engine in engines:
            await engine.dispose()
    return copied


async def _prepare(target: str) -> None:
    """The current schema, in a database that is empty or was begun before."""
    try:
        await check_schema(target)
    except SchemaUnfit as error:
        if error.is_unfinished_copy:
            return
        if not error.is_empty:
            raise BackupRefused(f"The target cannot be used. {error}") from error
        await make_tables(target)
        await _mark(target, COPYING)


async def _mark(target: str, name: str) -> None:
    """Write a name where the schema's revision stands: until all is there, nothing else may use the database."""
    engine = make_plain_engine(target)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = :name"), {"name": name})
    finally:
        await engine.dispose()


async def _copy(reading: AsyncConnection, writing: AsyncConnection, table: Table) -> Copied:
    there, known = await count(writing, table), Digest()
    if there:
        async for rows in batches(writing, table):
            known.add(rows)
    copied, begun = 0, Digest()
    async for rows in batches(reading, table):
        old = rows[: max(0, there - copied)]
        begun.add(old)
        if len(old) < len(rows):
            _compare(table, begun, known, there)
            new = rows[len(old) :]
            await write(writing, table, new)
            await writing.commit()
        copied += len(rows)
    if copied <= there:
        _compare(table, begun, known, there)
    ours, theirs = Digest(), Digest()
    async for rows in batches(reading, table):
        ours.add(rows)
    async for rows in batches(writing, table):
        theirs.add(rows)
    if str(ours) != str(theirs):
        raise BackupRefused(
            f"The table {table.name} differs after the copy: the source changed meanwhile. Stop the service, and copy "
            "into an empty database."
        )
    return Copied(table.name, copied, str(ours))


def _compare(table: Table, begun: Digest, known: Digest, there: int) -> None:
    if str(begun) != str(known):
        raise BackupRefused(
            f"The table {table.name} of the target has {there} rows, which are not the first of the source. Copy into "
            "an empty database."
        )
