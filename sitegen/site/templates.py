"""Jinja2, as the theme expects it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)
from jinja2.bccache import Bucket


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
        bytecode_cache=_MemoryFirst(str(cache)) if cache is not None else None,
    )
    environment.globals.update(shared)
    return environment


class _MemoryFirst(FileSystemBytecodeCache):
    """Compiled templates in a folder, and in this process: a preview opens them again after every save."""

    _known: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Jinja2 checks that it belongs to the template as it is now."""
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])
        else:
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it in both."""
        self._known[bucket.key] = bucket.bytecode_to_string()
        super().dump_bytecode(bucket)


def templates_stamp(themes: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Name, size and moment of change of every template."""
    found = (path for theme in themes for path in sorted((theme / "templates").rglob("*")) if path.is_file())
    return tuple((str(path), (status := path.stat()).st_size, status.st_mtime_ns) for path in found)


def template_folders(environment: Environment) -> list[str]:
    """Where its templates are."""
    loaders = environment.loader.loaders if isinstance(environment.loader, ChoiceLoader) else ()
    return [str(folder) for each in loaders if isinstance(each, FileSystemLoader) for folder in each.searchpath]
