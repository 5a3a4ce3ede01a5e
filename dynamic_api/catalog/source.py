"""Keeps the catalogue in memory up to date with the manifest file."""

import logging
from datetime import datetime
from pathlib import Path

from dynamic_api.catalog.courses import CourseCatalog
from dynamic_api.catalog.sync import stored_catalog, sync_catalog
from dynamic_api.core.clock import Clock
from dynamic_api.core.database import Database, take_turns
from sitegen.catalog.manifest import Manifest, ManifestRefused, ManifestUnreadable, read_manifest
from sitegen.catalog.model import Site

logger = logging.getLogger("coursewright.catalog")

_Stamp = tuple[int, int]


class CatalogSource:
    """The newest catalogue that may be used. `problem` is why the present manifest is not, in a sentence."""

    def __init__(self, manifest: Path, database: Database, clock: Clock, *, has_stream: bool = True) -> None:
        self._path = manifest
        self._database = database
        self._clock = clock
        self._has_stream = has_stream
        self._stamp: _Stamp | None = None
        self._due: datetime | None = None  # when the catalogue shows something that it hides now
        self._current: CourseCatalog | None = None
        self.problem: str | None = None

    @property
    def current(self) -> CourseCatalog:
        """The newest version that was read."""
        if self._current is None:
            raise RuntimeError("the catalogue was not loaded; call refresh() first")
        return self._current

    @property
    def site(self) -> Site | None:
        """The school; None until the catalogue was read."""
        return self._current.site if self._current is not None else None

    def new_address(self, page: str) -> str | None:
        """Where a page of the site is now, if it moved."""
        return self._current.new_address(page) if self._current is not None else None

    async def start(self) -> None:
        """Read the manifest, or go on with the catalogue of the last one where that fails.

        Raises ManifestUnreadable, ManifestRefused when there was no last one.
        """
        try:
            await self.refresh()
        except (ManifestUnreadable, ManifestRefused):
            if not await self.look():
                raise

    async def look(self) -> bool:
        """Take the catalogue from the database, without reading the manifest or writing. False before the first one."""
        async with self._database.reading() as db:
            found = await stored_catalog(db)
        self._current = found or self._current
        return found is not None

    async def refresh(self, *, allow_older: bool = False) -> bool:
        """Read the manifest if the file changed, and bring the database in line. True when there is a new version.

        Raises ManifestUnreadable, ManifestRefused; the last good version then stays in use, and the file is read again
        once it changes.
        """
        stamp = self._stamp_of_file()
        is_due = self._due is not None and self._due <= self._clock()
        if stamp is not None and stamp == self._stamp and not is_due:
            return False
        try:
            changed = await self._read(allow_older=allow_older)
        except (ManifestUnreadable, ManifestRefused) as error:
            self._stamp, self.problem = stamp, str(error)
            logger.error("%s The last good catalogue stays in use.", error)
            raise
        self._stamp, self.problem = stamp, None  # only now: what failed otherwise is tried again
        return changed

    async def _read(self, *, allow_older: bool) -> bool:
        manifest, now = read_manifest(self._path), self._clock()
        if not self._has_stream:
            check_no_stream(manifest)
        due = next((moment for moment, _ in manifest.catalog.dates() if moment > now), None)
        manifest = manifest.model_copy(update={"catalog": manifest.catalog.at(now)})
        async with self._database.transaction() as db:
            await take_turns(db, "catalogue")  # one process at a time assigns ids
            current = await sync_catalog(db, manifest, at=now, allow_older=allow_older)
        is_new = self._current is None or self._current.version != current.version or self._due != due
        self._current, self._due = current, due
        for course in current.missing:
            logger.warning(
                "the course “%s” (%s) is not in the course files; its owners keep it as it was",
                course.definition.title,
                course.definition.id,
            )
        return is_new

    def _stamp_of_file(self) -> _Stamp | None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return None
        return stat.st_mtime_ns, stat.st_ino


def check_no_stream(manifest: Manifest) -> None:
    """For an installation without Cloudflare Stream. Raises ManifestRefused where a video is there."""
    for course in manifest.catalog.courses:
        titles = [f"the lesson “{lesson.title}”" for lesson in course.all_lessons if lesson.video]
        titles += ["the introduction"] * (course.intro_video is not None)
        if titles:
            raise ManifestRefused(
                f"{course.title}: the video of {titles[0]} is at Cloudflare Stream, and COURSEWRIGHT_STREAM_BASE_URL, "
                "_KEY_ID and _KEY_PEM are not set. Set them, or put the video into your own storage (`hls:`)."
            )
