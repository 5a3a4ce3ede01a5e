"""The Pelican plugin; the only file that knows Pelican's signals."""

from typing import Any

from pelican.plugins import signals

from sitegen.generators import CatalogGenerator
from sitegen.readers import FrontMatterReader


def register() -> None:
    """Called by Pelican, because `pelicanconf.py` lists this module."""
    signals.get_generators.connect(_generators)
    signals.readers_init.connect(_readers)


# Any: Pelican has no types.
def _generators(_pelican: Any) -> type[CatalogGenerator]:
    return CatalogGenerator


def _readers(readers: Any) -> None:
    readers.reader_classes["md"] = FrontMatterReader
