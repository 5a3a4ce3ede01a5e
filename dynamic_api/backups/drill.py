"""Whether a backup is one: it is restored into a scratch place, brought up to date, and asked hard questions."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dynamic_api.backups.archive import About, open_backup
from dynamic_api.backups.database import SQLITE, is_postgresql_dump, load_database, scratch_database
from dynamic_api.core.database import make_plain_engine
from dynamic_api.migrations import upgrade

# Sentences that must be true of every database; each statement finds what contradicts it.
INVARIANTS: Mapping[str, str] = {
    "what was paid for and has an owner opens its course": """
        SELECT count(*) FROM order_lines AS line JOIN orders ON orders.id = line.order_id
        WHERE line.state = 'paid' AND line.withdrawn_at IS NULL AND orders.user_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM entitlements WHERE entitlements.user_id = orders.user_id
            AND entitlements.course_id = line.course_id
            AND (entitlements.revoked_at IS NULL OR entitlements.reason LIKE 'operator: %'))
        AND NOT EXISTS (
            SELECT 1 FROM users WHERE users.id = orders.user_id AND users.email LIKE '%@deleted.invalid')""",
    "what was refunded opens nothing": """
        SELECT count(*) FROM entitlements JOIN order_lines AS line ON line.id = entitlements.line_id
        WHERE line.state = 'refunded' AND entitlements.revoked_at IS NULL""",
    "every order has its lines": """
        SELECT count(*) FROM orders WHERE NOT EXISTS (SELECT 1 FROM order_lines WHERE order_id = orders.id)""",
    "nothing is watched in a course that nobody knows": """
        SELECT count(*) FROM progress WHERE NOT EXISTS (SELECT 1 FROM lessons WHERE lessons.id = progress.lesson_id)""",
}


@dataclass(frozen=True)
class Drill:
    """What came of it: `passed` are sentences that held, `failed` those that did not."""

    about: About | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]


async def drill_backup(file: Path, scratch: Path, server: URL | None = None) -> Drill:
    """Restore and look: SQLite in the folder `scratch`, PostgreSQL in a database of its own on `server`.

    That database is dropped at the end. Raises BackupRefused.
    """
    with open_backup(file) as backup:
        passed = ["every file has the digest that was written"] if backup.about else []
        if is_postgresql_dump(backup.database):
            async with scratch_database(server) as url:
                await asyncio.to_thread(load_database, backup.database, url)
                return await _ask(url, backup.about, passed)
        url = make_url(f"sqlite+aiosqlite:///{scratch}/drill.sqlite3")
        load_database(backup.database, url)
        return await _ask(url, backup.about, passed)


async def _ask(url: URL, about: About | None, passed: list[str]) -> Drill:
    failed: list[str] = []
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        problem = _integrity(path)
        (failed if problem else passed).append(problem or "the file is whole, and every reference leads somewhere")
        if about is not None:
            counts = _counts(path)
            other = [name for name, count in about.rows.items() if counts.get(name) != count]
            sentence = f"every table has as many rows as when it was written ({sum(counts.values())} in all)"
            (failed if other else passed).append(f"another number of rows: {', '.join(other)}" if other else sentence)
    else:
        passed.append("PostgreSQL restored all of it, with every reference")
    address = url.render_as_string(hide_password=False)
    await upgrade(address)
    passed.append("its schema is brought up to date")
    engine = make_plain_engine(address)
    try:
        async with engine.connect() as connection:
            for sentence, statement in INVARIANTS.items():
                found = await _count(connection, statement)
                (failed if found else passed).append(f"{sentence}: {found} do not" if found else sentence)
    finally:
        await engine.dispose()
    return Drill(about, tuple(passed), tuple(failed))


async def _count(connection: AsyncConnection, statement: str) -> int:
    return int((await connection.execute(text(statement))).scalar_one())


def _integrity(path: Path) -> str | None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            return "the file is damaged"
        broken = database.execute("PRAGMA foreign_key_check").fetchall()
        return f"{len(broken)} references lead nowhere" if broken else None


def _counts(path: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - its own names
            for name in names
            if not name.startswith("sqlite_")
        }


def count_rows(path: Path) -> dict[str, int]:
    """Rows by table of a copy that was just written; none for a dump, which cannot be asked."""
    return _counts(path) if path.name == SQLITE else {}
