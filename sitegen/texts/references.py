"""Links, pictures and files that a text names. Whoever renders it says where each leads."""

from collections.abc import Callable
from typing import Literal, NamedTuple


class Reference(NamedTuple):
    """A link, picture or file of a text, as it is written there."""

    kind: Literal["link", "picture", "file"]
    address: str
    line: int
    column: int


class Target(NamedTuple):
    """Where it leads, and the size of a picture."""

    address: str
    width: int | None = None
    height: int | None = None


class Unresolved(ValueError):
    """It leads nowhere: what is wrong, and the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


Resolve = Callable[[Reference], Target]


def written(reference: Reference) -> Target:
    """The address as it is written."""
    return Target(reference.address)
