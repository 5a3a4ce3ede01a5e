"""Every row of a database, in an order of its own, whichever kind of database it is."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from enum import Enum as PythonEnum

from sqlalchemy import Enum, Integer, Table, delete, func, insert, literal, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from dynamic_api.core.columns import UTCDateTime
from dynamic_api.core.database import make_plain_engine
from dynamic_api.core.models import Base
from dynamic_api.migrations import upgrade

BATCH = 1000  # rows

Row = Mapping[str, object]


def tables() -> Sequence[Table]:
    """Every table; one that others refer to comes before them."""
    return Base.metadata.sorted_tables


async def make_tables(url: str) -> None:
    """The current schema in a database that has no table, without the rows that migrations write into a new one."""
    await upgrade(url)
    engine = make_plain_engine(url)
    try:
        async with engine.begin() as connection:
            for table in reversed(tables()):
                await connection.execute(delete(table))
    finally:
        await engine.dispose()


async def count(connection: AsyncConnection, table: Table) -> int:
    """How many rows it has."""
    return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


async def batches(connection: AsyncConnection, table: Table) -> AsyncIterator[list[Row]]:
    """Rows in the order of their keys."""
    keys = list(table.primary_key)
    statement = select(table).order_by(*keys).limit(BATCH)
    found: list[Row] = [dict(row) for row in (await connection.execute(statement)).mappings()]
    while found:
        yield found
        if len(found) < BATCH:
            return
        last = [literal(found[-1][key.name], key.type) for key in keys]
        after = statement.where(tuple_(*keys) > tuple_(*last))
        found = [dict(row) for row in (await connection.execute(after)).mappings()]


class Digest:
    """A digest of rows in any order: two databases sort text differently."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows into account."""
        for row in rows:
            line = json.dumps(to_json(row), sort_keys=True, ensure_ascii=False).encode()
            self._sum = (self._sum + int.from_bytes(hashlib.sha256(line).digest())) % 2**256

    def __str__(self) -> str:
        return f"{self._sum:064x}"


def to_json(row: Row) -> dict[str, object]:
    """A row as JSON has it: moments as ISO 8601 in UTC, choices as their names."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, PythonEnum) else value


def from_json(table: Table, row: Row) -> dict[str, object]:
    """The row of what `to_json` made. Raises ValueError, KeyError."""
    return {column.name: _typed(column.type, row[column.name]) for column in table.columns}


def _typed(kind: object, value: object) -> object:
    if value is None:
        return None
    if isinstance(kind, UTCDateTime):
        return datetime.fromisoformat(str(value))
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    return value


async def write(connection: AsyncConnection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows as they are, ids included."""
    if rows:
        await connection.execute(insert(table), [dict(row) for row in rows])


async def continue_numbers(connection: AsyncConnection) -> None:
    """Let the next row of each table get the number after the last one. SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        [key, *others] = table.primary_key
        if others or not isinstance(key.type, Integer):
            continue
        sequence = await connection.scalar(text("SELECT pg_get_serial_sequence(:name, :key)").bindparams(
            name=table.name, key=key.name))  # fmt: skip
        if sequence is not None:
            last = select(func.setval(sequence, func.coalesce(func.max(key), 0) + 1, False))
            await connection.execute(last)
