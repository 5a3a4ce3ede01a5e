"""The migrated schema is the models' schema."""

from pathlib import Path

from sqlalchemy import text

from dynamic_api.database import Database
from dynamic_api.migrations import drift, upgrade


async def test_no_drift_and_twice_is_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    await upgrade(url)
    await upgrade(url)
    assert await drift(url) == []


async def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}")
    async with database.reading() as db:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await db.execute(text(f"PRAGMA {pragma}"))).scalar() == expected
    await database.close()
