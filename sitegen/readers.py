"""Pelican's own content, in the same Markdown and with the same YAML as the course files."""

from pathlib import Path

import yaml
from pelican.readers import BaseReader

from sitegen.catalog.markdown import render


class FrontMatterInvalid(ValueError):
    """A page or post does not begin with readable front matter."""


class FrontMatterReader(BaseReader):  # type: ignore[misc]
    """Reads Markdown that begins with a block of YAML between two lines of `---`."""

    enabled = True
    file_extensions = ("md",)

    def read(self, source_path: str) -> tuple[str, dict[str, object]]:
        """HTML and metadata, as Pelican wants them."""
        text = Path(source_path).read_text(encoding="utf-8")
        parts = text.split("---\n", 2)
        if parts[0].strip() or len(parts) != 3:
            raise FrontMatterInvalid(f"{source_path}:1: begin the file with “---”, its title and slug, and “---” again")
        fields = yaml.safe_load(parts[1]) or {}
        metadata = {name.lower(): self.process_metadata(name.lower(), str(value)) for name, value in fields.items()}
        return render(parts[2]), metadata
