"""A bucket that speaks S3: R2, Amazon, SeaweedFS, MinIO. Credentials are found where all tools of Amazon's find them.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

import mimetypes
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from sitegen.caching import ASK_AGAIN, FOR_EVER
from sitegen.publish import OutputRefused
from sitegen.s3 import open_s3

_AT_ONCE = 8
_MISSING = {"NoSuchKey", "404", "NotFound"}
_DENIED = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}
_TYPES = {".atom": "application/atom+xml", ".js": "text/javascript", ".md": "text/markdown", ".vtt": "text/vtt"}
_TEXT = ("text/", "application/json", "application/xml", "application/atom+xml", "image/svg+xml")

Answer = TypeVar("Answer")


class BucketStore:
    """The objects of a bucket whose names begin with `prefix`."""

    def __init__(self, bucket: str, prefix: str, endpoint: str | None) -> None:
        self.place = f"s3:{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        patience = Config(connect_timeout=10, read_timeout=60, max_pool_connections=_AT_ONCE)
        self._client = open_s3(endpoint, config=patience)

    def read(self, name: str) -> bytes | None:
        """An object; None where there is none, or where none may be listed and this one cannot be seen."""

        def get() -> bytes | None:
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read()
            except ClientError as error:
                if _code(error) in _MISSING or (_code(error) in _DENIED and not self._may_list()):
                    return None
                raise
            return content

        return self._asked(get)

    def names(self, wanted: Sequence[str]) -> set[str]:
        """The objects there; where they may not be listed, those of `wanted` that are there."""

        def ask() -> set[str]:
            if self._may_list():
                pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
                keys = (each["Key"] for page in pages for each in page.get("Contents", ()))
                return {key.removeprefix(self._prefix) for key in keys if not key.endswith("/")}
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return {name for name, there in zip(wanted, pool.map(self._is_there, wanted), strict=True) if there}

        return self._asked(ask)

    def write(self, name: str, content: bytes) -> None:
        """Write one object."""
        self._asked(lambda: self._put(name, content))

    def upload(self, site: Path, names: Sequence[str]) -> None:
        """Write objects, several at once."""

        def put_all() -> None:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for _ in pool.map(lambda name: self._put(name, (site / name).read_bytes()), names):
                    pass

        self._asked(put_all)

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects."""

        def remove_all() -> None:
            for name in names:
                self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

        self._asked(remove_all)

    def _put(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content, **headers_of(name))

    def _may_list(self) -> bool:
        try:
            self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1)
        except ClientError as error:
            if _code(error) in _DENIED:
                return False
            raise
        return True

    def _is_there(self, name: str) -> bool:
        try:
            self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
        except ClientError as error:
            if _code(error) in _MISSING | _DENIED:
                return False
            raise
        return True

    def _asked(self, ask: Callable[[], Answer]) -> Answer:
        """An answer of the server, or a refusal in words."""
        try:
            return ask()
        except NoCredentialsError:
            raise OutputRefused(
                f"There are no credentials for {self.place}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
        except ClientError as error:
            raise OutputRefused(f"{self.place}: {_sentence(error)}") from error
        except BotoCoreError as error:
            raise OutputRefused(f"{self.place} cannot be reached: {error} Publish again when it can.") from error


def headers_of(name: str) -> dict[str, str]:
    """An object's type, and how long browsers may keep it."""
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith(_TEXT) else ""
    return {"ContentType": kind + charset, "CacheControl": FOR_EVER if name.startswith("assets/") else ASK_AGAIN}


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _sentence(error: ClientError) -> str:
    """What went wrong, and what to do."""
    code = _code(error)
    known = {
        "NoSuchBucket": "There is no such bucket. Make it first.",
        "RequestTimeTooSkewed": "The clock of this machine is wrong. Set it, and publish again.",
        "ExpiredToken": "The credentials have expired. Get new ones, and publish again.",
        "InvalidAccessKeyId": "The key id is unknown there. Check AWS_ACCESS_KEY_ID.",
        "SignatureDoesNotMatch": "The secret does not fit the key id. Check AWS_SECRET_ACCESS_KEY.",
    }
    if code in _DENIED:
        return "These credentials may not do this. They need to read, write and remove objects of the bucket."
    return known.get(code) or f"The server answers “{code}”: {error.response.get('Error', {}).get('Message', '')}"
