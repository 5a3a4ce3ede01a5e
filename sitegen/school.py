"""Where the files of a school are. A school is a folder with `course_data/`; all else in it is optional."""

import re
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
LOCK = "published.lock"  # below course_data: what was ever published


class NoSchool(Exception):
    """There is no school here; the message says what to do."""


@dataclass(frozen=True)
class School:
    """The folder of a school, and what lies where in it."""

    root: Path

    @property
    def course_data(self) -> Path:
        """Courses, and `site.yaml`."""
        return self.root / "course_data"

    @property
    def paid_files(self) -> Path:
        """Files to download, for a school that keeps them on its own disk."""
        return self.course_data / "files"

    @property
    def content(self) -> Path:
        """Pages and posts."""
        return self.root / "content"

    @property
    def public(self) -> Path:
        """Files that are copied to the site as they are, such as CNAME."""
        return self.root / "public"

    @property
    def output(self) -> Path:
        """The built site."""
        return self.root / "output"

    @property
    def manifest(self) -> Path:
        """The service's catalogue. Private."""
        return self.root / "build" / "catalog.json"

    @property
    def variants(self) -> Path:
        """The sizes of public pictures that were made, so that no build makes one again."""
        return self.root / "build" / "variants"

    @property
    def cards(self) -> Path:
        """The pictures of shared links that were drawn."""
        return self.root / "build" / "cards"

    @property
    def search(self) -> Path:
        """Search indexes that were made."""
        return self.root / "build" / "search"

    @property
    def compressed(self) -> Path:
        """Compressed files that were made."""
        return self.root / "build" / "compressed"

    @property
    def templates(self) -> Path:
        """Compiled templates."""
        return self.root / "build" / "templates"

    @property
    def kept(self) -> Path:
        """What the next build takes from the last one."""
        return self.root / "build" / "kept"

    @property
    def made(self) -> tuple[Path, ...]:
        """Everything that was made once and is used again; it can be made anew."""
        return (self.kept, self.cards, self.variants, self.search, self.compressed, self.templates)

    @property
    def history(self) -> Path:
        """What git says of the files' dates, kept until the next commit."""
        return self.root / "build" / "history.json"

    @property
    def own_theme(self) -> Path:
        """Templates, static files and translations of the school's own; it may be missing."""
        return self.root / "theme"

    @property
    def packages(self) -> tuple[Path, ...]:
        """The code that says sentences to people."""
        return (PACKAGE, PACKAGE.parent / "dynamic_api")

    @property
    def themes(self) -> tuple[Path, ...]:
        """Folders of templates and static files; a file in an earlier one stands for the same file in a later one."""
        own, base = self.own_theme, base_theme()
        look = base / "looks" / self._look
        return (
            *((own,) if own.is_dir() and own.resolve() != base.resolve() else ()),
            *((look,) if self._look and look.is_dir() else ()),
            base,
        )

    @property
    def _look(self) -> str:
        """The word after `look:` in site.yaml; its other fields are checked where the whole file is read."""
        try:
            found = re.search(r"^look:[ \t]*([a-z]+)", (self.course_data / "site.yaml").read_text("utf-8"), re.M)
        except (OSError, UnicodeDecodeError):
            return ""
        return found[1] if found else ""


def shipped(name: str) -> Path:
    """A folder that comes with the program: inside the installed package, or beside it in a checkout."""
    packed = PACKAGE / name
    return packed if packed.is_dir() else PACKAGE.parent / name


def base_theme() -> Path:
    """The theme that comes with the program."""
    return shipped("theme")


def find_school(start: Path) -> School:
    """The school that a folder is in. Raises NoSchool."""
    for folder in (start, *start.resolve().parents):
        if (folder / "course_data" / "site.yaml").is_file():
            return School(folder)
    raise NoSchool(
        f"There is no school in {start.resolve()}: no folder course_data with a site.yaml. "
        "Go into your school’s folder, name it with --school, or make one: coursewright init my-school"
    )
