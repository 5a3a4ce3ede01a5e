"""The parts of a Markdown text that are not code, changed line by line; code stays as it is."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^([ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*)(`{3,}|~{3,})(.*)$")
_INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_HIDDEN = "\x04"
_INDENTED = re.compile(r"^(?: {4}|\t)")


class Line(NamedTuple):
    """A line of a text, and whether it is code; the fences themselves count as code."""

    number: int
    text: str
    is_code: bool


def lines_of(text: str) -> Iterator[Line]:
    """Every line. A fence ends with a line of at least as many of the same signs, and nothing else."""
    fence = ""
    before_is_empty = True
    for number, line in enumerate(text.split("\n"), start=1):
        found = _FENCE.match(line)
        if fence:
            closes = found and found[2].startswith(fence[0] * len(fence)) and not found[3].strip()
            yield Line(number, line, True)
            if closes:
                fence = ""
        elif found and not (found[2][0] == "`" and "`" in found[3]):
            fence = found[2]
            yield Line(number, line, True)
        else:
            is_code = (
                bool(_INDENTED.match(line)) and before_is_empty and not line.lstrip().startswith(("-", "*", "+", "|"))
            )
            yield Line(number, line, is_code and bool(line.strip()))
            before_is_empty = not line.strip()
            continue
        before_is_empty = False


def map_prose(text: str, change: Callable[[str, int], str]) -> str:
    """The text with `change(part, line number)` applied to whatever is no code."""
    return "\n".join(
        line.text if line.is_code else _outside_code(line.text, line.number, change) for line in lines_of(text)
    )


def _outside_code(line: str, number: int, change: Callable[[str, int], str]) -> str:
    """Code within the line is a sign of its own meanwhile, so that a link's words may contain it."""
    codes: list[str] = []

    def hide(found: re.Match[str]) -> str:
        codes.append(found[0])
        return f"{_HIDDEN}{len(codes) - 1}{_HIDDEN}"

    changed = change(_INLINE_CODE.sub(hide, line), number)
    return re.sub(f"{_HIDDEN}(\\d+){_HIDDEN}", lambda found: codes[int(found[1])], changed)
