"""One form for course files: two spaces for each level; comments, the order of lines and all words as they were.

Nothing but spaces is changed: a file of which anything else would be is left alone, and named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.catalog.text_files import Unreadable, read_text
from sitegen.catalog.yaml_source import YamlSource, parse_yaml
from sitegen.school import School

_NO_FOLDING = 1 << 20  # characters; lines are broken where their author broke them


@dataclass(frozen=True)
class Formatted:
    """A file that is written in another form than this one; `text` is None where it has to stay so."""

    path: Path
    text: str | None


def files_of(school: School) -> list[Path]:
    """The course files, and the pages and posts, which begin with YAML."""
    courses = school.course_data.glob("courses/*/course.yaml")
    return sorted([school.course_data / "site.yaml", *courses, *school.content.rglob("*.md")])


def format_files(paths: list[Path]) -> list[Formatted]:
    """Those that are in another form. Raises CatalogInvalid where one cannot be read; nothing is written here."""
    changed, faults = [], []
    for path in paths:
        try:
            before = read_text(path)
        except FileNotFoundError:
            faults.append(Fault(path, 1, 1, "This file is missing.", "Name a file of the school."))
            continue
        except Unreadable as error:
            faults.append(error.fault)
            continue
        if path.suffix not in (".md", ".yaml", ".yml"):
            faults.append(Fault(path, 1, 1, "This is no course file.", "Name a .yaml file, or a page or post."))
            continue
        after = _in_markdown(path, before, faults) if path.suffix == ".md" else _in_yaml(path, before, faults)
        if after != before:
            changed.append(Formatted(path, after))
    if faults:
        raise CatalogInvalid(faults)
    return changed


def _in_markdown(path: Path, text: str, faults: list[Fault]) -> str | None:
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        return text
    head = _in_yaml(path, "\n".join(lines[1:end]) + "\n", faults, above=1)
    return None if head is None else "---\n" + head + "\n".join(["---", *lines[end + 1 :]])


def _in_yaml(path: Path, text: str, faults: list[Fault], *, above: int = 0) -> str | None:
    source = parse_yaml(YamlSource(path), text, above=above)
    if source.faults:
        faults += source.faults
        return text
    if source.data is None:
        return text
    writer = YAML()
    writer.preserve_quotes = True
    writer.width = _NO_FOLDING
    writer.indent(mapping=2, sequence=4, offset=2)
    written = StringIO()
    try:
        writer.dump(writer.load(text), written)
    except YAMLError:  # this parser is stricter than the one that reads course files
        return None
    tidy = _with_comments_in_place(written.getvalue(), text)
    is_same = "".join(tidy.split()) == "".join(text.split()) and parse_yaml(YamlSource(path), tidy).data == source.data
    return tidy if is_same else None


def _with_comments_in_place(text: str, before: str) -> str:
    """Comments on lines of their own keep their column when what surrounds them is moved; here they move with it."""
    was, now = list(_comments(before)), list(_comments(text))
    lines = text.split("\n")
    if len(was) == len(now):
        for old, new in zip(was, now, strict=True):
            lines[new.line] = " " * getattr(new, old.place) + lines[new.line].lstrip()
    inside = _lines_of_long_texts(text)
    return "\n".join(line if number in inside else line.rstrip() for number, line in enumerate(lines))


class _Comment(NamedTuple):
    """A comment's line and column, and the columns it may belong to: of what is below or above, or its dash."""

    line: int
    column: int
    below: int
    above: int
    dash: int

    @property
    def place(self) -> Literal["below", "above", "dash"]:
        """Which of them it stands in."""
        if self.column in (self.below, self.above):
            return "below" if self.column == self.below else "above"
        return "dash" if self.column == self.dash else "below"


def _comments(text: str) -> Iterator[_Comment]:
    """Every comment that has a line of its own, from the last to the first."""
    inside = _lines_of_long_texts(text)
    below = 0
    waiting: list[tuple[int, int]] = []
    for number, line in reversed([(-1, ""), *enumerate(text.split("\n"))]):
        column = len(line) - len(line.lstrip())
        if number >= 0 and (number in inside or not line.strip()):
            continue
        if line.lstrip().startswith("#"):
            waiting.append((number, column))
            continue
        words = len(line) - len(line.lstrip(" -"))
        yield from (_Comment(*each, below, words, column) for each in waiting)
        below, waiting = column, []


def _lines_of_long_texts(text: str) -> set[int]:
    """Lines inside a text that spans several, where nothing is a comment."""
    inside: set[int] = set()
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            inside.update(range(token.start_mark.line + 1, token.end_mark.line + 1))
    return inside
