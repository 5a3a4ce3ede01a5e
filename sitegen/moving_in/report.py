"""What an import could not carry, as a list to work through: beside the school's build, not among its files."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from sitegen.moving_in.course import FoundCourse, Lost
from sitegen.moving_in.names import slug_for
from sitegen.moving_in.write import Written
from sitegen.school import School


def write_report(
    school: School, name: str, courses: Sequence[FoundCourse], done: Sequence[Written], lost: Sequence[Lost]
) -> Path:
    """Write it as Markdown; the path is where."""
    lines = [f"# Import of {name}", ""]
    for course, each in zip(courses, done, strict=True):
        lines.append(
            f"- **{course.title}** (`{course.slug}`): {len(course.lessons)} lessons, {each.lessons} of them new"
        )
    lines += ["", "## What could not be carried", ""]
    for file, entries in groupby(lost, key=lambda each: each.file):
        lines.append(f"- `{file}`")
        lines += [f"  - line {each.line}: {each.what}" if each.line else f"  - {each.what}" for each in entries]
    if not lost:
        lines.append("Nothing was lost.")
    if kept := [path for each in done for path in each.kept]:
        lines += ["", "## Different from what was imported, and left as they are", ""]
        lines += [f"- `{path}`" for path in kept]
    path = school.manifest.parent / f"import-{slug_for(name)}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
