"""Keeps the catalogue in memory up to date with the manifest file."""

from pathlib import Path

from sqlalchemy import text

from dynamic_api.catalog.courses import CourseCatalog
from dynamic_api.catalog.sync import sync_catalog
from dynamic_api.core.clock import Clock
from dynamic_api.core.database import Database
from sitegen.catalog.manifest import read_manifest

_LOCK = 728  # PostgreSQL's advisory lock: one process at a time assigns ids


class CatalogSource:
    """The newest catalogue that could be read."""

    def __init__(self, manifest: Path, database: Database, clock: Clock) -> None:
        self._path = manifest
        self._database = database
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._current: CourseCatalog | None = None

    @property
    def current(self) -> CourseCatalog:
        """The newest version that was read."""
        if self._current is None:
            raise RuntimeError("the catalogue was not loaded; call refresh() first")
        return self._current

    async def refresh(self) -> bool:
        """Read the manifest if the file changed, and synchronise the database. True when there is a new version.

        Raises ManifestUnreadable.
        """
        stat = self._path.stat() if self._path.exists() else None
        stamp = (stat.st_mtime_ns, stat.st_ino) if stat else None
        if self._current is not None and stamp == self._stamp:
            return False
        manifest = read_manifest(self._path)
        if self._current is not None and manifest.version == self._current.version:
            self._stamp = stamp
            return False
        async with self._database.transaction() as db:
            if not self._database.is_sqlite:
                await db.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            current = await sync_catalog(db, manifest, at=self._clock())
        self._current, self._stamp = current, stamp  # only now: what failed is tried again
        return True
