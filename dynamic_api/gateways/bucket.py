"""A bucket that backups are kept in; its keys are found where Amazon's tools find them."""

from pathlib import Path
from typing import Any

from sitegen.s3 import open_s3


class BucketRefused(OSError):
    """The bucket cannot be reached, or refuses, as a disk may; the message is the bucket's."""


class Bucket:
    """Objects below a prefix, by their names there. `written` is `s3:bucket/prefix`. Methods raise BucketRefused."""

    def __init__(self, written: str, endpoint: str | None) -> None:
        self._bucket, _, prefix = written.removeprefix("s3:").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = open_s3(endpoint)

    def names(self) -> list[str]:
        """Of every object."""
        pages = self._ask(
            lambda: list(
                self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            )
        )
        keys = [each["Key"].removeprefix(self._prefix) for page in pages for each in page.get("Contents", ())]
        return keys

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
            raise BucketRefused(f"The bucket {self._bucket} refuses: {error}") from error
