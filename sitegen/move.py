"""Gives courses and lessons other addresses, and writes down the old ones. Comments and the order of lines stay."""

import re
from collections.abc import Callable
from pathlib import Path

from sitegen.catalog.yaml_source import Place, YamlSource, parse_yaml, read_yaml
from sitegen.school import School


class MoveRefused(Exception):
    """Nothing was changed; the message says why."""


def move_course(school: School, slug: str, to: str) -> list[Path]:
    """Rename the folder, and the slug where the file has one. Raises MoveRefused."""
    courses = school.course_data / "courses"
    folder, target = courses / slug, courses / to
    if target.exists():
        raise MoveRefused(f"{target} is there already. Choose another name.")
    path, source, data = _read(courses, slug)
    old = str(data.get("slug") or slug)
    lines = path.read_text(encoding="utf-8").split("\n")
    if "slug" in data:
        _replace_word(lines, source, ("slug",), to)
    place: Place = ("slug",) if "slug" in data else ("id",)
    _remember(lines, source, data, (), old, to, after=place)
    text = "\n".join(lines)
    _hold(text, path, lambda found: found.get("slug", to) == to and old in _words(found.get("moved_from")))
    path.write_text(text, encoding="utf-8")
    folder.rename(target)
    return [target / "course.yaml"]


def move_lesson(school: School, course: str, slug: str, to: str) -> list[Path]:
    """Change the slug of a lesson. Raises MoveRefused."""
    path, source, data = _read(school.course_data / "courses", course)
    places = [
        (("modules", m, "lessons", n), lesson)
        for m, module in enumerate(_list(data.get("modules")))
        for n, lesson in enumerate(_list(module.get("lessons")))
    ]
    slugs = [str(lesson.get("slug")) for _, lesson in places]
    if to in slugs:
        raise MoveRefused(f"{path} has a lesson “{to}” already. Choose another name.")
    if slug not in slugs:
        raise MoveRefused(f"{path} has no lesson “{slug}”. Known: {', '.join(slugs)}.")
    place, lesson = places[slugs.index(slug)]
    lines = path.read_text(encoding="utf-8").split("\n")
    _replace_word(lines, source, (*place, "slug"), to)
    _remember(lines, source, lesson, place, slug, to, after=(*place, "slug"))
    text = "\n".join(lines)

    def is_right(found: dict[str, object]) -> bool:
        moved = _list(_list(found.get("modules"))[int(place[1])].get("lessons"))[int(place[3])]
        return moved.get("slug") == to and slug in _words(moved.get("moved_from"))

    _hold(text, path, is_right)
    path.write_text(text, encoding="utf-8")
    return [path]


def _read(courses: Path, slug: str) -> tuple[Path, YamlSource, dict[str, object]]:
    path = courses / slug / "course.yaml"
    if not path.is_file():
        known = ", ".join(sorted(each.parent.name for each in courses.glob("*/course.yaml")))
        raise MoveRefused(f"There is no course “{slug}”. Known: {known}.")
    source = read_yaml(path)
    if source.faults or not isinstance(source.data, dict):
        raise MoveRefused(f"{path} has faults. Run “coursewright check”, and mend them first.")
    return path, source, source.data


def _list(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _line_of(source: YamlSource, place: Place) -> int:
    """The index of the line on which a value begins."""
    return source.fault(place, "", "").line - 1


def _replace_word(lines: list[str], source: YamlSource, place: Place, word: str) -> None:
    index = _line_of(source, place)
    lines[index] = re.sub(r"(slug:\s*)([\"']?)[^\s\"'#]+\2", rf"\g<1>{word}", lines[index], count=1)


def _remember(
    lines: list[str], source: YamlSource, data: dict[str, object], place: Place, old: str, new: str, *, after: Place
) -> None:
    """Add the old slug to `moved_from`, or that field after the line of another. The new one is no former one."""
    former = data.get("moved_from")
    if isinstance(former, list) and former:
        first = _line_of(source, (*place, "moved_from"))
        if "[" in lines[first]:
            words = ", ".join([*(str(each) for each in former if str(each) != new), old])
            lines[first] = re.sub(r"\[.*\]", f"[{words}]", lines[first], count=1)
        else:
            last = _line_of(source, (*place, "moved_from", len(former) - 1))
            indent = lines[last][: len(lines[last]) - len(lines[last].lstrip())]
            lines.insert(last + 1, f"{indent}- {old}")
        return
    index = _line_of(source, after)
    match = re.match(r"[ -]*", lines[index])
    indent = " " * len(match[0]) if match else ""
    lines.insert(index + 1, f"{indent}moved_from: [{old}]")


def _hold(text: str, path: Path, is_right: Callable[[dict[str, object]], bool]) -> None:
    """Read what would be written; a file in an unusual form is left as it is."""
    source = parse_yaml(YamlSource(path), text)
    if source.faults or not isinstance(source.data, dict) or not is_right(source.data):
        raise MoveRefused(f"{path} is written in a form that this command does not change. Edit slug and moved_from.")
