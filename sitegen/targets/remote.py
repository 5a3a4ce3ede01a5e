"""Publishing to a place elsewhere, in steps that may be cut anywhere: the next publish goes on where one stopped."""

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sitegen.publish import LIST, OutputRefused, Publishing
from sitegen.targets.inventory import Inventory, is_last, plan, read_inventory

_SHOWN = 4


class Store(Protocol):
    """A place. Every method may raise OutputRefused, with a sentence that says why and what to do."""

    place: str

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none."""

    def names(self, wanted: Sequence[str]) -> set[str]:
        """The files there; where they cannot be listed, those of `wanted` that are there."""

    def write(self, name: str, content: bytes) -> None:
        """Write one file."""

    def upload(self, site: Path, names: Sequence[str]) -> None:
        """Write files of the site, in any order."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove files; one that is gone already is no mistake."""


def digests_of(site: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder."""
    return {
        path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.name != LIST
    }


def put_site(store: Store, site: Path, *, everything: bool = False) -> Publishing:
    """Upload what differs, pages last, and then remove what earlier builds wrote there and this one did not.

    `everything` writes files again that are there according to the list. Raises OutputRefused.
    """
    wanted = digests_of(site)
    stored = store.read(LIST)
    known = read_inventory(stored) if stored is not None else Inventory()
    foreign = store.names(list(wanted)) - known.files.keys() - {LIST}
    _refuse_foreign(store.place, stored is None, foreign, wanted)
    mine = secrets.token_hex(8)
    steps = plan(known, wanted, now=time.time(), publishing=mine, everything=everything)
    if not steps.upload and not steps.remove and not known.publishing:
        return Publishing(0, tuple(sorted(foreign)))
    store.write(LIST, steps.during.to_bytes())
    store.upload(site, [name for name in steps.upload if not is_last(name)])
    store.upload(site, [name for name in steps.upload if is_last(name)])
    store.remove(steps.remove)
    now = store.read(LIST)
    if now is None or read_inventory(now).publishing != mine:
        raise OutputRefused(f"Somebody else published to {store.place} at the same time. Publish once more.")
    store.write(LIST, steps.after.to_bytes())
    return Publishing(len(steps.upload) + len(steps.remove), tuple(sorted(foreign)))


def _refuse_foreign(place: str, is_first: bool, foreign: set[str], wanted: Mapping[str, str]) -> None:
    if is_first and foreign:
        names = sorted(foreign)
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise OutputRefused(
            f"{place} has files that were not published by Coursewright ({shown}); nothing was changed. "
            "Choose an empty place, or remove them."
        )
    if in_the_way := sorted(foreign & wanted.keys()):
        raise OutputRefused(
            f"{in_the_way[0]} at {place} was not published by Coursewright, and is in the way. Move it away; to have "
            "it on the site, put it into the folder public/ of your school."
        )
