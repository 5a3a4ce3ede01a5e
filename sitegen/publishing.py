"""Publishing as a whole: a release is kept, the service is asked, files go out, and a receipt is left.

It may be cut anywhere and run again. The order is: what can be refused, then pages, then the catalogue by which the
service charges.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sitegen.build import Prepared, publish_prepared
from sitegen.catalog.commit import is_committed
from sitegen.catalog.manifest import Manifest, drafts_folder, private_folder, write_manifest
from sitegen.differences.compare import CourseChange, compare
from sitegen.differences.facts import SchoolFacts, facts_of
from sitegen.publish import OutputRefused, Publishing
from sitegen.releases import Receipt, Release, Releases, digest_of
from sitegen.school import School
from sitegen.targets.inventory import CATALOGUE
from sitegen.targets.remote import digests_of
from sitegen.targets.target import Target


class Installation(Protocol):
    """The service that will charge for what is published."""

    def prepare(self, manifest: Manifest) -> str:
        """Make sure that it can use and sell a catalogue; says what was done. Raises where it cannot."""


@dataclass(frozen=True)
class Places:
    """Where files go. `private` is for what the service reads, where it runs on another machine."""

    site: Target
    name: str
    private: Target | None = None

    @property
    def is_bucket(self) -> bool:
        """Whether the pages go into a bucket."""
        return self.name.startswith("s3:")


@dataclass(frozen=True)
class Plan:
    """What publishing would change. `is_new` is false where the same site is published already."""

    changes: Sequence[CourseChange]
    written: int
    removed: int
    is_new: bool


def releases_of(school: School) -> Releases:
    """The school's."""
    return Releases(school.manifest.parent / "releases")


def plan_publish(releases: Releases, prepared: Prepared, to: str) -> Plan:
    """Compare a prepared site with what is published there. Raises OutputRefused where a clock is behind."""
    newest = releases.newest(to)
    if newest is None:
        files = digests_of(prepared.folder)
        return Plan(compare(SchoolFacts(courses=()), facts_of(prepared.catalog)), len(files), 0, is_new=True)
    if newest.receipt.published_at and datetime.now(UTC) < newest.receipt.built_at:
        raise OutputRefused(
            f"The clock of this machine says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, and what is published was built "
            f"later, at {newest.receipt.built_at:%Y-%m-%d %H:%M}. Set the clock, and publish again."
        )
    before, after = digests_of(newest.site), digests_of(prepared.folder)
    old = newest.manifest
    return Plan(
        compare(facts_of(old.catalog.at(old.built_at)), facts_of(prepared.catalog)),
        sum(before.get(name) != digest for name, digest in after.items()),
        len(before.keys() - after.keys()),
        is_new=before != after or old.version != prepared.manifest.version,
    )


def publish(
    school: School,
    prepared: Prepared,
    places: Places,
    installation: Installation,
    changes: Sequence[str],
    *,
    everything: bool = False,
) -> tuple[Receipt, Publishing, str]:
    """Publish a prepared site; the receipt, what happened to files, and what the installation said.

    Raises OutputRefused, and whatever `installation` raises.
    """
    releases = releases_of(school)
    with _alone(school):
        said = installation.prepare(prepared.manifest)
        committed = is_committed(school.root)
        release = _keep(releases, prepared.folder, prepared.manifest, places.name, changes, committed=committed)
        published: list[Publishing] = []

        def put(site: Path) -> Publishing:
            published.append(places.site.put(site, everything=everything))
            return published[0]

        publish_prepared(school, prepared, put, manifest=school.manifest, rehearsal=False)
        receipt = _finish(school, releases, release, places, published[0])
    return receipt, published[0], said


def plan_rollback(releases: Releases, release: Release) -> Sequence[CourseChange]:
    """What going back changes."""
    newest = releases.newest(release.receipt.to)
    return compare(
        facts_of(newest.manifest.catalog) if newest else SchoolFacts(courses=()), facts_of(release.manifest.catalog)
    )


def roll_back(
    school: School, release: Release, places: Places, installation: Installation
) -> tuple[Receipt, Publishing, str]:
    """Publish an earlier release again, under a number of its own. Nobody loses what they bought meanwhile."""
    releases = releases_of(school)
    # The service takes the newest catalogue; this one is published now, and belongs to no newer commit.
    manifest = release.manifest.model_copy(update={"built_at": datetime.now(UTC), "committed_at": None})
    changes = plan_rollback(releases, release)
    lines = tuple(f"{change.title}: {sentence}" for change in changes for sentence in change.sentences)
    with _alone(school):
        said = installation.prepare(manifest)
        kept = _keep(releases, release.site, manifest, places.name, lines, back_to=release.receipt.origin)
        published = places.site.put(kept.site)
        write_manifest(manifest, school.manifest)
        receipt = _finish(school, releases, kept, places, published)
    return receipt, published, said


def _keep(
    releases: Releases,
    site: Path,
    manifest: Manifest,
    to: str,
    changes: Sequence[str],
    *,
    back_to: int | None = None,
    committed: bool = True,
) -> Release:
    files = digests_of(site)
    receipt = Receipt(
        number=releases.next_number(),
        version=manifest.version,
        commit=manifest.commit,
        is_committed=committed,
        built_at=manifest.built_at,
        to=to,
        files=len(files),
        digest=digest_of(files),
        back_to=back_to,
        changes=tuple(changes),
    )
    return releases.keep(site, manifest, receipt)


def _finish(school: School, releases: Releases, release: Release, places: Places, published: Publishing) -> Receipt:
    if places.private is not None:
        with _private_files(school) as folder:
            places.private.put(folder)
    receipt = release.receipt.model_copy(update={"published_at": datetime.now(UTC), "changed": published.changed})
    releases.finish(replace(release, receipt=receipt), receipt)
    return receipt


@contextmanager
def _private_files(school: School) -> Iterator[Path]:
    """What the service reads, in a folder of its own: the catalogue, the pictures of paid texts, the drafts."""
    with tempfile.TemporaryDirectory(prefix="coursewright-") as name:
        folder = Path(name)
        shutil.copyfile(school.manifest, folder / CATALOGUE)
        for each in (private_folder(school.manifest), drafts_folder(school.manifest)):
            if each.is_dir():
                shutil.copytree(each, folder / each.name)
        yield folder


@contextmanager
def _alone(school: School) -> Iterator[None]:
    """One publish at a time on this machine; a second one is told, and does not wait."""
    folder = school.manifest.parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder / "publish.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OutputRefused("This school is being published at this moment. Wait until that is done.") from None
    try:
        yield
    finally:
        os.close(descriptor)
