"""Found courses → files of the school: drafts. What is there already stays as it is, and is named."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from sitegen.catalog.slugs import id_for
from sitegen.moving_in.course import FoundCourse, FoundLesson
from sitegen.new import THUMBNAIL, brand_color, first_instructor
from sitegen.school import School

_NO_FOLDING = 1 << 20  # characters


@dataclass
class Written:
    """`written` are new files; `kept` were there already, with another content; `lessons` are new."""

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    lessons: int = 0


def write_course(school: School, course: FoundCourse) -> Written:
    """Write a draft, or add to it what an earlier import did not find."""
    done = Written()
    folder = school.course_data / "courses" / course.slug
    title = course.title.strip() or course.slug
    _write(done, folder / "description.md", (course.description or f"{title}.\n").encode())
    _write(done, folder / "thumbnail.svg", THUMBNAIL.format(color=brand_color(school)).encode(), may_differ=True)
    for lesson in course.lessons:
        if lesson.file:
            text = lesson.text.strip() + "\n" if lesson.text.strip() else ""
            _write(done, folder / "notes" / lesson.file, text.encode())
    for name, source in sorted(course.files.items()):
        _write(done, folder / name, source.read_bytes())
    _write_yaml(school, course, folder / "course.yaml", done)
    return done


def _write(done: Written, path: Path, content: bytes, *, may_differ: bool = False) -> None:
    if path.exists():
        if not may_differ and path.read_bytes() != content:
            done.kept.append(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    done.written.append(path)


def _write_yaml(school: School, course: FoundCourse, path: Path, done: Written) -> None:
    yaml = YAML()
    yaml.width = _NO_FOLDING
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    # Any: what YAML holds is only known when it is read.
    data: Any = _head(school, course)
    if path.exists():
        data = yaml.load(path.read_text(encoding="utf-8"))
    modules = data.setdefault("modules", [])
    places = {module["id"]: module for module in modules}
    known = {lesson["id"] for module in modules for lesson in module.get("lessons") or ()}
    for module in course.modules:
        fresh = [lesson for lesson in module.lessons if id_for(course.slug, lesson.slug, key=lesson.key) not in known]
        if not fresh:
            continue
        name = id_for(course.slug, "m-" + _plain(module.key), key=f"module {module.key}")
        if name not in places:
            places[name] = {"id": name, "title": module.title, "lessons": []}
            modules.append(places[name])
        places[name].setdefault("lessons", []).extend(
            _lesson(course, lesson, data.get("status", "draft") != "draft") for lesson in fresh
        )
        done.lessons += len(fresh)
    if done.lessons or not path.exists():
        is_new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            if is_new:
                file.write("# yaml-language-server: $schema=../../../.coursewright/schema/course.schema.json\n")
            yaml.dump(data, file)
        draft.replace(path)
        done.written.append(path)


def _plain(key: str) -> str:
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in key.lower()).strip("-")


def _head(school: School, course: FoundCourse) -> CommentedMap:
    course_id = id_for(course.slug)
    head = CommentedMap({
        "id": course_id,
        "title": course.title,
        "summary": course.summary or course.title,
        "description": "description.md",
        "status": "draft",
        "instructor": first_instructor(school),
        "thumbnail": "thumbnail.svg",
        "price": "free",
        "modules": [],
    })  # fmt: skip
    head.yaml_add_eol_comment("or “amount: 4900” and “currency: EUR” below it", "price")
    return head


def _lesson(course: FoundCourse, lesson: FoundLesson, is_hidden: bool) -> dict[str, object]:
    data: dict[str, object] = {
        "id": id_for(course.slug, lesson.slug, key=lesson.key),
        "slug": lesson.slug,
        "title": lesson.title[:300],
    }
    if lesson.summary:
        data["summary"] = lesson.summary
    if lesson.file:
        data["notes"] = f"notes/{lesson.file}"
    if lesson.is_free:
        data["preview"] = True
    if is_hidden or not lesson.published:
        data["published"] = False
    return data
