"""Pelican's door to the same site: `pelican -s pelicanconf.py` writes the very files that `coursewright build` writes.

Nothing here renders anything. Pelican's own readers, writers and templates stay unused, since its import alone takes
longer than a build; what it adds is its command line and its plugins.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pelican.generators import Generator
from pelican.plugins import signals

from sitegen.build import render
from sitegen.load import load_school
from sitegen.school import School


class CourseGenerator(Generator):  # type: ignore[misc]  # Pelican has no types
    """Writes every file of the site."""

    def generate_output(self, _writer: Any) -> None:  # Any: Pelican has no types
        """Called by Pelican."""
        school, now = School(Path(self.settings["SCHOOL"])), datetime.now(UTC)
        for file in render(school, load_school(school, now=now), site_url=self.settings["SITEURL"] or None, now=now):
            path = Path(self.output_path) / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)


def register() -> None:
    """Called by Pelican, because `pelicanconf.py` lists this module."""
    signals.get_generators.connect(_generators)


def _generators(_pelican: Any) -> type[CourseGenerator]:
    return CourseGenerator
