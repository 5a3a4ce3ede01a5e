"""Writes docs/fields.md and the JSON Schemas from the shapes themselves, so that they cannot drift apart."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from sitegen.catalog import course_file

_ROOTS: dict[str, type[BaseModel]] = {"course": course_file.CourseFile, "site": course_file.SiteFile}
_SHAPES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("site.yaml", course_file.SiteFile),
    ("brand", course_file.BrandFile),
    ("instructors[]", course_file.InstructorFile),
    ("course.yaml", course_file.CourseFile),
    ("price", course_file.PriceFile),
    ("intro_video", course_file.VideoFile),
    ("questions[]", course_file.QuestionFile),
    ("modules[]", course_file.ModuleFile),
    ("lessons[]", course_file.LessonFile),
    ("resources[]", course_file.ResourceFile),
)


def write_reference(docs: Path) -> list[Path]:
    """Write all of it below `docs`; returns what was written."""
    written = []
    for name, text in reference_files().items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def reference_files() -> dict[str, str]:
    """File name below docs/ → content."""
    files = {
        f"schema/{name}.schema.json": json.dumps(_schema(shape), indent=2, ensure_ascii=False) + "\n"
        for name, shape in _ROOTS.items()
    }
    files["fields.md"] = "\n".join(_fields_page())
    return files


def _schema(shape: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape.model_json_schema()}


def _fields_page() -> Iterator[str]:
    yield "# Fields of the course files\n"
    yield "Made by `scripts/coursewright schema` from `sitegen/catalog/course_file.py`; change them there.\n"
    yield "Order in a file is order on the site. Long texts are Markdown, typed in place or named as a `.md` file"
    yield "beside the course. Editors that speak JSON Schema complete and check these files while you type.\n"
    for title, shape in _SHAPES:
        yield f"## `{title}`\n"
        yield f"{(shape.__doc__ or '').strip()}\n"
        yield "| field | | what it is | example |"
        yield "|---|---|---|---|"
        for name, field in shape.model_fields.items():
            need = "required" if field.is_required() else "optional"
            yield f"| `{name}` | {need} | {field.description} | {_example(name, field.examples)} |"
        yield ""


def _example(name: str, examples: list[Any] | None) -> str:
    if not examples:
        return "see below"
    text = yaml.safe_dump({name: examples[-1]}, default_flow_style=True, allow_unicode=True, width=1000).strip()
    return f"`{text.removeprefix('{').removesuffix('}')}`"
