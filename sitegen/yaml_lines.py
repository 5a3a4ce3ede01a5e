"""Changes of single lines in a course file; comments, and everything else, stay as they are."""

import re
from collections.abc import Mapping
from pathlib import Path

from sitegen.catalog.yaml_source import Place, YamlSource, parse_yaml, read_yaml


class LinesRefused(Exception):
    """The file is written in a form that is not changed here; the message says what to write."""


class YamlLines:
    """One file. Raises LinesRefused where it has faults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._source = read_yaml(path)
        if self._source.faults or not isinstance(self._source.data, dict):
            raise LinesRefused(f"{path} has faults. Run “coursewright check”, and mend them first.")
        self._lines = path.read_text(encoding="utf-8").split("\n")

    @property
    def data(self) -> Mapping[str, object]:
        """The values."""
        assert isinstance(self._source.data, dict)  # noqa: S101 - checked when it was read
        return self._source.data

    def set(self, place: Place, key: str, value: str, *, after: str) -> None:
        """Give a group of fields a value: in place of the old one, or on a line of its own after that of `after`."""
        group = self._at(place)
        if not isinstance(group, dict) or after not in group:
            raise LinesRefused(f"{self.path} has no “{after}” there. Write “{key}: {value}” yourself.")
        if key in group:
            index = self._line(place, key)
            pattern = re.compile(rf"((?:^|[\s-]){re.escape(key)}:\s*)(\"[^\"]*\"|'[^']*'|[^#\n]*?)(\s+#.*)?$")
            found = pattern.search(self._lines[index])
            if found is None:
                raise LinesRefused(f"{self.path}:{index + 1}: write “{key}: {value}” here yourself.")
            start, end = found.span(2)
            self._lines[index] = self._lines[index][:start] + value + self._lines[index][end:]
        else:
            self._insert_after(place, after, [f"{key}: {value}"])
        self._read_again(place, key)

    def remove(self, place: Place, key: str) -> None:
        """Take out a field of one line."""
        index = self._line(place, key)
        line = self._lines[index]
        if line.lstrip().startswith("- "):
            raise LinesRefused(f"{self.path}:{index + 1}: delete “{key}” yourself.")
        del self._lines[index]
        self._source = parse_yaml(YamlSource(self.path), "\n".join(self._lines))

    def add(self, place: Place, key: str, block: list[str], *, after: str) -> None:
        """Add lines to a list or group of fields, which is made where there is none; `block` goes below its key."""
        group = self._at(place)
        if not isinstance(group, dict) or after not in group:
            raise LinesRefused(f"{self.path} has no “{after}” there.")
        inner = group.get(key)
        if inner:
            if not isinstance(inner, (list, dict)):
                raise LinesRefused(f"“{key}” in {self.path} is neither a list nor a group of fields.")
            first: Place = (*place, key, 0 if isinstance(inner, list) else next(iter(inner)))
            index = self._source.fault(first, "", "", at_key=not isinstance(inner, list)).line - 1
            line = self._lines[index]
            if line.lstrip().startswith(f"{key}:"):
                raise LinesRefused(f"“{key}” in {self.path} is written on one line. Add there: {' '.join(block)}")
            column = len(line) - len(line.lstrip())
            self._lines[index:index] = [" " * column + each for each in block]
        else:
            if key in group:
                raise LinesRefused(f"“{key}” in {self.path} is empty. Delete that line first.")
            self._insert_after(place, after, [f"{key}:", *(f"  {each}" for each in block)])
        self._read_again(place, key)

    def save(self) -> None:
        """Write the file."""
        draft = self.path.with_suffix(".new")
        draft.write_text("\n".join(self._lines), encoding="utf-8")
        draft.replace(self.path)

    def _at(self, place: Place) -> object:
        value: object = self._source.data
        for part in place:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def _line(self, place: Place, key: str) -> int:
        return self._source.fault((*place, key), "", "", at_key=True).line - 1

    def _insert_after(self, place: Place, key: str, block: list[str]) -> None:
        index = self._line(place, key)
        line = self._lines[index]
        column = len(line) - len(line.lstrip(" -"))
        value = self._at((*place, key))
        last = index
        while last + 1 < len(self._lines) and isinstance(value, (dict, list, str)):
            following = self._lines[last + 1]
            if not following.strip() or len(following) - len(following.lstrip()) <= column:
                break
            last += 1
        self._lines[last + 1 : last + 1] = [" " * column + each for each in block]

    def _read_again(self, place: Place, key: str) -> None:
        """What was written must be what was meant; else nothing is saved."""
        source = parse_yaml(YamlSource(self.path), "\n".join(self._lines))
        before, self._source = self._source, source
        group = self._at(place)
        if source.faults or not isinstance(group, dict) or key not in group:
            self._source = before
            raise LinesRefused(f"{self.path} is written in a form that is not changed here. Write “{key}:” yourself.")
