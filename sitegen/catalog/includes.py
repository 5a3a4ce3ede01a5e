"""`{{ include "samples/bake.py" }}`, alone on a line: the file stands there, also inside a code fence.

Code that is tested elsewhere is shown as it is. An included file includes nothing itself.
"""

import re
from collections.abc import Callable
from pathlib import Path

from sitegen.catalog.faults import Fault
from sitegen.catalog.pictures import FileRefused
from sitegen.catalog.text_files import Unreadable, read_text

Place = Callable[[int, int], tuple[Path, int, int]]

_INCLUDE = re.compile(r"^[ \t]*\{\{\s*include\s+[\"“]([^\"”\n]+)[\"”]\s*\}\}[ \t]*$")
_LONGEST = 256 * 1024  # characters


def with_includes(text: str, find: Callable[[str], Path], place: Place) -> tuple[str, Place, list[Fault]]:
    """The text with the files in it, where each of its lines is written, and what is wrong."""
    if "{{" not in text:
        return text, place, []
    lines: list[str] = []
    origins: list[tuple[Path | None, int]] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=1):
        match = _INCLUDE.match(line)
        if match is None:
            lines.append(line)
            origins.append((None, number))
            continue
        try:
            path = find(match[1])
            included = read_text(path)
            if len(included) > _LONGEST:
                raise FileRefused(f"“{match[1]}” is too long to be included.", "Include a shorter file.")
        except FileRefused as error:
            faults.append(Fault(*place(number, 1), str(error), error.remedy))
        except Unreadable as error:
            faults.append(error.fault)
        else:
            for inner, each in enumerate(included.rstrip("\n").split("\n"), start=1):
                lines.append(each)
                origins.append((path, inner))

    def where(line: int, column: int) -> tuple[Path, int, int]:
        path, inner = origins[min(line, len(origins)) - 1] if origins else (None, line)
        return (path, inner, column) if path is not None else place(inner, column)

    return "\n".join(lines), where, faults
