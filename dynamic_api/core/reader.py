"""The one read path: statements written with the models, compiled once, run as prepared text on the driver.

An ORM session and a thread for each statement cost some 400 µs; the statement itself costs 8. So whatever a learner
or a phone reads goes through here: sqlite3 inside the event loop, an asyncpg pool on PostgreSQL. A statement in the
loop must be small and answered from an index; tests check the query plan of every `Query`.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

import asyncpg
from sqlalchemy import ClauseElement, Dialect, Select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from dynamic_api.core.columns import UTCDateTime
from dynamic_api.core.database import Database, connector
from dynamic_api.core.postgres_pool import PostgresPool

Convert = Callable[[Any], Any]  # Any: a value of the driver's or of ours, whichever column it belongs to

# SQLite's default page cache of two megabytes is too small for a school of some size. It counts KiB as negative.
CACHE = "cache_size=-65536"

_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.asyncpg.dialect(),  # type: ignore[no-untyped-call]
}


Row = TypeVar("Row", bound=tuple[Any, ...])  # a NamedTuple whose fields give the columns their types


class Prepared:
    """A statement as text for one driver, with its parameters in the order the driver wants them."""

    def __init__(self, statement: ClauseElement, dialect: str) -> None:
        compiled = statement.compile(dialect=_DIALECTS[dialect])
        self.text = compiled.string
        self.names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
        # Literals such as `.limit(1)` are parameters too, with their values in `params`.
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        binds = getattr(compiled, "binds", {})
        self._encoders = [(name, _encoder(binds[name].type, dialect)) for name in self.names]

    def values(self, given: Mapping[str, object]) -> list[object]:
        """The given values, and the statement's own constants, as the driver takes them."""
        values = []
        for name, encode in self._encoders:
            value = given[name] if name in given else self._constants[name]
            values.append(value if encode is None else encode(value))
        return values


def _encoder(kind: TypeEngine[Any], dialect: str) -> Convert | None:
    """What turns a value of ours into the driver's; None where they are the same."""
    return _MOMENTS[dialect] if isinstance(kind, UTCDateTime) else _processor(kind, dialect)


def _processor(kind: TypeEngine[Any], dialect: str) -> Convert | None:
    return kind.dialect_impl(_DIALECTS[dialect]).bind_processor(_DIALECTS[dialect])


# One moment, "now", goes into one request's statements about six times.
_MOMENTS = {name: lru_cache(64)(_processor(UTCDateTime(), name) or (lambda value: value)) for name in _DIALECTS}


class PreparedQuery(Prepared, Generic[Row]):
    """A SELECT as text for one driver; `decode` turns what the driver returns into rows."""

    def __init__(self, statement: Select[*tuple[Any, ...]], dialect: str, row: type[Row]) -> None:
        super().__init__(statement, dialect)
        self._make: Callable[[Sequence[object]], Row] = getattr(row, "_make", row)
        self._decoders: list[tuple[int, Convert]] = []
        for number, column in enumerate(statement.selected_columns):
            kind = column.type.dialect_impl(_DIALECTS[dialect])
            if (decode := kind.result_processor(_DIALECTS[dialect], None)) is not None:
                self._decoders.append((number, decode))

    def decode(self, found: Sequence[object]) -> Row:
        """One row."""
        if not self._decoders:
            return self._make(found)
        values = list(found)
        for number, decode in self._decoders:
            values[number] = decode(values[number])
        return self._make(values)

    def decode_all(self, found: Iterable[Sequence[object]]) -> list[Row]:
        """Many rows."""
        return list(map(self.decode if self._decoders else self._make, found))


class Query(Generic[Row]):
    """A SELECT whose rows become `row`. Its columns must carry the names of the row's fields."""

    def __init__(self, statement: Select[*tuple[Any, ...]], row: type[Row]) -> None:
        names = tuple(column.key for column in statement.selected_columns)
        fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
        if names != fields:
            raise TypeError(f"{row.__name__} has the fields {fields}, its query selects {names}")
        self.statement, self.row = statement, row
        self._prepared: dict[str, PreparedQuery[Row]] = {}

    def prepared(self, dialect: str) -> PreparedQuery[Row]:
        """The text for a driver; compiled at its first use."""
        known = self._prepared.get(dialect)
        if known is None:
            known = self._prepared[dialect] = PreparedQuery(self.statement, dialect, self.row)
        return known


class Reader(Protocol):
    """Runs queries. Parameters are given by the names of the statement's bindparams."""

    dialect: str

    async def one(self, query: Query[Row], **values: object) -> Row | None:
        """The first row, or None."""

    async def all(self, query: Query[Row], **values: object) -> list[Row]:
        """Every row."""

    async def close(self) -> None:
        """Close what was opened."""


class SqliteReader:
    """One connection that only reads, opened by the first query.

    Queries that arrive in one iteration of the event loop share a transaction: to lock SQLite's file and release it
    costs more than a query. Nobody reads anything older than their own commit, since the transaction begins after
    their request arrived and ends before any later one is looked at. SQLite serves everybody from one snapshot then.
    """

    dialect = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._in_transaction = False

    async def one(self, query: Query[Row], **values: object) -> Row | None:
        """The first row, or None."""
        prepared = query.prepared("sqlite")
        parameters = prepared.values(values)
        try:
            found = self._begun().execute(prepared.text, parameters).fetchone()
        except sqlite3.OperationalError as error:
            found = next(iter(await self._again(error, prepared.text, parameters)), None)
        return None if found is None else prepared.decode(found)

    async def all(self, query: Query[Row], **values: object) -> list[Row]:
        """Every row."""
        prepared = query.prepared("sqlite")
        parameters = prepared.values(values)
        try:
            found = self._begun().execute(prepared.text, parameters).fetchall()
        except sqlite3.OperationalError as error:
            found = await self._again(error, prepared.text, parameters)
        return prepared.decode_all(found)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begun(self) -> sqlite3.Connection:
        connection = self._connection or self._open()
        if not self._in_transaction:
            connection.execute("BEGIN")
            self._in_transaction = True
            asyncio.get_running_loop().call_soon(self._end)
        return connection

    def _end(self) -> None:
        self._in_transaction = False
        if self._connection is not None:
            self._connection.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        # The event loop must never wait for another process: a query that is refused is repeated in a thread.
        try:
            for pragma in ("query_only=ON", "busy_timeout=0", CACHE):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError:
            connection.close()
            raise
        self._connection = connection
        return connection

    async def _again(
        self, error: sqlite3.OperationalError, text: str, parameters: Sequence[object]
    ) -> list[tuple[object, ...]]:
        """The same question in a thread that may wait, when the database was busy."""
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise error
        return await asyncio.to_thread(_ask_patiently, self._path, text, parameters)


def _ask_patiently(path: str, text: str, parameters: Sequence[object]) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
        return connection.execute(text, parameters).fetchall()


class PostgresReader:
    """Asks on the connections of a pool."""

    dialect = "postgresql"

    def __init__(self, pool: PostgresPool) -> None:
        self.pool = pool

    async def one(self, query: Query[Row], **values: object) -> Row | None:
        """The first row, or None."""
        prepared = query.prepared("postgresql")
        found = await self._fetch(prepared.text, prepared.values(values))
        return prepared.decode(found[0]) if found else None

    async def all(self, query: Query[Row], **values: object) -> list[Row]:
        """Every row."""
        prepared = query.prepared("postgresql")
        return prepared.decode_all(await self._fetch(prepared.text, prepared.values(values)))

    async def close(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def _fetch(self, text: str, values: Sequence[object]) -> Sequence[Sequence[object]]:
        try:
            async with self.pool.connection() as connection:
                return await connection.fetch(text, *values)  # type: ignore[no-any-return]
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError):
            # The server closed a connection that lay idle. A second failure is an outage.
            self.pool.forget()
            async with self.pool.connection() as connection:
                return await connection.fetch(text, *values)  # type: ignore[no-any-return]


def open_reader(database: Database) -> SqliteReader | PostgresReader:
    """The reader of a database."""
    if database.is_sqlite:
        return SqliteReader(database.url.database or "")
    return PostgresReader(PostgresPool(connector(database.url, database.postgres), database.postgres.pool_size))
