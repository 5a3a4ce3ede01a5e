"""The state that a school's files are compared with: what is published, a commit, or a live site."""

import io
import subprocess
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

import httpx

from sitegen.catalog.faults import CatalogInvalid
from sitegen.catalog.manifest import ManifestUnreadable, read_manifest
from sitegen.differences.facts import SchoolFacts, facts_of, public_facts
from sitegen.differences.record import NAME, RecordUnreadable, read_record
from sitegen.load import load_school
from sitegen.school import NoSchool, School, find_school
from sitegen.tar_files import unpack_files

_TIMEOUT = 20  # seconds


class CannotCompare(Exception):
    """There is nothing to compare with; the message says why, and what to do."""


def facts_of_manifest(path: Path) -> SchoolFacts:
    """Of what a build wrote; of nothing where there was none."""
    try:
        manifest = read_manifest(path)
    except ManifestUnreadable as error:
        if not path.exists():
            return SchoolFacts(courses=())
        raise CannotCompare(str(error)) from None
    return facts_of(manifest.catalog.at(manifest.built_at))


def facts_of_commit(school: School, commit: str, *, now: datetime) -> SchoolFacts:
    """Of the files as they were in a commit, read as this version of the program reads them. Raises CannotCompare."""
    if commit.startswith("-"):
        raise CannotCompare(f"“{commit}” is no name of a commit.")
    done = subprocess.run(  # noqa: S603 - git, with the name of a commit that is no option
        ["git", "-C", str(school.root), "archive", "--format=tar", commit, "--", "."],  # noqa: S607 - git is in the path
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git does not say why"])[0]
        raise CannotCompare(f"git cannot read “{commit}”: {said}")
    with tempfile.TemporaryDirectory(prefix="coursewright-") as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            unpack_files(archive, Path(folder))
        try:
            return facts_of(load_school(find_school(Path(folder)), now=now).catalog.at(now))
        except NoSchool:
            raise CannotCompare(f"There is no school in “{commit}”.") from None
        except CatalogInvalid as error:
            first = error.faults[0]
            name = Path(first.file).relative_to(folder) if Path(first.file).is_relative_to(folder) else first.file
            raise CannotCompare(
                f"The files of “{commit}” have faults for this version of Coursewright, the first in {name}, line "
                f"{first.line}: {first.problem} Compare with another commit, or with the address of the live site."
            ) from None


def facts_of_site(address: str) -> SchoolFacts:
    """Of a live site, as far as visitors can see. Raises CannotCompare."""
    url = f"{address.rstrip('/')}/{NAME}"
    try:
        answer = httpx.get(url, timeout=_TIMEOUT, follow_redirects=True)
        answer.raise_for_status()
        return read_record(answer.content).school
    except httpx.HTTPError as error:
        raise CannotCompare(f"{url} cannot be read: {error}") from None
    except RecordUnreadable:
        raise CannotCompare(
            f"{url} is no record of a build; another version of Coursewright may have made it."
        ) from None


def only_public(school: School, *, now: datetime) -> SchoolFacts:
    """Of the files, as far as visitors could see."""
    return public_facts(load_school(school, now=now).catalog.at(now))
