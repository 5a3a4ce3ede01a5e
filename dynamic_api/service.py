"""The shared dependencies of every part: settings, database, partners, catalogue, clock.

A service function that begins its own transactions takes a `Service` first and reads the clock itself. One that works
inside its caller's transaction takes the `db` first and is told what time it is.
"""

from dataclasses import dataclass, field

from dynamic_api.catalog.source import CatalogSource
from dynamic_api.core.clock import Clock
from dynamic_api.core.database import Database
from dynamic_api.core.inbox import Inbox
from dynamic_api.core.passwords import Passwords
from dynamic_api.core.postgres_pool import PostgresPool
from dynamic_api.core.reader import PostgresReader, SqliteReader
from dynamic_api.core.settings import Settings
from dynamic_api.core.sqlite_writer import SqliteWriter
from dynamic_api.core.throttle import Limits, Throttle
from dynamic_api.gateways import Gateways
from dynamic_api.progress.writer import ProgressWriter


@dataclass(frozen=True)
class Service:
    """One running installation."""

    settings: Settings
    database: Database
    reader: SqliteReader | PostgresReader
    gateways: Gateways
    catalog: CatalogSource
    progress: ProgressWriter
    inbox: Inbox
    writer: SqliteWriter | PostgresPool  # what progress and inbox write with
    clock: Clock
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Limits = field(default_factory=Throttle)

    async def close(self) -> None:
        """Close what was opened."""
        await self.progress.flush()
        await self.inbox.close()
        await self.throttle.close()
        await self.writer.close()
        await self.reader.close()
        await self.gateways.close()
        await self.database.close()
