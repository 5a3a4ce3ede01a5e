"""What a command answers, or why it does not."""

from dataclasses import dataclass
from typing import Any


class CommandRefused(Exception):
    """Why a command was not carried out, in a sentence."""


@dataclass(frozen=True)
class Report:
    """What a command says: sentences for a person, data for a program. `failed` becomes the exit status."""

    lines: list[str]
    data: Any
    failed: bool = False
