"""A table with one line for each lesson → a draft. Columns: module, lesson; if wanted, summary, slug, text, free."""

import csv
import io

from sitegen.moving_in.course import FoundCourse, FoundLesson, FoundModule, Lost
from sitegen.moving_in.names import slug_for

_NAMES = {
    "module": ("module", "section", "chapter", "unit", "part"),
    "lesson": ("lesson", "lecture", "title", "name", "lesson title"),
    "summary": ("summary", "description"),
    "slug": ("slug", "address"),
    "text": ("text", "notes", "content", "body"),
    "free": ("free", "preview", "is free"),
}
_YES = {"1", "yes", "true", "y", "x", "free", "preview"}


class TableUnknown(Exception):
    """The file is no table of lessons; the message says what it needs."""


def course_of_table(content: bytes, slug: str, title: str, lost: list[Lost], name: str) -> FoundCourse:
    """The course. Raises TableUnknown."""
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        lost.append(Lost(name, 0, "is not UTF-8; it was read as Windows-1252: look at its letters"))
    if "\0" in text:
        raise TableUnknown(f"{name} is no text: save the table as CSV.")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise TableUnknown(f"{name} is no table: {error}.") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    places = {
        field: header.index(alias)
        for field, aliases in _NAMES.items()
        for alias in reversed(aliases)
        if alias in header
    }
    if "lesson" not in places:
        raise TableUnknown(
            f"{name} has no column “lesson”. It needs: module, lesson; and may have: summary, slug, text, free."
        )
    unknown = [cell for number, cell in enumerate(header) if cell and number not in places.values()]
    if unknown:
        lost.append(Lost(name, 1, f"columns that mean nothing here: {', '.join(unknown)}"))
    course = FoundCourse(slug, title)
    seen: set[str] = set()
    for number, row in enumerate(rows[1:], start=2):
        values = {field: row[place].strip() for field, place in places.items() if place < len(row)}
        if not any(values.values()):
            continue
        if not values.get("lesson"):
            lost.append(Lost(name, number, "names no lesson"))
            continue
        heading = values.get("module") or (course.modules[-1].title if course.modules else "Lessons")
        if not course.modules or course.modules[-1].title != heading:
            known = next((module for module in course.modules if module.title == heading), None)
            course.modules.append(known or FoundModule(f"module {heading}", heading))
            if known is not None:
                course.modules.remove(known)
                course.modules.append(known)
        address = slug_for(values.get("slug") or values["lesson"])
        if address in seen:
            address = f"{address[:58]}-{number}"
        seen.add(address)
        course.modules[-1].lessons.append(
            FoundLesson(
                key=address,
                title=values["lesson"],
                text=(values.get("text") or "The text of this lesson comes here.") + "\n",
                file=f"{address}.md",
                slug=address,
                summary=values.get("summary", "")[:300],
                published=bool(values.get("text")),
                is_free=values.get("free", "").lower() in _YES,
            )
        )
    if not course.lessons:
        raise TableUnknown(f"{name} has no lessons below its first line.")
    return course
