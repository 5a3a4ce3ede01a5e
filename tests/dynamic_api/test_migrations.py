"""The migrated schema is the models' schema."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import CheckConstraint, Connection, inspect, text

from dynamic_api.database import Database
from dynamic_api.migrations import alembic_config, drift, upgrade
from dynamic_api.models import Base


async def test_no_drift_and_twice_is_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    await upgrade(url)
    await upgrade(url)
    assert await drift(url) == []


def checks_of(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name != "alembic_version"]
    return {name: {str(each["name"]) for each in found.get_check_constraints(name)} for name in names}


async def test_every_check_of_the_models_is_in_the_database(database_url: str) -> None:
    """Alembic compares no checks, and SQLite's rebuilt tables lose those that are not repeated."""
    expected = {
        table.name: {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
        for table in Base.metadata.sorted_tables
    }
    database = Database(database_url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(checks_of) == expected
    await database.close()


@pytest.mark.parametrize("revision", ["52e059786795"])
async def test_back_and_forth_again(database_url: str, revision: str) -> None:
    database = Database(database_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(database_url, sync), revision))
    await database.close()
    await upgrade(database_url)
    assert await drift(database_url) == []


async def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}")
    async with database.reading() as db:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await db.execute(text(f"PRAGMA {pragma}"))).scalar() == expected
    await database.close()
