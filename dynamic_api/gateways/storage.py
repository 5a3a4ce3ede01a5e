"""Where downloads are stored: R2, or a folder of this machine."""

from pathlib import Path
from urllib.parse import quote

from dynamic_api.core.settings import Settings
from sitegen.s3 import open_s3


def attachment(name: str, key: str) -> str:
    """A Content-Disposition header that saves under the resource's name, in any script (RFC 6266, RFC 8187)."""
    extension = Path(key).suffix
    full = name if name.lower().endswith(extension.lower()) else name + extension
    full = "".join(character for character in full if character.isprintable() and character not in '"\\/')
    plain = full.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(full, safe='')}"


class R2Storage:
    """Signs links to R2. https://developers.cloudflare.com/r2/api/s3/presigned-urls/"""

    def __init__(self, settings: Settings) -> None:
        if not (settings.r2_access_key_id and settings.r2_secret_access_key):
            raise ValueError("R2 needs its keys")
        self._bucket = settings.r2_bucket
        self._client = open_s3(
            settings.r2_endpoint,
            keys=(settings.r2_access_key_id.get_secret_value(), settings.r2_secret_access_key.get_secret_value()),
        )

    def link(self, key: str, *, name: str, media_type: str, seconds: int) -> str:
        """An address that serves this file to anyone who has it, for `seconds`."""
        return str(
            self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": attachment(name, key),
                    "ResponseContentType": media_type,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=seconds,
            )
        )

    def plain_link(self, key: str, *, seconds: int) -> str:
        """An address of a file as it is stored, such as a part of a video."""
        return str(
            self._client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
            )
        )


class LocalStorage:
    """Files of this machine; the service itself signs their links and serves them."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def path(self, key: str) -> Path | None:
        """The file of a key, or None when the folder has no such file."""
        path = (self._root / key).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None


Storage = R2Storage | LocalStorage
