"""A backup is one tar file: what it is about, the database, and the catalogue that the service used then."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dynamic_api.backups.database import POSTGRESQL, SQLITE, BackupRefused
from sitegen.tar_files import unpack_files

_ABOUT, CATALOGUE = "about.json", "catalog.json"
_MEMBERS = (SQLITE, POSTGRESQL, CATALOGUE)


@dataclass(frozen=True)
class About:
    """What a backup says of itself. `files` are SHA-256; `settings` are names alone; `rows` are counts by table."""

    program: str
    made_at: str
    schema: str
    catalogue: str
    files: Mapping[str, str]
    settings: tuple[str, ...]
    rows: Mapping[str, int]


@dataclass(frozen=True)
class OpenBackup:
    """A backup whose files were checked. `about` is None for one of an earlier version: it was the database alone."""

    database: Path
    about: About | None


def name_of(moment: datetime) -> str:
    """A backup's file name, by which the newest is found."""
    return f"coursewright-{moment:%Y%m%d-%H%M%S}.tar"


def write_archive(target: Path, members: list[Path], about: Mapping[str, object]) -> None:
    """Write one file, readable by its owner only, complete or not at all."""
    facts = {**about, "files": {path.name: digest_of(path) for path in members}}
    draft = target.with_name(f".{target.name}.new")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                content = json.dumps(facts, indent=2).encode()
                entry = tarfile.TarInfo(_ABOUT)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
                for path in members:
                    archive.add(path, arcname=path.name)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def open_backup(file: Path) -> Iterator[OpenBackup]:
    """Unpack a backup and check every digest. Raises BackupRefused."""
    if not tarfile.is_tarfile(file):
        yield OpenBackup(file, None)
        return
    with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
        folder = Path(name)
        try:
            with tarfile.open(file) as archive:
                unpack_files(archive, folder, lambda name: name in (_ABOUT, *_MEMBERS))
            about = _about(folder / _ABOUT)
        except (tarfile.TarError, EOFError, FileNotFoundError, ValueError):
            raise BackupRefused(f"{file} is no backup of Coursewright, or is cut short.") from None
        for member, digest in about.files.items():
            path = folder / member
            if member not in _MEMBERS or not path.is_file() or digest_of(path) != digest:
                raise BackupRefused(f"{file} is damaged: {member} is not what was written. Use an older backup.")
        database = next((folder / each for each in (SQLITE, POSTGRESQL) if (folder / each).is_file()), None)
        if database is None:
            raise BackupRefused(f"{file} has no database in it.")
        yield OpenBackup(database, about)


def _about(path: Path) -> About:
    """Raises FileNotFoundError and ValueError."""
    try:
        return About(**json.loads(path.read_text(encoding="utf-8")))
    except TypeError as error:  # other fields than ours
        raise ValueError(str(error)) from error


def digest_of(path: Path) -> str:
    """The SHA-256 of a file of any size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
