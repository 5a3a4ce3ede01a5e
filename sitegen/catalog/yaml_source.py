"""Reads YAML and remembers where each value is, so that a fault can name line and column.

Scalars follow YAML 1.2's core schema, not PyYAML's 1.1: `no` is the word, and `12:30` is text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml

from sitegen.catalog.faults import Fault
from sitegen.catalog.text_files import Unreadable, read_text

# The C parser is ten times as fast; PyYAML may have been built without it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = str | int
Place = tuple[Key, ...]

LARGEST = 8 * 1024 * 1024  # characters
DEEPEST = 32
_LONGEST_NUMBER = 20  # digits

_INT = re.compile(r"[-+]?[0-9]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass
class YamlSource:
    """A parsed file: plain values in `data`, and the position of each key and value.

    One that was read from what a build kept has no `data`, and finds positions by reading the file again.
    """

    path: Path
    data: object = None
    faults: list[Fault] = field(default_factory=list)
    _keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    _values: dict[Place, tuple[int, int]] = field(default_factory=dict)
    _was_kept: bool = False

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "faults": self.faults}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__init__(**state, _was_kept=True)  # type: ignore[misc]  # the two that are above

    def place_of(self, loc: Sequence[Key]) -> Place:
        """The longest path in the file that `loc` names; parts that are not keys of the file are passed over."""
        self._read_again()
        place: Place = ()
        for part in loc:
            if (*place, part) in self._values:
                place = (*place, part)
        return place

    def _read_again(self) -> None:
        if self._was_kept:
            again = read_yaml(self.path)
            self._keys, self._values, self._was_kept = again._keys, again._values, False

    def fault(self, loc: Sequence[Key], problem: str, remedy: str, *, at_key: bool = False) -> Fault:
        """A fault at the value `loc` names, or at its key."""
        place = self.place_of(loc)
        marks = self._keys if at_key and place in self._keys else self._values
        line, column = marks.get(place, (1, 1))
        return Fault(self.path, line, column, problem, remedy)


def read_yaml(path: Path) -> YamlSource:
    """Parse one file. Syntax errors and repeated keys become faults of the result; nothing is raised."""
    source = YamlSource(path)
    try:
        text = read_text(path)
    except FileNotFoundError:
        source.faults.append(Fault(path, 1, 1, "This file is missing.", "Create it; see “coursewright docs fields”."))
        return source
    except Unreadable as error:
        source.faults.append(error.fault)
        return source
    return parse_yaml(source, text)


def parse_yaml(source: YamlSource, text: str, *, above: int = 0) -> YamlSource:
    """Parse a text of which `above` lines stand before it in its file, and add what is found to `source`.

    The text is read event by event, so that nothing of it is nested deeper than DEEPEST, whatever it says.
    """
    if len(text) > LARGEST:
        _refuse(source, 1, 1, "This file is larger than 8 MB.", "Divide it, and put long texts into files.")
        return source
    if found := _FORBIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        problem = f"A sign stands here that nobody sees: U+{ord(found[0]):04X}."
        _refuse(source, line + above, column, problem, "Delete it.")
        return source
    try:
        source.data = _Reader(source, above).read(text)
    except yaml.MarkedYAMLError as error:
        _refuse(source, *_described(error, above))
    except yaml.YAMLError:
        _refuse(source, 1, 1, "This is not YAML.", "See “coursewright docs fields” for a complete file.")
    except _Refused:
        source.data = None
    return source


def _refuse(source: YamlSource, line: int, column: int, problem: str, remedy: str) -> None:
    source.faults.append(Fault(source.path, line, column, problem, remedy))


def _described(error: yaml.MarkedYAMLError, above: int) -> tuple[int, int, str, str]:
    """Place, problem and remedy of a mistake in the syntax; an open quotation mark is named where it opens."""
    context = str(error.context or "")
    if "quoted scalar" in context and error.context_mark:
        opened, problem = error.context_mark, "A quotation mark opens here, and none closes it."
        return opened.line + 1 + above, opened.column + 1, problem, "Write the second one at the end of the text."
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    remedy = "Check indentation on this line and the one above; put text that contains “: ” or “#” in quotes."
    return line + above, column, f"This is not YAML: {error.problem or context}.", remedy


class _Refused(Exception):
    """Something that these files may not contain; its fault is written already."""


class _Reader:
    """Builds plain values from the parser's events, and remembers where each was."""

    def __init__(self, source: YamlSource, above: int) -> None:
        self.source = source
        self.above = above
        self.nodes = 0

    def read(self, text: str) -> object:
        """The value of the first document; None for an empty file."""
        self.events = yaml.parse(text, Loader=_Loader)
        for event in self.events:
            if isinstance(event, (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent, yaml.AliasEvent)):
                value = self._value(event, ())
                for rest in self.events:
                    if isinstance(rest, yaml.DocumentStartEvent):
                        self._refuse(rest, "A second document begins here.", "Delete the line “---”.")
                return value
        return None

    def _value(self, event: yaml.Event, place: Place) -> object:
        self.source._values[place] = self._position(event)
        self.nodes += 1
        if len(place) > DEEPEST:
            self._refuse(event, f"This is nested deeper than {DEEPEST} levels.", "Use fewer brackets.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse(
                event, "Anchors and aliases (& and *) are not read here.", "Write the value itself, or quote it."
            )
        tag = getattr(event, "tag", None)
        if tag and tag != "!":
            self._refuse(event, f"The tag “{tag}” is not read here.", "Delete it.")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[object] = []
            while not isinstance(item := next(self.events), yaml.SequenceEndEvent):
                items.append(self._value(item, (*place, len(items))))
            return items
        assert isinstance(event, yaml.ScalarEvent)  # noqa: S101 - no other event is left
        return _scalar(event)

    def _mapping(self, place: Place) -> dict[str, object]:
        result: dict[str, object] = {}
        while not isinstance(key_event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(key_event, yaml.ScalarEvent):
                self._refuse(
                    key_event, "The name of a field must be a word.", "Put text that begins with “[” or “{” in quotes."
                )
            key = str(key_event.value)
            position = self._position(key_event)
            twice = key in result
            if twice:
                first = self.source._keys[(*place, key)][0]
                problem = f"“{key}” is defined twice (first on line {first})."
                self.source.faults.append(Fault(self.source.path, *position, problem, "Remove one of them."))
                self._value(next(self.events), (*place, f"{key} "))
                continue
            self.source._keys[(*place, key)] = position
            result[key] = self._value(next(self.events), (*place, key))
        return result

    def _position(self, event: yaml.Event) -> tuple[int, int]:
        mark = event.start_mark
        return (mark.line + 1 + self.above, mark.column + 1) if mark else (1, 1)

    def _refuse(self, event: yaml.Event, problem: str, remedy: str) -> NoReturn:
        self.source.faults.append(Fault(self.source.path, *self._position(event), problem, remedy))
        raise _Refused


def _scalar(event: yaml.ScalarEvent) -> object:
    text = str(event.value)
    if getattr(event, "style", None) in ("'", '"', "|", ">"):  # quoted, or a block: always text
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
