"""What every part of the service is handed: settings, database, partners, catalogue, clock."""

from dataclasses import dataclass

from dynamic_api.catalog import CatalogSource
from dynamic_api.clock import Clock
from dynamic_api.config import Settings
from dynamic_api.database import Database
from dynamic_api.fast_lane.hot_database import HotDatabase
from dynamic_api.fast_lane.progress_writer import ProgressWriter
from dynamic_api.gateways import Gateways


@dataclass(frozen=True)
class Service:
    """One running installation."""

    settings: Settings
    database: Database
    hot: HotDatabase
    gateways: Gateways
    catalog: CatalogSource
    progress: ProgressWriter
    clock: Clock

    async def close(self) -> None:
        """Close what was opened."""
        await self.progress.close()
        await self.hot.close()
        await self.gateways.close()
        await self.database.close()
