"""The manifest: the compiled catalogue as one private JSON file, from which the service knows the courses."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from sitegen.catalog.commit import Commit
from sitegen.catalog.model import Catalog, Compiled


def private_folder(manifest: Path) -> Path:
    """Where the pictures of paid texts are: beside the manifest, from where the service serves them to owners."""
    return manifest.parent / "pictures"


def drafts_folder(manifest: Path) -> Path:
    """Where the pages of drafts are: beside the manifest, from where the service shows them to whoever has a link."""
    return manifest.parent / "drafts"


class Manifest(Compiled):
    """`version` is a digest of the catalogue: equal catalogues have equal versions.

    `committed_at` is the moment of the git commit it was built from, where there is one; with `built_at` it tells
    which of two manifests is older.
    """

    version: str
    built_at: datetime
    commit: str | None
    committed_at: datetime | None
    catalog: Catalog

    def is_older_than(self, built_at: datetime, committed_at: datetime | None) -> bool:
        """Whether another manifest came after this one: from a later commit, or from the same one in a later build."""
        if self.committed_at and committed_at and self.committed_at != committed_at:
            return self.committed_at < committed_at
        return self.built_at < built_at


class ManifestUnreadable(Exception):
    """The manifest is missing or was written by another version of this program."""


class ManifestRefused(Exception):
    """The manifest can be read and must not be used; the message says why, and what to do."""


class ManifestOlder(ManifestRefused):
    """The service has used a newer one already."""

    def __init__(self, manifest: Manifest, used: datetime) -> None:
        super().__init__(
            f"The catalogue {manifest.version}, built {manifest.built_at:%Y-%m-%d %H:%M:%S} UTC, is older than the one "
            f"in use, built {used:%Y-%m-%d %H:%M:%S} UTC. Build again from the newest commit; to go back on purpose, "
            "start once with “coursewright serve --allow-older”."
        )


class ManifestForeign(ManifestRefused):
    """It has none of the courses that people own here."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(
            f"The catalogue {manifest.version} ({manifest.catalog.site.name}) has none of the courses that people own "
            "in this database: it belongs to another school, or its course files are missing. Check "
            "COURSEWRIGHT_MANIFEST and COURSEWRIGHT_DATABASE_URL."
        )


def compile_manifest(catalog: Catalog, commit: Commit | None = None, *, built_at: datetime | None = None) -> Manifest:
    """A catalogue with its version. It was built now, unless told otherwise."""
    digest = hashlib.sha256(catalog.model_dump_json().encode()).hexdigest()
    return Manifest(
        version=digest[:16],
        built_at=built_at or datetime.now(UTC),
        commit=commit.id if commit else None,
        committed_at=commit.at if commit else None,
        catalog=catalog,
    )


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Replace the file at once: a reader sees the old one or the new one. It is for its owner and their group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "wb") as file:
        file.write(manifest.model_dump_json().encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read_manifest(path: Path) -> Manifest:
    """Raises ManifestUnreadable with a sentence that says what to run."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ManifestUnreadable(f"{path} is missing; run “coursewright build” first.") from None
    except PermissionError:
        raise ManifestUnreadable(
            f"{path} may not be read by this user: run the service as its owner or in its group (in containers: OWNER)."
        ) from None
    except ValidationError:
        raise ManifestUnreadable(
            f"{path} was written by another version of Coursewright; run “coursewright build” again."
        ) from None
