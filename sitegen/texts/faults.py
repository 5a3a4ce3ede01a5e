"""What is wrong with a text, and where."""

from typing import NamedTuple


class TextFault(NamedTuple):
    """One mistake. `line` and `column` count from 1, within the text."""

    line: int
    column: int
    problem: str
    remedy: str
