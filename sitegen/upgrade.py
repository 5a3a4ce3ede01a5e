"""What another version of the program means for a school."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sitegen.catalog.faults import CatalogInvalid, Fault
from sitegen.load import load_school
from sitegen.reference import schemas
from sitegen.school import PACKAGE, School, base_theme
from sitegen.starter import SCHEMAS, VERSION, write_schemas

_HEADING = re.compile(r"^## (?:\[)?v?(\d+(?:\.\d+)*|Unreleased)")


@dataclass
class Upgrade:
    """From which version to which, what changed in between, and what is refused now."""

    before: str | None
    now: str
    changes: list[str] = field(default_factory=list)
    overrides: list[str] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The two versions."""
        if self.before is None:
            return f"This is version {self.now}; the school does not say which one it was made for."
        if self.before == self.now:
            return f"This school is for version {self.now}, which runs."
        return f"From version {self.before} to {self.now}:"


def check_upgrade(school: School, version: str, *, write: bool) -> Upgrade:
    """Compare the school with the version that runs; `write` renews what belongs to the program."""
    stamp = school.root / VERSION
    before = stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else _pinned(school)
    found = Upgrade(before, version)
    found.changes = _changes(before, version)
    found.overrides = _overrides(school)
    stale = [
        name for name, text in schemas().items()
        if not (path := school.root / SCHEMAS / f"{name}.schema.json").is_file() or path.read_text("utf-8") != text
    ]  # fmt: skip
    found.schemas = stale
    try:
        load_school(school, now=datetime.now(UTC))
    except CatalogInvalid as error:
        found.faults = error.faults
    if write:
        write_schemas(school.root)
        stamp.write_text(f"{version}\n", encoding="utf-8")
    return found


def _pinned(school: School) -> str | None:
    """The version that requirements.txt names."""
    path = school.root / "requirements.txt"
    if not path.is_file():
        return None
    match = re.search(r"^coursewright(?:\[[\w,]+\])?==([\w.]+)", path.read_text(encoding="utf-8"), re.M)
    return match[1] if match else None


def _changes(before: str | None, now: str) -> list[str]:
    """The changelog's sections after one version, up to and with another."""
    packed = PACKAGE / "CHANGELOG.md"
    path = packed if packed.is_file() else PACKAGE.parent / "CHANGELOG.md"
    if before is None or before == now or not path.is_file():
        return []
    sections: list[str] = []
    for section in re.split(r"(?m)^(?=## )", path.read_text(encoding="utf-8")):
        heading = _HEADING.match(section)
        if heading and (heading[1] == "Unreleased" or _number(before) < _number(heading[1]) <= _number(now)):
            sections.append(section.strip())
    return sections


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _overrides(school: School) -> list[str]:
    """Templates of the school's own theme that stand for one of the program's."""
    own, base = school.root / "theme" / "templates", base_theme() / "templates"
    if not own.is_dir() or own.resolve() == base.resolve():
        return []
    return sorted(
        path.relative_to(own).as_posix() for path in own.rglob("*.html") if (base / path.relative_to(own)).is_file()
    )
