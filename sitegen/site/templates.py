"""Jinja2, as the theme expects it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def open_templates(themes: Sequence[Path], shared: Mapping[str, object]) -> Environment:
    """The templates of these themes, the first that has one, with what all of them are given."""
    environment = Environment(
        loader=FileSystemLoader([theme / "templates" for theme in themes]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals.update(shared)
    return environment


def templates_stamp(themes: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, size and moment of change of every template."""
    found = (path for theme in themes for path in sorted((theme / "templates").rglob("*")) if path.is_file())
    return tuple((str(path), (status := path.stat()).st_size, status.st_mtime_ns) for path in found)
