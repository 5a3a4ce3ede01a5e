"""The manifest: the compiled catalogue as one private JSON file, from which the service knows the courses."""

import hashlib
import os
from pathlib import Path

from pydantic import ValidationError

from sitegen.catalog.model import Catalog, Compiled


class Manifest(Compiled):
    """`version` is a digest of the catalogue: equal catalogues have equal versions."""

    version: str
    catalog: Catalog


class ManifestUnreadable(Exception):
    """The manifest is missing or was written by another version of this program."""


def compile_manifest(catalog: Catalog) -> Manifest:
    """A catalogue with its version."""
    digest = hashlib.sha256(catalog.model_dump_json().encode()).hexdigest()
    return Manifest(version=digest[:16], catalog=catalog)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Replace the file at once: a reader sees the old one or the new one. Readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
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
    except ValidationError:
        raise ManifestUnreadable(
            f"{path} was written by another version of Coursewright; run “coursewright build” again."
        ) from None
