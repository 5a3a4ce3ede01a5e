"""Reads YAML and remembers where each value is, so that a fault can name line and column.

Scalars follow YAML 1.2's core schema, not PyYAML's 1.1: `no` is the word, and `12:30` is text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from sitegen.catalog.faults import Fault

# The C parser is ten times as fast; PyYAML may have been built without it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = str | int
Place = tuple[Key, ...]

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass
class YamlSource:
    """A parsed file: plain values in `data`, and the position of each key and value."""

    path: Path
    data: object = None
    faults: list[Fault] = field(default_factory=list)
    _keys: dict[Place, tuple[int, int]] = field(default_factory=dict)
    _values: dict[Place, tuple[int, int]] = field(default_factory=dict)

    def place_of(self, loc: Sequence[Key]) -> Place:
        """The longest path in the file that `loc` names; parts that are not keys of the file are passed over."""
        place: Place = ()
        for part in loc:
            if (*place, part) in self._values:
                place = (*place, part)
        return place

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
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        source.faults.append(Fault(path, 1, 1, "This file is missing.", "Create it; see docs/fields.md."))
        return source
    except UnicodeDecodeError:
        source.faults.append(Fault(path, 1, 1, "This file is not UTF-8 text.", "Save it again as UTF-8."))
        return source
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        source.faults.append(
            Fault(
                path,
                line,
                column,
                f"This is not YAML: {error.problem or error}.",
                "Check indentation on this line and the one above; put text that contains “: ” or “#” in quotes.",
            )
        )
        return source
    except yaml.YAMLError as error:
        source.faults.append(Fault(path, 1, 1, f"This is not YAML: {error}.", "Remove the character named above."))
        return source
    if node is not None:
        source.data = _value(node, (), source)
    return source


def _value(node: yaml.Node, place: Place, source: YamlSource) -> object:
    mark = node.start_mark
    source._values[place] = (mark.line + 1, mark.column + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, source)
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, index), source) for index, child in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, place: Place, source: YamlSource) -> dict[str, object]:
    result: dict[str, object] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        position = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        if key in result:
            first = source._keys[(*place, key)][0]
            source.faults.append(
                Fault(
                    source.path,
                    *position,
                    f"“{key}” is defined twice (first on line {first}).",
                    "Remove one of them.",
                )
            )
            continue
        source._keys[(*place, key)] = position
        result[key] = _value(value_node, (*place, key), source)
    return result


def _scalar(node: yaml.Node) -> object:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):  # quoted, or a block: always text
        return text
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
