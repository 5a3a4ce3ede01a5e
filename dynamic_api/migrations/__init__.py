"""The schema's history. `upgrade()` brings a database to the newest version."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from dynamic_api.core.database import make_plain_engine
from dynamic_api.core.models import Base


def alembic_config(url: str, connection: Connection | None = None) -> Config:
    """Alembic's settings, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest version; nothing happens where it is."""
    await _migrate(url, lambda config: command.upgrade(config, "head"))


async def downgrade(url: str, revision: str) -> None:
    """Bring the database at `url` back to an older version."""
    await _migrate(url, lambda config: command.downgrade(config, revision))


async def _migrate(url: str, act: Callable[[Config], None]) -> None:
    """In one transaction. Foreign keys are checked afterwards instead of meanwhile: SQLite's batch mode rebuilds
    tables."""
    engine = make_plain_engine(url)
    try:
        async with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(727)"))  # one migration at a time
            await connection.run_sync(lambda sync: act(alembic_config(url, sync)))
            if engine.dialect.name == "sqlite":
                broken = (await connection.execute(text("PRAGMA foreign_key_check"))).all()
                if broken:
                    raise RuntimeError(f"the migration broke references: {broken}")
    finally:
        await engine.dispose()


async def drift(url: str) -> list[object]:
    """How the migrated database differs from the models; empty when it does not."""
    engine = make_plain_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
            )
    finally:
        await engine.dispose()


def upgrade_now(url: str) -> None:
    """`upgrade`, for programs without an event loop."""
    asyncio.run(upgrade(url))
