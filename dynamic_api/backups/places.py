"""Where backups are kept: a folder, or a bucket that speaks S3. Only files that backups wrote are ever removed."""

import re
from pathlib import Path
from typing import Protocol

from dynamic_api.backups.database import BackupRefused
from dynamic_api.gateways.bucket import Bucket

_NAME = re.compile(r"coursewright-\d{8}-\d{6}\.tar")


class Place(Protocol):
    """Keeps files by name, also those of others. Every method may raise OSError."""

    def names(self) -> list[str]:
        """All that are there."""

    def put(self, file: Path) -> str:
        """Keep a file; where it is now."""

    def get(self, name: str, folder: Path) -> Path:
        """One of them, as a file."""

    def remove(self, name: str) -> None:
        """Forget one."""


class FolderPlace:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """All that are there."""
        return [path.name for path in self._folder.iterdir()]

    def put(self, file: Path) -> str:
        """The backup is written there already."""
        return str(self._folder / file.name)

    def get(self, name: str, folder: Path) -> Path:
        """It is where it is."""
        return self._folder / name

    def remove(self, name: str) -> None:
        """Forget one."""
        (self._folder / name).unlink(missing_ok=True)


def open_place(written: str, endpoint: str | None) -> Place:
    """`/srv/backups` or `s3:bucket/prefix`. Raises BackupRefused."""
    if written.startswith("s3:"):
        if not written.removeprefix("s3:").strip("/"):
            raise BackupRefused("Name the bucket, and a folder in it if you like: s3:school-backups/nightly")
        return Bucket(written, endpoint)
    folder = Path(written)
    if not folder.is_dir():
        raise BackupRefused(f"There is no folder {folder}.")
    return FolderPlace(folder)


def backups_in(place: Place) -> list[str]:
    """The names of backups, the oldest first; nothing else there is ours."""
    return sorted(name for name in place.names() if _NAME.fullmatch(name))


def rotate(place: Place, keep: int) -> list[str]:
    """Forget the oldest beyond `keep`; their names."""
    gone = backups_in(place)[:-keep]
    for name in gone:
        place.remove(name)
    return gone
