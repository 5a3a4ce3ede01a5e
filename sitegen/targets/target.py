"""The name of a place, as a creator writes it → the place."""

import re
from dataclasses import dataclass
from pathlib import Path

from sitegen.publish import OutputRefused, Publishing, publish_site
from sitegen.targets.remote import Store, put_site


@dataclass(frozen=True)
class FolderTarget:
    """A folder of this machine; a private one is for its owner and their group."""

    folder: Path
    is_private: bool = False

    def put(self, site: Path, *, everything: bool = False) -> Publishing:
        """Copy what differs; files are compared, so `everything` changes nothing. Raises OutputRefused."""
        published = publish_site(site, self.folder)
        if self.is_private:
            for path in (self.folder, *self.folder.rglob("*")):
                path.chmod(0o750 if path.is_dir() else 0o640)
        return published


@dataclass(frozen=True)
class RemoteTarget:
    """A place elsewhere."""

    store: Store

    def put(self, site: Path, *, everything: bool = False) -> Publishing:
        """Upload what differs. Raises OutputRefused."""
        return put_site(self.store, site, everything=everything)


Target = FolderTarget | RemoteTarget


def find_target(written: str, *, endpoint: str | None, is_private: bool = False) -> Target:
    """`/srv/site`, `rsync:host:/srv/site` or `s3:bucket/prefix`. Raises OutputRefused."""
    if written.startswith("rsync:"):
        place = written.removeprefix("rsync:")
        if not (place.partition(":")[2] if re.match(r"[^/]*:", place) else place).strip("/. ~"):
            raise OutputRefused(
                f"“{written}” names no folder. Write rsync:HOST:/FOLDER, such as rsync:host:/srv/school."
            )
        from sitegen.targets.rsync import RsyncStore

        return RemoteTarget(RsyncStore(place, is_private=is_private))
    if written.startswith("s3:") and is_private:
        raise OutputRefused(f"The service reads its catalogue from a folder, and not from a bucket: “{written}”.")
    if written.startswith("s3:"):
        from sitegen.targets.bucket import BucketStore  # boto3 takes a tenth of a second to import

        bucket, _, prefix = written.removeprefix("s3:").removeprefix("//").partition("/")
        if not bucket:
            raise OutputRefused(f"“{written}” names no bucket. Write s3:BUCKET, or s3:BUCKET/FOLDER.")
        return RemoteTarget(BucketStore(bucket, prefix, endpoint))
    if re.match(r"\w+://|[\w.@-]+:", written):
        raise OutputRefused(f"“{written}” is no place to publish to. Write a folder, rsync:host:/folder, or s3:bucket.")
    return FolderTarget(Path(written), is_private)
