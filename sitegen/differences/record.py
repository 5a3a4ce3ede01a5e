"""`build.json`: what a site says about itself. It lies on the site, for `coursewright diff` and `coursewright verify`.

It holds the digest of every file, the version of the catalogue, and what visitors can see of the courses.
"""

import hashlib
from collections.abc import Iterable, Iterator

from pydantic import ValidationError

from sitegen.catalog.model import Catalog, Compiled
from sitegen.differences.facts import SchoolFacts, public_facts
from sitegen.site.render import SiteFile

NAME = "build.json"


class Record(Compiled):
    """`files`: the SHA-256 of each other file of the site, by name."""

    version: str
    school: SchoolFacts
    files: dict[str, str]


class RecordUnreadable(Exception):
    """There is none, or another version of this program wrote it."""


def with_record(files: Iterable[SiteFile], catalog: Catalog, version: str) -> Iterator[SiteFile]:
    """The files of a site, and its record after them."""
    digests = {}
    for file in files:
        digests[file.name] = hashlib.sha256(file.content).hexdigest()
        yield file
    record = Record(version=version, school=public_facts(catalog), files=dict(sorted(digests.items())))
    yield SiteFile(NAME, record.model_dump_json(indent=0).encode())


def read_record(content: bytes) -> Record:
    """Raises RecordUnreadable."""
    try:
        return Record.model_validate_json(content)
    except ValidationError:
        raise RecordUnreadable from None
