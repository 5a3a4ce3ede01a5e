"""Where backups are kept: a folder, or a bucket that speaks S3. Only files that backups wrote are ever removed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from dynamic_api.backups.database import BackupRefused

_NAME = re.compile(r"coursewright-\d{8}-\d{6}\.tar")


class Place(Protocol):
    """Keeps backups by name. Every method may raise BackupRefused."""

    def names(self) -> list[str]:
        """All of ours, the oldest first."""

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
        """All of ours, the oldest first."""
        return sorted(path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name))

    def put(self, file: Path) -> str:
        """The backup is written there already."""
        return str(self._folder / file.name)

    def get(self, name: str, folder: Path) -> Path:
        """It is where it is."""
        return self._folder / name

    def remove(self, name: str) -> None:
        """Forget one."""
        (self._folder / name).unlink(missing_ok=True)


class BucketPlace:
    """A bucket. `written` is `s3:bucket/prefix`."""

    def __init__(self, written: str, endpoint: str | None) -> None:
        from dynamic_api.gateways.bucket import Bucket  # boto3 takes a tenth of a second to import

        self._bucket = Bucket(written, endpoint)

    def names(self) -> list[str]:
        """All of ours, the oldest first."""
        with _refusals():
            return [name for name in self._bucket.names() if _NAME.fullmatch(name)]

    def put(self, file: Path) -> str:
        """Upload a file."""
        with _refusals():
            return self._bucket.put(file)

    def get(self, name: str, folder: Path) -> Path:
        """Download one."""
        with _refusals():
            return self._bucket.get(name, folder)

    def remove(self, name: str) -> None:
        """Forget one."""
        with _refusals():
            self._bucket.remove(name)


@contextmanager
def _refusals() -> Iterator[None]:
    from dynamic_api.gateways.bucket import BucketRefused

    try:
        yield
    except BucketRefused as error:
        raise BackupRefused(str(error)) from error


def open_place(written: str, endpoint: str | None) -> Place:
    """`/srv/backups` or `s3:bucket/prefix`. Raises BackupRefused."""
    if written.startswith("s3:"):
        return BucketPlace(written, endpoint)
    folder = Path(written)
    if not folder.is_dir():
        raise BackupRefused(f"There is no folder {folder}.")
    return FolderPlace(folder)


def rotate(place: Place, keep: int) -> list[str]:
    """Forget the oldest beyond `keep`; their names."""
    gone = place.names()[:-keep]
    for name in gone:
        place.remove(name)
    return gone
