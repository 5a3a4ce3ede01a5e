"""What the app is told of a course, as a page: every field that it gets, and nothing else."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sitegen.catalog.money import format_clock
from sitegen.texts.render import render


def phone_page(courses: Sequence[tuple[str, str]], slug: str, answer: Mapping[str, object] | None) -> str:
    """HTML. `courses` are slugs and titles; `answer` is the service's, or None while it starts."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    return templates.get_template("phone.html").render(
        courses=courses,
        slug=slug,
        course=answer.get("course") if answer else None,
        is_ready=answer is not None,
        answer=json.dumps(answer, indent=2, ensure_ascii=False),
        clock=format_clock,
        markdown=lambda text: Markup(render(text).html),  # noqa: S704 - our own renderer's, which lets no script through
    )
