"""What an import found, whatever it came from, and what it could not carry."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class FoundLesson:
    """One lesson. `text` is Markdown, in a file called `file` below the course's `notes/`; `duration` in seconds."""

    key: str  # where it was there: the same for every import, so that its id is
    title: str
    text: str = ""
    file: str = ""
    slug: str = ""
    summary: str = ""
    duration: int | None = None
    published: bool = True
    is_free: bool = False


@dataclass
class FoundModule:
    """A group of lessons."""

    key: str
    title: str
    lessons: list[FoundLesson] = field(default_factory=list)


@dataclass
class FoundCourse:
    """One course. `files` are copied: their names below the course's folder, and where they are now."""

    slug: str
    title: str
    summary: str = ""
    description: str = ""
    modules: list[FoundModule] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def lessons(self) -> list[FoundLesson]:
        """All of them."""
        return [lesson for module in self.modules for lesson in module.lessons]


@dataclass(frozen=True, order=True)
class Lost:
    """Something that could not be carried: where it was, and what. `line` 0 is the whole file."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"
