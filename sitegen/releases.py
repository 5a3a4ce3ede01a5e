"""The sites that were published: their files, their catalogues and their receipts, below `build/releases/`.

They are what `rollback` goes back to and `verify` compares with. The newest five sites of each place are kept.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from sitegen.catalog.manifest import Manifest, read_manifest, write_manifest
from sitegen.catalog.model import Compiled
from sitegen.folders import names_below

KEPT = 5


class Receipt(Compiled):
    """What one publish did. `digest` is the SHA-256 over the names and digests of all files; `back_to` is a number."""

    number: int
    version: str
    commit: str | None
    is_committed: bool = True  # False where files had changes that no commit has
    built_at: datetime
    published_at: datetime | None = None  # None while it lasts, and where it was cut
    to: str
    files: int
    changed: int = 0
    digest: str
    back_to: int | None = None
    changes: tuple[str, ...] = ()

    @property
    def site(self) -> tuple[str, str]:
        """What makes one site another: its files, and the catalogue behind it."""
        return self.digest, self.version

    @property
    def origin(self) -> int:
        """The number under which this site was published first."""
        return self.back_to or self.number


@dataclass(frozen=True)
class Release:
    """One published site."""

    folder: Path
    receipt: Receipt

    @property
    def site(self) -> Path:
        """Its files."""
        return self.folder / "site"

    @property
    def manifest(self) -> Manifest:
        """Its catalogue. Raises ManifestUnreadable."""
        return read_manifest(self.folder / "catalog.json")


class Releases:
    """All of a school, the oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Release]:
        """Those whose publishing was finished."""
        return [release for release in self._read() if release.receipt.published_at is not None]

    def newest(self, to: str | None = None) -> Release | None:
        """What is published now, at a place or anywhere; None before the first."""
        finished = [each for each in self.all() if to in (None, each.receipt.to)]
        return finished[-1] if finished else None

    def before(self, release: Release) -> Release | None:
        """What was at its place before it, or before what it went back to; never the same site again."""
        earlier = [
            each
            for each in self.all()
            if each.receipt.number < release.receipt.origin
            and each.receipt.to == release.receipt.to
            and each.receipt.site != release.receipt.site
        ]
        return earlier[-1] if earlier else None

    def next_number(self) -> int:
        """The number of the next one; one that was cut has had its own."""
        known = self._read()
        return known[-1].receipt.number + 1 if known else 1

    def keep(self, site: Path, manifest: Manifest, receipt: Receipt) -> Release:
        """Copy a site. A file that the newest release has as well takes no space twice."""
        newest = self.newest()
        folder = self._folder / f"{receipt.number:05}"
        draft = folder.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        for name in names_below(site):
            path = site / name
            target = draft / "site" / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            known = newest.site / name if newest else None
            if known is not None and known.is_file() and known.read_bytes() == path.read_bytes():
                _link(known, target)
            else:
                shutil.copyfile(path, target)
        write_manifest(manifest, draft / "catalog.json")
        release = Release(folder, receipt)
        _write(receipt, draft)
        draft.rename(folder)
        return release

    def finish(self, release: Release, receipt: Receipt) -> None:
        """Say that it is published, and forget the oldest."""
        _write(receipt, release.folder)
        needed: set[Path] = set()
        for place in {each.receipt.to for each in self.all()}:
            sites: set[tuple[str, str]] = set()  # the same site, published again, counts once
            for each in reversed([each for each in self.all() if each.receipt.to == place]):
                if len(sites) < KEPT or each.receipt.site in sites:
                    sites.add(each.receipt.site)
                    needed.add(each.folder)
        for each in self._read():
            if each.folder not in needed and each.receipt.number < receipt.number:
                shutil.rmtree(each.folder)

    def _read(self) -> list[Release]:
        found = []
        for path in sorted(self._folder.glob("[0-9]*/receipt.json")):
            try:
                found.append(Release(path.parent, Receipt.model_validate_json(path.read_bytes())))
            except ValidationError:  # another version of this program wrote it
                continue
        return found


def digest_of(files: Mapping[str, str]) -> str:
    """One digest for a site: of its files' names and digests."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _write(receipt: Receipt, folder: Path) -> None:
    draft = folder / "receipt.json.new"
    draft.write_text(receipt.model_dump_json(indent=2), encoding="utf-8")
    draft.replace(folder / "receipt.json")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
