"""What every part of the service is handed: settings, database, partners, catalogue, clock."""

from dataclasses import dataclass

from dynamic_api.catalog import CatalogSource
from dynamic_api.clock import Clock
from dynamic_api.config import Settings
from dynamic_api.database import Database
from dynamic_api.gateways import Gateways


@dataclass(frozen=True)
class Service:
    """One running installation."""

    settings: Settings
    database: Database
    gateways: Gateways
    catalog: CatalogSource
    clock: Clock

    async def close(self) -> None:
        """Close what was opened."""
        await self.gateways.close()
        await self.database.close()
