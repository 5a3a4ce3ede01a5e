"""What builds have written to a place elsewhere, and what the next one has to do there.

The list lies at that place, as `.coursewright`. Only files on it are ever replaced or removed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from sitegen.publish import KEEP_OLD_ASSETS, LIST, OutputRefused

CATALOGUE = "catalog.json"  # the service's, where it is published as well


@dataclass(frozen=True)
class Inventory:
    """`files`: the SHA-256 of each file, empty while it is being written. `left`: since when an old asset is unused.

    `publishing` names the publish that writes at this moment.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, float] = field(default_factory=dict)
    publishing: str = ""

    def to_bytes(self) -> bytes:
        """As it is stored."""
        data = {"written by": "coursewright publish", "publishing": self.publishing, "left": dict(self.left)}
        return json.dumps({**data, "files": dict(sorted(self.files.items()))}, ensure_ascii=False, indent=0).encode()


def read_inventory(content: bytes) -> Inventory:
    """Raises OutputRefused: without its list nothing at a place can be replaced safely."""
    try:
        data = json.loads(content)
        files, left = data["files"], data["left"]
        return Inventory({str(name): str(files[name]) for name in files}, {str(n): float(left[n]) for n in left},
                         str(data["publishing"]))  # fmt: skip
    except (ValueError, TypeError, KeyError):
        raise OutputRefused(
            f"The list {LIST} at that place cannot be read; it says what was published there. Restore it, or choose an "
            "empty place."
        ) from None


def is_last(name: str) -> bool:
    """Whether a file is written after all others: pages, and a catalogue, refer to what must be there before them."""
    return name.endswith(".html") or name == CATALOGUE


@dataclass(frozen=True)
class Plan:
    """`upload` in this order, then `remove`. The inventory is `during` while it lasts, and `after` it."""

    upload: tuple[str, ...]
    remove: tuple[str, ...]
    during: Inventory
    after: Inventory


def plan(known: Inventory, wanted: Mapping[str, str], *, now: float, publishing: str, everything: bool) -> Plan:
    """What has to be done. Pages come last, so that what they refer to is there before them."""
    upload = [name for name in wanted if everything or known.files.get(name) != wanted[name]]
    upload.sort(key=lambda name: (is_last(name), not name.startswith("assets/"), name))
    left = {
        name: known.left.get(name, now) for name in known.files if name not in wanted and name.startswith("assets/")
    }
    kept = {name: since for name, since in left.items() if now - since < KEEP_OLD_ASSETS}
    remove = sorted(name for name in known.files if name not in wanted and name not in kept)
    unfinished = dict.fromkeys(upload, "")
    return Plan(
        tuple(upload),
        tuple(remove),
        Inventory({**known.files, **unfinished}, left, publishing),
        Inventory({**{name: known.files[name] for name in kept}, **wanted}, kept),
    )
