"""Where backups are kept: a folder, or a bucket that speaks S3. Only files that backups wrote are ever removed."""

import re
from pathlib import Path
from typing import Any, Protocol

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
    """A bucket; its keys are found where Amazon's tools find them. `written` is `s3:bucket/prefix`."""

    def __init__(self, written: str, endpoint: str | None) -> None:
        import boto3
        from botocore.config import Config

        self._bucket, _, prefix = written.removeprefix("s3:").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        # Any: boto3 has no types for its clients.
        self._client: Any = boto3.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name="auto" if endpoint else None,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"max_attempts": 3, "mode": "standard"},
            ),
        )

    def names(self) -> list[str]:
        """All of ours, the oldest first."""
        pages = self._ask(
            lambda: list(
                self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            )
        )
        keys = [each["Key"].removeprefix(self._prefix) for page in pages for each in page.get("Contents", ())]
        return sorted(key for key in keys if _NAME.fullmatch(key))

    def put(self, file: Path) -> str:
        """Upload a file."""
        key = self._prefix + file.name
        self._ask(lambda: self._client.upload_file(str(file), self._bucket, key))
        return f"s3:{self._bucket}/{key}"

    def get(self, name: str, folder: Path) -> Path:
        """Download one."""
        target = folder / name
        self._ask(lambda: self._client.download_file(self._bucket, self._prefix + name, str(target)))
        return target

    def remove(self, name: str) -> None:
        """Forget one."""
        self._ask(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name))

    def _ask(self, ask: Any) -> Any:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return ask()
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise BackupRefused(f"The bucket {self._bucket} refuses: {error}") from error


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
