"""Jinja2, as the theme expects it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)


def open_templates(themes: Sequence[Path], shared: Mapping[str, object], cache: Path | None = None) -> Environment:
    """The templates of these themes, the first that has one, with what all of them are given.

    `cache` keeps them compiled: to compile them takes half of a small build.
    """
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True, mode=0o700)  # code is read from it
    environment = Environment(
        loader=ChoiceLoader(
            [
                FileSystemLoader([theme / "templates" for theme in themes]),
                # What an own template extends: “base/course.html” is that of the theme that comes with the program.
                PrefixLoader({"base": FileSystemLoader(themes[-1] / "templates")}),
            ]
        ),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=FileSystemBytecodeCache(str(cache)) if cache is not None else None,
    )
    environment.globals.update(shared)
    return environment


def templates_stamp(themes: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, size and moment of change of every template."""
    found = (path for theme in themes for path in sorted((theme / "templates").rglob("*")) if path.is_file())
    return tuple((str(path), (status := path.stat()).st_size, status.st_mtime_ns) for path in found)


def template_folders(environment: Environment) -> list[str]:
    """Where its templates are."""
    loaders = environment.loader.loaders if isinstance(environment.loader, ChoiceLoader) else ()
    return [str(folder) for each in loaders if isinstance(each, FileSystemLoader) for folder in each.searchpath]
