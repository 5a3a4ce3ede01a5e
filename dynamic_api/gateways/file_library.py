"""The creator's files to download: put up, and looked at. Only commands use this, with keys that may write.

The running service only signs links (`storage.py`), with keys that may read.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import httpx

from dynamic_api.core.settings import MediaSettings, SettingsInvalid
from sitegen.s3 import open_s3

_PART = 16 * 1024 * 1024  # bytes; larger files go up in parts
_TIMEOUT = 20  # seconds


class FilesRefused(Exception):
    """Why a file was not put up, or cannot be looked at, in a sentence."""


@dataclass(frozen=True)
class FileFacts:
    """A stored file. `is_public` where everybody can fetch it without a signed link."""

    size: int
    is_public: bool


class LocalFiles:
    """A folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def look(self, key: str) -> FileFacts | None:
        """A file; None where there is none."""
        path = self._folder / key
        return FileFacts(path.stat().st_size, is_public=False) if path.is_file() else None

    def put(self, key: str, file: Path, media_type: str) -> None:
        """Copy a file to there, under another name first."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        shutil.copyfile(file, draft)
        draft.replace(path)


class BucketFiles:
    """A private bucket. https://developers.cloudflare.com/r2/api/s3/api/"""

    def __init__(self, settings: MediaSettings) -> None:
        if not (settings.r2_access_key_id and settings.r2_secret_access_key):
            raise SettingsInvalid("Set COURSEWRIGHT_R2_ACCESS_KEY_ID and COURSEWRIGHT_R2_SECRET_ACCESS_KEY.")
        self._address = f"{settings.r2_endpoint}/{settings.r2_bucket}"
        self._bucket = settings.r2_bucket
        self._client = open_s3(
            settings.r2_endpoint,
            keys=(settings.r2_access_key_id.get_secret_value(), settings.r2_secret_access_key.get_secret_value()),
        )

    def look(self, key: str) -> FileFacts | None:
        """An object; None where there is none. Raises FilesRefused."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            head = self._client.head_object(Bucket=self._bucket, Key=key)
            open_answer = httpx.head(f"{self._address}/{key}", timeout=_TIMEOUT)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NotFound"):
                return None
            raise FilesRefused(f"The bucket refuses: {error}") from error
        except (BotoCoreError, httpx.HTTPError) as error:
            raise FilesRefused(f"The bucket could not be reached: {error}") from error
        return FileFacts(int(head["ContentLength"]), is_public=open_answer.is_success)

    def put(self, key: str, file: Path, media_type: str) -> None:
        """Put a file up, in parts where it is large. Raises FilesRefused."""
        from boto3.exceptions import Boto3Error
        from boto3.s3.transfer import TransferConfig
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.upload_file(
                str(file),
                self._bucket,
                key,
                ExtraArgs={"ContentType": media_type},
                Config=TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART),
            )
        except (BotoCoreError, ClientError, Boto3Error) as error:
            raise FilesRefused(f"The bucket did not take {file.name}: {error}") from error


Files = LocalFiles | BucketFiles


def open_files(settings: MediaSettings) -> Files:
    """The store of the settings. Raises SettingsInvalid."""
    if settings.files_dir is not None:
        if not settings.files_dir.is_dir():
            raise SettingsInvalid(f"COURSEWRIGHT_FILES_DIR: there is no folder {settings.files_dir}. Make it first.")
        return LocalFiles(settings.files_dir)
    if settings.r2_endpoint and settings.r2_bucket:
        return BucketFiles(settings)
    raise SettingsInvalid(
        "Set COURSEWRIGHT_FILES_DIR, or COURSEWRIGHT_R2_ENDPOINT, _BUCKET, _ACCESS_KEY_ID and _SECRET_ACCESS_KEY, with "
        "a token that may write."
    )
